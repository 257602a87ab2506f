"""The process of a unit: its pipes, its messages, how it is stopped.

Knows: one process. Independent of: which unit's it is, why it runs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import NamedTuple

from openclaude.contracts.decode import Malformed
from openclaude.contracts.worker import (
    DRAIN,
    UnitFatal,
    UnitLacksPort,
    UnitSize,
    UnitWarning,
    read_unit_line,
)
from openclaude.run.os.processes import start_time
from openclaude.run.supervisor.forkserver_process import ForkserverProcess

LONGEST_LINE = 65536  # bytes of a report that may wait for their end


class Pipes(NamedTuple):
    """Both ends of the two pipes of a unit."""

    report_read: int
    report_write: int
    lifeline_read: int
    lifeline_write: int

    @property
    def given(self) -> tuple[int, int]:
        """The ends that the unit gets."""
        return self.report_write, self.lifeline_read

    def close(self, descriptors: tuple[int, ...]) -> None:
        """Close some of the ends."""
        for descriptor in descriptors:
            os.close(descriptor)


def make_pipes() -> Pipes:
    """A unit's report and lifeline. Raises OSError."""
    pipes = Pipes(*os.pipe(), *os.pipe())
    os.set_blocking(pipes.report_read, False)
    return pipes


class UnitProcess:
    """A running unit, forked or spawned."""

    def __init__(
        self,
        pid: int,
        pipes: Pipes,
        *,
        popen: subprocess.Popen[bytes] | None = None,
        parent: ForkserverProcess | None = None,
    ) -> None:
        self.pid = pid
        self.started = start_time(pid)  # None: it has ended already
        self.report = pipes.report_read  # end of file when the process is gone
        self.lifeline = pipes.lifeline_write  # held open for as long as the unit may live
        self.popen = popen
        self.parent = parent  # the process that knows how it ended, if it is not our child
        self.in_flight = 0  # requests, as it last said
        self.served = 0
        self.fatal_error = ""  # why it cannot start before the user fixes something
        self.pss_bytes = 0  # as it last said; 0 where it has not yet
        self.warning = ""  # why it serves worse than it should
        self.lacks: UnitLacksPort | None = None  # a further port that another has
        self.has_spoken = False  # it is ready
        self.rest = b""  # of a line whose end has not come yet

    def read_report(self) -> bool:
        """Read the unit's messages; False if it has exited. Raises Malformed."""
        try:
            part = os.read(self.report, 65536)
        except BlockingIOError:
            return True
        *lines, self.rest = (self.rest + part).split(b"\n")
        if len(self.rest) > LONGEST_LINE:
            self.rest = b""
            raise Malformed("report of a unit: a line is too long")
        for line in lines:
            self.take_in(line)
        return bool(part)

    def take_in(self, line: bytes) -> None:
        """One line of the report. Raises Malformed."""
        message = read_unit_line(line)
        match message:
            case UnitFatal(sentence=sentence):
                self.fatal_error = sentence
            case UnitWarning(sentence=sentence):
                self.warning = sentence
            case UnitLacksPort():
                self.lacks = message
            case UnitSize(pss_bytes=pss_bytes):
                self.pss_bytes = pss_bytes
            case _:
                self.has_spoken = True
                self.in_flight, self.served = message.in_flight, message.served

    def tell_to_drain(self) -> None:
        """The instance stops accepting, and ends when its streams have ended by themselves."""
        if not self.has_spoken:  # it has no stream, and does not listen yet
            return self.tell_to_end()
        with contextlib.suppress(BrokenPipeError):  # it has ended
            os.write(self.lifeline, DRAIN)
        return None

    def tell_to_end(self) -> None:
        """SIGTERM: the instance stops accepting and gives its streams their grace."""
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the unit and to everything it started."""
        self.kill_group()  # first: once it is dead, its group is harder to tell
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this very process, if it still runs."""
        if self.started is not None and start_time(self.pid) == self.started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill_group(self) -> None:
        """SIGKILL to what the unit started, also when it has just ended itself.

        Its id names no other group: it was in use a moment ago, and stays so while a member lives.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> int | None:
        """Close our ends of its pipes, once it has ended; its exit code where it is our child."""
        os.close(self.report)
        os.close(self.lifeline)
        return self.popen.wait() if self.popen else None
