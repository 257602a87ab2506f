"""A light client: one connection kept open, and when of a reply the first and the last byte came.

Knows: as much of HTTP/1.1 as a streamed reply needs. Refuses to know: who answers. It does so
little itself that what it measures is the other side; what is left is measured too, at the
upstream without anybody between, and taken off.
"""

from __future__ import annotations

import socket
import time
from typing import NamedTuple

TIMEOUT_S = 120.0
PIECE = 1 << 18
TARGET = "/v1/messages?beta=true"
# what claude 2.1.330 sends beside its credential
HEADERS = (
    ("accept", "application/json"),
    ("anthropic-beta", "oauth-2025-04-20,interleaved-thinking-2025-05-14"),
    ("anthropic-dangerous-direct-browser-access", "true"),
    ("anthropic-version", "2023-06-01"),
    ("content-type", "application/json"),
    ("user-agent", "claude-cli/2.1.330 (external, cli)"),
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
    """Who is asked, and for what."""

    port: int
    credentials: tuple[tuple[str, str], ...]
    model: str


class Timed(NamedTuple):
    """One request: seconds from its first byte sent to its answer's first and last byte."""

    first_s: float
    total_s: float


class NoAnswer(RuntimeError):
    """A reply that is none, so its time means nothing."""


def head_of(target: Target, length: int) -> bytes:
    """The request's head."""
    headers = (("host", f"127.0.0.1:{target.port}"), *HEADERS, *target.credentials)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"POST {TARGET} HTTP/1.1\r\n{lines}content-length: {length}\r\n\r\n".encode()


class Reply:
    """What has come of a reply."""

    def __init__(self) -> None:
        self.taken = bytearray()
        self.head_end = 0
        self.length: int | None = None  # None: in chunks
        self.first_at = 0.0  # when the first byte after the head came

    def feed(self, piece: bytes, now: float) -> bool:
        """Take in what came; whether the reply is whole. Raises NoAnswer."""
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

    def count_events(self) -> int:
        """How many pieces of the answer came."""
        return self.taken.count(b"event: content_block_delta")


class Client:
    """One connection, and its requests one after the other."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.socket = socket.create_connection(("127.0.0.1", target.port), TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, body: bytes, events: int) -> Timed:
        """Send one request, read its reply. Raises NoAnswer unless it has so many pieces."""
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
        if reply.count_events() != events:
            raise NoAnswer(f"{reply.count_events()} pieces of {events}: {reply.taken[-2000:]!r}")
        return Timed(reply.first_at - began, ended - began)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
