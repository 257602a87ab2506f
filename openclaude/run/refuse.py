"""Answers on the socket of a unit that cannot, so that nobody waits for nothing.

Knows: one HTTP reply. Refuses to know: why the unit cannot; it is given the sentence.
Threads rather than an event loop: this runs rarely, and the supervisor stays small.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading

REQUEST_LIMIT = 128 * 1024 * 1024  # bytes read before answering anyway
PATIENCE_S = 10.0


class Refusal:
    """Answers every connection on a listening socket with one reply, until it is ended."""

    def __init__(self, listener: socket.socket, reply: bytes) -> None:
        self.listener = listener.dup()
        self.reply = reply
        self.ended, self.end_it = socket.socketpair()
        self.thread = threading.Thread(target=self.run, name="refusal", daemon=True)
        self.thread.start()

    def run(self) -> None:
        """Accept until ended."""
        # it may be gone when we accept: a unit that has come up meanwhile took it
        self.listener.setblocking(False)
        while self.ended not in select.select([self.listener, self.ended], [], [])[0]:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                connection, _ = self.listener.accept()
                threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection: socket.socket) -> None:
        """Read the request to its end, so that the client reads the reply, and answer it."""
        with connection:
            connection.settimeout(PATIENCE_S)
            try:
                read_request(connection)
                connection.sendall(self.reply)
            except OSError:
                return  # the client left; there is nobody to tell

    def end(self) -> None:
        """Stop answering; the socket itself stays with its owner."""
        self.end_it.close()
        self.thread.join()
        self.ended.close()
        self.listener.close()


def failed_reply(message: str) -> bytes:
    """424: claude shows it after one request, as it is (measured with 2.1.330)."""
    return reply("424 Failed Dependency", "invalid_request_error", message)


def slow_reply(message: str, *, retry_after_s: int) -> bytes:
    """503: claude tries again, not before that time (measured with 2.1.330)."""
    header = f"retry-after: {retry_after_s}\r\n"
    return reply("503 Service Unavailable", "api_error", message, header)


def reply(status: str, kind: str, message: str, headers: str = "") -> bytes:
    """A whole HTTP reply in Anthropic's shape."""
    body = json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def read_request(connection: socket.socket) -> None:
    """Read one request: its head, and as much body as its content-length says."""
    head, body = b"", b""
    while b"\r\n\r\n" not in head and len(head) < 65536:
        part = connection.recv(65536)
        if not part:
            return
        head += part
    head, _, body = head.partition(b"\r\n\r\n")
    missing = min(content_length(head), REQUEST_LIMIT) - len(body)
    while missing > 0:
        part = connection.recv(65536)
        if not part:
            return
        missing -= len(part)


def content_length(head: bytes) -> int:
    """The content-length of a request's head, 0 when it has none."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0
