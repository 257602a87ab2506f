"""A program that was replaced under a running stack: the new one takes the stack over.

Knows: when to look, which command takes over. Independent of: units, sockets, what has changed.

The supervisor has its code in memory, but what it starts is read from disk. An instance of another
version may not understand its supervisor, so before one is started the new program is asked to
take the stack over, as its next launch would. The old one then only lets its streams end.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from openclaude.run.os.own_code import Stamp, stamp_all, stamp_first
from openclaude.run.os.processes import python_environment

PATIENCE_S = 60.0  # for the new program to take over; it compiles the profile anew
LOOK_AGAIN_S = 0.2
REPLACED = " (replaced since)"  # behind the version that runs


class Succession:
    """Whether there is a successor, and how far it is."""

    def __init__(self, profile: str, log: Callable[[str], None]) -> None:
        self.profile = profile
        self.log = log
        self.ours, self.our_first = stamp_all(), stamp_first()
        self.is_noticed = False
        self.failed: Stamp | None = None  # the program that could not take over
        self.process: subprocess.Popen[bytes] | None = None
        self.until = 0.0

    def notice(self) -> bool:
        """Whether the program was replaced, as far as a single file tells."""
        self.is_noticed = self.is_noticed or stamp_first() != self.our_first
        return self.is_noticed

    def is_under_way(self, inherited: Mapping[str, str]) -> bool:
        """Whether to wait for the new program instead of starting anything; begins it if needed.

        `inherited` is what the new program needs of the user's environment.
        """
        if self.process is not None:
            return self.goes_on(self.process)
        found = stamp_all()
        if found in {self.ours, self.failed}:
            return False
        self.is_noticed = True
        self.log("openclaude was replaced on disk: the new one is to take over")
        try:
            self.process = subprocess.Popen(
                (sys.executable, "-P", "-m", "openclaude", "start", "--profile", self.profile),
                env={"LANG": "C.UTF-8", **inherited, **python_environment()},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # what goes wrong comes into our log
                start_new_session=True,
            )
        except OSError as error:
            self.give_up(found, str(error))
            return False
        self.until = time.monotonic() + PATIENCE_S
        return True

    def goes_on(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it may still take over; once it has, nobody asks any more."""
        code = process.poll()
        if code is None and time.monotonic() < self.until:
            return True
        if code is None:
            process.kill()
            process.wait()
        self.process = None
        self.give_up(stamp_all(), "it took too long" if code is None else f"exit status {code}")
        return False

    def try_again(self) -> None:
        """Try again: what was wrong with the new program may have been fixed."""
        self.failed = None

    def reap(self) -> None:
        """Leave no zombie behind when it has ended."""
        if self.process is not None:
            self.process.poll()

    def give_up(self, found: Stamp, why: str) -> None:
        """Go on with what is there."""
        self.failed = found
        self.log(f"the new openclaude has not taken over ({why}): go on without it")
