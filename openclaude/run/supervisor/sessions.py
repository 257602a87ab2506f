"""Sessions: the launches of a stack, from before they become claude until claude exits.

Knows: pids and start times, how to notice an exit. Independent of: what a session does.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Iterator

from openclaude.contracts.control import Session
from openclaude.run.os.processes import is_alive

POLL_S = 2.0  # where the platform has no pidfd


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
        """The maximum sleep of the loop, in seconds."""
        return POLL_S if None in self.watched.values() else float("inf")

    def add(self, session: Session) -> bool:
        """Watch a session until its process exits; return whether it is new and running."""
        if session in self.watched or not is_alive(session.pid, session.started):
            return False
        self.watched[session] = self.watch(session)
        return True

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

    def ended(self) -> tuple[Session, ...]:
        """Remove sessions that have ended, and return them."""
        gone = [session for session in self.watched if not is_alive(session.pid, session.started)]
        for session in gone:
            descriptor = self.watched.pop(session)
            if descriptor is not None:
                self.selector.unregister(descriptor)
                os.close(descriptor)
        return tuple(gone)
