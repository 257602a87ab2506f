"""The supervisor's log: time stamp, action or event, cause.

Knows: lines, how long the file may become; faults of our own, which are said there and survived.
Independent of: the events. The file is also the process's standard error, so Python's own messages
are in it.
"""

from __future__ import annotations

import errno
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from openclaude.run.os.log_line import stamp

LOG_LIMIT = 1024 * 1024  # bytes; then it becomes supervisor.log.1
STANDARD = (1, 2)
APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
FIRST_PAUSE_S = 0.05  # after a round with a fault
LONGEST_PAUSE_S = 1.0
KINDS = 100  # of distinct faults
# errors of the system that only a fault of ours leads to
OURS = (errno.EBADF, errno.EFAULT, errno.EINVAL, errno.ENOTSOCK)

Log = Callable[[str], None]


class LoggedFault(str):
    """What a log is told where something has failed; everything else is of level INFO."""

    __slots__ = ()


Value = TypeVar("Value")


class SupervisorLog:
    """The log in a file, which standard output and error go to."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self.now = now

    def __call__(self, text: str) -> None:
        """One entry."""
        self.put_aside()
        try:
            level = "ERROR" if isinstance(text, LoggedFault) else "INFO"
            os.write(2, f"{stamp(self.now())} {level} {text}\n".encode("utf-8", "replace"))
        except OSError:
            return  # a full disk must not end the stack, and there is nowhere left to say so

    def put_aside(self) -> None:
        """Rotate the file when it is too long."""
        try:
            found = os.fstat(2)
            if found.st_size < LOG_LIMIT or not os.path.samestat(found, self.path.stat()):
                return
            self.path.replace(self.path.with_suffix(".log.1"))
        except OSError:
            return  # as above: the old file goes on
        self.reopen()

    def reopen(self) -> None:
        """Go on in the file of that name: the one before was put aside, or removed."""
        try:
            descriptor = os.open(self.path, APPENDING, 0o600)
        except OSError:
            return
        for standard in STANDARD:
            os.dup2(descriptor, standard)
        os.close(descriptor)


class Faults:
    """What has gone wrong in the rounds of the supervisor's loop.

    Its end costs more than any fault of its own: whoever binds its port next receives the plan's
    login by a claude that is still open.
    """

    def __init__(self, log: Log) -> None:
        self.log = log
        self.counts: Counter[str] = Counter()
        self.in_a_row = 0  # rounds with a fault
        self.is_faulty = False  # this round

    def survive(self, what: str, work: Callable[[], Value]) -> Value | None:
        """What the work gives, or None where it failed; `what` says in the log what it was."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - a bug must not end a stack that is in use
            self.is_faulty = True
            self.tell(what, error)
            return None

    def tell(self, what: str, error: Exception) -> None:
        """Log a fault: whole the first time, then in a line at every power of two."""
        kind = f"{what}: {type(error).__name__}"
        if len(self.counts) >= KINDS:
            self.counts.clear()
        self.counts[kind] += 1
        count = self.counts[kind]
        if count == 1:
            # the innermost calls: a recursion has a thousand
            trace = "".join(traceback.format_exception(error, limit=-20))
            because = refused_by(error) or "which is a bug"
            self.log(LoggedFault(f"{what} failed, {because}; the stack goes on:\n{trace}"))
        elif count & (count - 1) == 0:
            self.log(LoggedFault(f"{what} failed {count} times: {error!r}"))

    def end_round(self) -> float:
        """How long to rest before the next round, seconds: a fault may come again at once."""
        self.in_a_row = self.in_a_row + 1 if self.is_faulty else 0
        self.is_faulty = False
        if not self.in_a_row:
            return 0.0
        return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * self.in_a_row)


def refused_by(error: Exception) -> str:
    """What the system has refused, where that is all: a full disk, a limit of open files."""
    if isinstance(error, OSError) and error.errno not in {None, *OURS}:
        return f"as the system refused it ({error.strerror})"
    return ""
