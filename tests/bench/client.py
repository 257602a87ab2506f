"""A light client: one connection that stays open, and the times of a reply's first and last byte.

Knows: as much of HTTP/1.1 as a streamed reply needs. Independent of: who answers. It does so little
itself that it measures the other side; the rest is measured too, directly at the upstream, and
subtracted.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import NamedTuple

from tests.pinned import CLAUDE_VERSION

TIMEOUT_S = 120.0
PIECE = 1 << 18
WORDS = (b"word ", b"and ")  # an upstream's answer: it runs apart from this package
TARGET = "/v1/messages?beta=true"
# what claude sends beside its credential
HEADERS = (
    ("accept", "application/json"),
    ("anthropic-beta", "oauth-2025-04-20,interleaved-thinking-2025-05-14"),
    ("anthropic-dangerous-direct-browser-access", "true"),
    ("anthropic-version", "2023-06-01"),
    ("content-type", "application/json"),
    ("user-agent", f"claude-cli/{CLAUDE_VERSION} (external, cli)"),
    ("x-app", "cli"),
    ("x-stainless-arch", "x64"),
    ("x-stainless-lang", "js"),
    ("x-stainless-os", "Linux"),
    ("x-stainless-retry-count", "0"),
    ("x-stainless-runtime", "node"),
    ("x-stainless-timeout", "600"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
)


class Target(NamedTuple):
    """The server and the request to time."""

    port: int
    credentials: tuple[tuple[str, str], ...]
    model: str
    certificate: str = ""  # path of the server's certificate, for TLS

    def context(self) -> ssl.SSLContext | None:
        """Return the TLS context of a connection, made as claude makes one."""
        return ssl.create_default_context(cafile=self.certificate) if self.certificate else None


class Timed(NamedTuple):
    """One request: seconds from its first byte sent to the first and last byte of its answer."""

    first_s: float
    total_s: float


class NoAnswer(RuntimeError):
    """The reply is not a valid answer, so its time means nothing."""


def head_of(target: Target, length: int) -> bytes:
    """The request's head."""
    headers = (("host", f"127.0.0.1:{target.port}"), *HEADERS, *target.credentials)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"POST {TARGET} HTTP/1.1\r\n{lines}content-length: {length}\r\n\r\n".encode()


class Reply:
    """The part of a reply that has arrived."""

    def __init__(self) -> None:
        self.taken = bytearray()
        self.head_end = 0
        self.length: int | None = None  # None: chunked
        self.first_at = 0.0  # when the first byte after the head came

    def feed(self, piece: bytes, now: float) -> bool:
        """Add what arrived; return whether the reply is complete. Raises NoAnswer."""
        self.taken += piece
        if not self.head_end and not self._read_head():
            return False
        if not self.first_at and len(self.taken) > self.head_end:
            self.first_at = now
        if self.length is None:
            return self.taken.endswith(b"\r\n0\r\n\r\n")
        return len(self.taken) - self.head_end >= self.length

    def _read_head(self) -> bool:
        end = self.taken.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self.taken[:end]).lower()
        if not head.startswith(b"http/1.1 200") or b"content-encoding" in head:
            raise NoAnswer(bytes(self.taken[:2000]))
        self.head_end = end + 4
        _, found, after = head.partition(b"\r\ncontent-length:")
        self.length = int(after.partition(b"\r\n")[0]) if found else None
        return True

    def count_words(self) -> int:
        """Return the number of words of the answer; several may have come in one piece."""
        return sum(self.taken.count(word) for word in WORDS)


class Client:
    """One connection, and its requests one after the other."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.socket = socket.create_connection(("127.0.0.1", target.port), TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context := target.context():
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")

    def ask(self, body: bytes, events: int) -> Timed:
        """Send one request, read its reply. Raises NoAnswer unless it has this many words."""
        request = head_of(self.target, len(body)) + body
        reply = Reply()
        began = time.perf_counter()
        self.socket.sendall(request)
        is_whole = False
        while not is_whole:
            piece = self.socket.recv(PIECE)
            if not piece:
                raise NoAnswer(f"cut off after {bytes(reply.taken[-2000:])!r}")
            is_whole = reply.feed(piece, time.perf_counter())
        ended = time.perf_counter()
        if reply.count_words() != events:
            raise NoAnswer(f"{reply.count_words()} words of {events}: {reply.taken[-2000:]!r}")
        return Timed(reply.first_at - began, ended - began)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
