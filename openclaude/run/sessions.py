"""Sessions: the launches of a stack, from before they become claude until claude ends.

Knows: pids and start times, how to be told of an end. Refuses to know: what a session does.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Iterator
from typing import NamedTuple

from openclaude.run.processes import is_alive

POLL_S = 2.0  # where the platform has no pidfd


class Session(NamedTuple):
    """A process that is claude, or about to become it."""

    pid: int
    started: str


class Sessions:
    """Those that still run."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.selector = selector
        self.watched: dict[Session, int | None] = {}  # the pidfd, where there is one

    def __len__(self) -> int:
        return len(self.watched)

    def __iter__(self) -> Iterator[Session]:
        return iter(self.watched)

    @property
    def poll_s(self) -> float:
        """How long the loop may sleep for their sake, seconds."""
        return POLL_S if None in self.watched.values() else float("inf")

    def add(self, session: Session) -> None:
        """Watch a session until its process ends."""
        if session in self.watched or not is_alive(session.pid, session.started):
            return
        self.watched[session] = self.watch(session)

    def watch(self, session: Session) -> int | None:
        """A descriptor that becomes readable when the process ends (Linux)."""
        if not hasattr(os, "pidfd_open"):
            return None
        try:
            descriptor = os.pidfd_open(session.pid)
        except OSError:  # it ended just now, or the kernel is too old: `ended` finds out
            return None
        self.selector.register(descriptor, selectors.EVENT_READ, lambda: None)
        return descriptor

    def ended(self) -> int:
        """Forget those that have ended; how many there were."""
        gone = [session for session in self.watched if not is_alive(*session)]
        for session in gone:
            descriptor = self.watched.pop(session)
            if descriptor is not None:
                self.selector.unregister(descriptor)
                os.close(descriptor)
        return len(gone)
