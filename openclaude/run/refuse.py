"""Answers on the socket of a unit that has failed for good, so that nobody waits for nothing.

Knows: one HTTP reply. Refuses to know: why the unit failed; it is given the sentence.
Threads rather than an event loop: this runs rarely, and the supervisor stays small.
"""

from __future__ import annotations

import json
import socket
import threading

REQUEST_LIMIT = 128 * 1024 * 1024  # bytes read before answering anyway
PATIENCE_S = 10.0


class Refusal:
    """Answers every connection on a listening socket with one sentence, until it is ended."""

    def __init__(self, listener: socket.socket, message: str) -> None:
        self.listener = listener.dup()
        self.listener.settimeout(0.5)
        self.reply = refusal(message)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, name="refusal", daemon=True)
        self.thread.start()

    def run(self) -> None:
        """Accept until ended."""
        while not self.ended.is_set():
            try:
                connection, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:  # the client left, or we have too many files open
                self.ended.wait(0.1)
                continue
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
        self.ended.set()
        self.thread.join()
        self.listener.close()


def refusal(message: str) -> bytes:
    """A whole HTTP reply: 424, which claude shows after one request, as it is (measured)."""
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    body = json.dumps(error).encode()
    head = (
        "HTTP/1.1 424 Failed Dependency\r\ncontent-type: application/json\r\n"
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
