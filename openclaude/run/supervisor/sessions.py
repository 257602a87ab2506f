"""Sessions: the launches of a stack, from before they become claude until claude exits.

Knows: pids and start times, how to notice an exit, background sessions that outlive their launch.
Independent of: what a session does.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Iterator
from pathlib import Path

from openclaude.contracts.control import Join, Session
from openclaude.contracts.handover import Handover
from openclaude.run.os.processes import is_alive
from openclaude.run.stack.background import find_background_sessions
from openclaude.run.stack.leftovers import remove_settings
from openclaude.run.supervisor.log import Log
from openclaude.run.supervisor.reconcile import AT_ONCE_S

REMEMBERED = 1000  # launches
POLL_S = 2.0  # where the platform has no pidfd
LOOK_S = 20.0  # between two looks through all processes; a connection is kept for minutes


class Sessions:
    """Those that still run."""

    def __init__(self, selector: selectors.BaseSelector, port: int, folder: Path, log: Log) -> None:
        self.selector = selector
        self.port = port
        self.folder = folder
        self.log = log
        self.watched: dict[Session, int | None] = {}  # the pidfd, where there is one
        self.launches: dict[int, None] = {}  # the pids of all, the oldest first
        self.has_missed_one = False  # that ended before it could be watched, and left its files
        self.looked_at = 0.0  # for those that no launch has told of
        self.left_at = time.monotonic()  # when the last one ended, or the stack began
        self.is_ephemeral = False  # the stack ends with the last one

    def __len__(self) -> int:
        return len(self.watched)

    def __iter__(self) -> Iterator[Session]:
        return iter(self.watched)

    @property
    def poll_s(self) -> float:
        """The maximum sleep of the loop, in seconds."""
        return POLL_S if None in self.watched.values() else float("inf")

    @property
    def processes(self) -> tuple[tuple[int, str], ...]:
        """Pid and start time of each."""
        return tuple((session.pid, session.started) for session in self.watched)

    def take_over(self, handover: Handover) -> None:
        """Watch those that the launcher has told of."""
        self.is_ephemeral = handover.is_ephemeral
        for session in handover.sessions:
            self.add(*session)

    def join(self, question: Join) -> None:
        """Note who uses the stack: whoever does not ask for its end keeps it."""
        self.is_ephemeral = self.is_ephemeral and question.is_ephemeral
        if question.session:
            self.add(*question.session)

    def patience(self, usual: dict[str, float]) -> dict[str, float]:
        """For how long an unused stack stays, seconds."""
        return {**usual, "linger_s": AT_ONCE_S} if self.is_ephemeral else usual

    def add(self, pid: int, started: str) -> None:
        """Watch a session until its process exits: a launch is about to become claude."""
        session = Session(pid=pid, started=started)
        if session in self.watched:
            return
        if is_alive(pid, started):
            self.watched[session] = self.watch(session)
            self.remember(pid)
            self.log(f"session {pid} begins")
        else:
            self.has_missed_one = True

    def remember(self, pid: int) -> None:
        """Know a launch by its pid after its end, for what it may leave behind."""
        self.launches[pid] = None
        if len(self.launches) > REMEMBERED:
            del self.launches[next(iter(self.launches))]

    def add_background(self) -> None:
        """Watch those that no launch has told of."""
        for session in find_background_sessions(self.port, self.launches, self.folder):
            self.add(session.pid, session.started)

    def look_for_users(self, active_at: float, now: float) -> None:
        """Find who asks, if nobody is known: while it is connected it can be told."""
        if not self.watched and active_at > self.looked_at and now >= self.looked_at + LOOK_S:
            self.looked_at = now
            self.add_background()

    def are_left_behind(self) -> bool:
        """Whether there are sessions after all, which no launch has told of."""
        self.add_background()
        return bool(self.watched)

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

    def forget_ended(self) -> None:
        """Forget sessions that have ended, and notice those that they have left behind."""
        gone = [session for session in self.watched if not is_alive(session.pid, session.started)]
        for session in gone:
            descriptor = self.watched.pop(session)
            if descriptor is not None:
                self.selector.unregister(descriptor)
                os.close(descriptor)
            self.log(f"session {session.pid} has ended")
        if gone or self.has_missed_one:
            self.has_missed_one = False
            self.add_background()
            remove_settings(self.folder)
        if gone and not self.watched:
            self.left_at = time.monotonic()
