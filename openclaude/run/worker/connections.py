"""An instance's connections: how much of a request comes before its key.

Knows: uvicorn's protocol class. Independent of: keys, routes; whether a
request has shown the key is told by a call of its scope's `ADMIT`.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from openclaude.contracts.worker import ADMIT

FIELDS = 200  # of a head; claude sends 25
HEAD_BYTES = 128 * 1024  # of its URL and fields
HEAD_TIMEOUT_S = 30.0  # from a connection's or a head's first sign to the head's end
UNPROVEN = 1000  # connections that have not shown the key; a sleeping stack's backlog is 512
DESCRIPTORS = 16 * 1024
REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class HeadTooLarge(Exception):
    """A head over the limits."""


class InstanceConnection(HttpToolsProtocol):
    """A connection that has come through the door."""

    unproven: ClassVar[dict[InstanceConnection, None]] = {}  # the oldest first

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.head_bytes = 0  # read since the head that is not whole yet began
        self.field_bytes = 0
        self.is_in_head = True
        self.timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it among those without a key."""
        if len(self.unproven) >= UNPROVEN:
            next(iter(self.unproven)).cut()
        self.unproven[self] = None
        super().connection_made(transport)
        self.wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.unproven.pop(self, None)
        self.end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, within limits."""
        was_in_head = self.is_in_head
        super().data_received(data)
        if self.is_in_head and self.parser is not None:
            self.head_bytes += len(data) if was_in_head else 0
            if self.head_bytes > HEAD_BYTES:  # of one field, or one URL, that has no end
                self.send_400_response("")
            elif self.timeout is None:
                self.wait_for_head()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not a request, or one with too large a head."""
        if self.field_bytes > HEAD_BYTES or self.head_bytes > HEAD_BYTES:
            self.transport.write(REFUSAL)
            self.transport.close()
        else:
            super().send_400_response(msg)

    # -- the parser's callbacks ----------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A further request begins."""
        super().on_message_begin()
        self.is_in_head = True
        self.head_bytes = self.field_bytes = 0

    def on_url(self, url: bytes) -> None:
        """A part of the URL. Raises HeadTooLarge."""
        self.count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole field. Raises HeadTooLarge."""
        self.count(len(name) + len(value))
        if len(self.headers) >= FIELDS:
            self.count(HEAD_BYTES)
        super().on_header(name, value)

    def count(self, length: int) -> None:
        """Raise HeadTooLarge when that many bytes more are too many."""
        self.field_bytes += length
        if self.field_bytes > HEAD_BYTES:
            raise HeadTooLarge

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.is_in_head = False
        self.head_bytes = 0
        self.end_wait()
        self.scope[ADMIT] = self.prove  # type: ignore[literal-required]
        super().on_headers_complete()

    def prove(self) -> None:
        """A request on it has shown the key."""
        self.unproven.pop(self, None)

    # -- time ----------------------------------------------------------------------------------

    def wait_for_head(self) -> None:
        """Cut the connection unless its next head is whole in time."""
        self.timeout = self.loop.call_later(HEAD_TIMEOUT_S, self.cut)

    def end_wait(self) -> None:
        """The head has come, or never will."""
        if self.timeout is not None:
            self.timeout.cancel()
            self.timeout = None

    def cut(self) -> None:
        """Let the connection go at once."""
        self.unproven.pop(self, None)
        self.transport.abort()


def allow_connections() -> None:
    """Take more descriptors than a login shell's 1,024, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
