"""The status that a provider answered with, tracked for the duration of one request.

Knows: the status of the last reply. Independent of: LiteLLM, which has classes for some statuses
only and reports a different one for the rest (measured with 1.108.14: in Anthropic's API a 413
becomes a 400 and a 529 a 500; in Gemini's a 502 becomes a 500).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar


class UpstreamStatus:
    """The status of the last reply; 0 before the first."""

    def __init__(self) -> None:
        self.last = 0


ASKED: ContextVar[UpstreamStatus | None] = ContextVar("openclaude_upstream_status", default=None)


@contextlib.contextmanager
def noting_status() -> Iterator[UpstreamStatus]:
    """Record the status of every reply in this context, and in tasks that are started in it."""
    noted = UpstreamStatus()
    before = ASKED.set(noted)
    try:
        yield noted
    finally:
        ASKED.reset(before)


def note_status(status: int) -> None:
    """Record the status of a provider's reply, if a request is tracking it."""
    noted = ASKED.get()
    if noted is not None:
        noted.last = status
