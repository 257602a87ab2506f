"""What a search engine has answered to one search, and how much of it may be read.

Knows: status, bytes. Independent of: LiteLLM, which makes one sentence of every failure; engines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar


class Watch:
    """The last answer in a context."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.is_too_large = False
        self.status = 0  # before any answer
        self.body = b""


WATCHED: ContextVar[Watch | None] = ContextVar("openclaude_watch", default=None)


@contextlib.contextmanager
def watching(most_bytes: int) -> Iterator[Watch]:
    """Note every answer in this context, and in tasks that are started in it."""
    watch = Watch(most_bytes)
    before = WATCHED.set(watch)
    try:
        yield watch
    finally:
        WATCHED.reset(before)
