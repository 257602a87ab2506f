"""Answers on the socket of an unavailable unit, so that clients do not wait for nothing.

Knows: HTTP replies, which units are answered for. Independent of: why a unit is unavailable; the
message is given. All of it happens in the supervisor's own loop, and is bounded: neither a thread
nor a descriptor more for whoever opens connections by the thousand.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from collections.abc import Mapping

from openclaude.contracts.anthropic_error import AnthropicError
from openclaude.contracts.local_request import is_local
from openclaude.run.os.peers import is_foreign

REQUEST_LIMIT = 128 * 1024 * 1024  # bytes read before answering anyway
HEAD_LIMIT = 64 * 1024  # bytes
PATIENCE_S = 10.0  # for a whole request
CONVERSATIONS = 32  # at once for each unit; one more ends the oldest
PART = 64 * 1024  # bytes read in one round of the loop
RETRY_AFTER_S = 5
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
NOT_LOCAL = AnthropicError(404, "openclaude serves no browser page")


class Conversation:
    """One request that is read to its end, so that its client reads the reply."""

    def __init__(
        self, connection: socket.socket, reply: bytes, *, until: float, certificate: str
    ) -> None:
        self.connection = connection
        self.certificate = certificate
        self.has_begun = False  # it is known whether it is in TLS
        self.reply = reply
        self.until = until
        self.head: bytes | None = b""  # None once it is whole
        self.missing = 0  # bytes of the body

    def go_on(self) -> bool:
        """Read what has come; whether more is expected. Raises OSError."""
        # here: it costs the supervisor memory, and this runs rarely
        from openclaude.run.os.tls import receive, wrap

        if not self.has_begun:
            self.connection = wrap(self.connection, self.certificate)
            self.has_begun = True
        part = receive(self.connection, PART)
        if not part:
            return False
        if self.head is None:
            self.missing -= len(part)
        else:
            self.head += part
            self.read_head(self.head)
        if self.head is None and self.missing <= 0:
            self.connection.send(self.reply)  # shorter than any socket's buffer
            return False
        return self.head is None or len(self.head) < HEAD_LIMIT

    def read_head(self, read: bytes) -> None:
        """Once the head is whole: who asks, and how much follows."""
        head, end, body = read.partition(b"\r\n\r\n")
        if not end:
            return
        headers = headers_of(head)
        if not is_local(headers):
            self.reply = http_reply("Not Found", NOT_LOCAL)
        self.missing = min(content_length(headers), REQUEST_LIMIT) - len(body)
        self.head = None


class UnavailableServer:
    """Answers every connection on a listening socket with one reply, until it is ended."""

    def __init__(
        self,
        listener: socket.socket,
        reply: bytes,
        selector: selectors.BaseSelector,
        certificate: str,
    ) -> None:
        self.certificate = certificate
        self.listener = listener.dup()
        # it may be gone when we accept: a unit that has come up meanwhile took it
        self.listener.setblocking(False)
        self.reply = reply
        self.selector = selector
        self.conversations: dict[Conversation, None] = {}  # the oldest first
        selector.register(self.listener, selectors.EVENT_READ, self.accept)

    def accept(self) -> None:
        """Begin a conversation. Raises OSError if the system has no resources for one."""
        try:
            connection, peer = self.listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        except OSError as error:
            if error.errno not in EXHAUSTED or not self.conversations:
                raise
            self.end_oldest()
            return
        if is_foreign(peer, self.listener.getsockname()):
            connection.close()
            return
        connection.setblocking(False)
        if len(self.conversations) >= CONVERSATIONS:
            self.end_oldest()
        conversation = Conversation(
            connection,
            self.reply,
            until=time.monotonic() + PATIENCE_S,
            certificate=self.certificate,
        )
        self.conversations[conversation] = None
        self.selector.register(
            connection, selectors.EVENT_READ, lambda: self.go_on_with(conversation)
        )

    def go_on_with(self, conversation: Conversation) -> None:
        """Something has come; whatever goes wrong with it, the conversation is over."""
        goes_on = False
        try:
            goes_on = conversation.go_on()
        except BlockingIOError:
            goes_on = True
        except OSError:
            return  # the client has left
        finally:
            if not goes_on:
                self.close(conversation)

    def end_oldest(self) -> None:
        """Make room: whoever has been here longest has had most time to ask."""
        self.close(next(iter(self.conversations)))

    def end_late(self, now: float) -> None:
        """End those whose time is up."""
        for conversation in [one for one in self.conversations if one.until <= now]:
            self.close(conversation)

    def close(self, conversation: Conversation) -> None:
        """Let a client go."""
        del self.conversations[conversation]
        self.selector.unregister(conversation.connection)
        conversation.connection.close()

    def end(self) -> None:
        """Stop answering; the socket itself stays with its owner."""
        self.selector.unregister(self.listener)
        self.listener.close()
        for conversation in list(self.conversations):
            self.close(conversation)


class UnavailableAnswers:
    """The unavailable units."""

    def __init__(
        self,
        listeners: Mapping[str, socket.socket],
        selector: selectors.BaseSelector,
        certificate: str,  # path of the file with the stack's key and certificate
    ) -> None:
        self.certificate = certificate
        self.listeners = listeners
        self.selector = selector
        self.servers: dict[str, UnavailableServer] = {}
        self.final: dict[str, bool] = {}  # by unit: whether it is answered for until asked to start

    def fail(self, name: str, message: str) -> None:
        """Answer for a unit that has failed, from now on."""
        self.answer(name, failed_reply(message), is_final=True)

    def delay(self, name: str, message: str) -> None:
        """Answer for a unit that is late, so that clients come again."""
        self.answer(name, slow_reply(message, retry_after_s=RETRY_AFTER_S), is_final=False)

    def answer(self, name: str, reply: bytes, *, is_final: bool) -> None:
        """Answer on the unit's socket in its place."""
        self.end(name)
        self.servers[name] = UnavailableServer(
            self.listeners[name], reply, self.selector, self.certificate
        )
        self.final[name] = is_final

    def end(self, name: str) -> None:
        """Leave the socket to the unit again."""
        server = self.servers.pop(name, None)
        self.final.pop(name, None)
        if server:
            server.end()

    def end_late(self, now: float) -> None:
        """End the conversations whose time is up."""
        for server in self.servers.values():
            server.end_late(now)

    @property
    def due(self) -> float:
        """When the next conversation's time is up."""
        ends = (one.until for server in self.servers.values() for one in server.conversations)
        return min(ends, default=float("inf"))


def failed_reply(message: str) -> bytes:
    """424: claude shows it after one request, as it is (measured with 2.1.330)."""
    return http_reply("Failed Dependency", AnthropicError(424, message))


def slow_reply(message: str, *, retry_after_s: int) -> bytes:
    """503: claude tries again, not before that time (measured with 2.1.330)."""
    return http_reply("Service Unavailable", AnthropicError(503, message, str(retry_after_s)))


def http_reply(reason: str, error: AnthropicError) -> bytes:
    """A whole HTTP reply in Anthropic's form."""
    headers = b"".join(b"%s: %s\r\n" % pair for pair in error.headers())
    start = f"HTTP/1.1 {error.status} {reason}\r\n".encode()
    return start + headers + b"connection: close\r\n\r\n" + error.body()


def headers_of(head: bytes) -> list[tuple[bytes, bytes]]:
    """The header fields of a request's head, their names in lower case."""
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs]


def content_length(headers: list[tuple[bytes, bytes]]) -> int:
    """The length of a request's body, 0 where no number says so."""
    said = next((value for name, value in headers if name == b"content-length"), b"")
    with contextlib.suppress(ValueError):  # of thousands of digits
        return int(said) if said.isdigit() else 0
    return REQUEST_LIMIT
