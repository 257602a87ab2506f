"""A running part: its processes, one after the other, and its progress.

Knows: how a command is started, isolated and ended. Independent of: which parts there are.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

from parts import Part

BIN = Path(sys.executable).parent
INSIDE = 'ip link set lo up && exec "$@"'
FAILED = 1  # pytest's exit status if tests failed
NO_TESTS = 5  # and if no test was selected
AGAIN = 5  # more failures than this are not bad luck, and none of them is run again
WORSE = ("failed", "error", "blocked")  # `blocked`: its module's fixture had failed before


@cache
def isolation() -> tuple[str, ...]:
    """Return the command prefix for a loopback-only network, if this machine supports it."""
    for options in ("-n", "-rn"):
        if subprocess.run(("unshare", options, "true"), capture_output=True).returncode == 0:
            return ("unshare", options, "--", "bash", "-c", INSIDE, "isolated")
    return ()


def command_lines(part: Part, options: Sequence[str], progress: Path) -> list[tuple[str, ...]]:
    """Return the commands of a part. Tests given by name replace the part's folder."""
    lines = [(locate(program), *rest) for program, *rest in part.commands]
    if part.tests:
        folder, *selection = part.tests
        where = [] if any(option.startswith("tests/") for option in options) else [folder]
        pytest = (str(BIN / "python"), "-m", "pytest", *where, *selection)
        lines.append((*pytest, "--progress", str(progress), *options))
    return [isolated(part, line) for line in lines]


def isolated(part: Part, line: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command of a part with what isolates it."""
    return (*isolation(), *line) if part.isolated else line


def locate(program: str) -> str:
    """Return the path of a script of ours, or of a program of the virtual environment."""
    return program if "/" in program else str(BIN / program)


def environment(part: Part) -> dict[str, str]:
    """Return the environment of a part's processes."""
    isolated = {"OPENCLAUDE_TESTS_ISOLATED": "1"} if part.isolated and isolation() else {}
    prepared = {"OPENCLAUDE_SETUP_DONE": "1"} if part.commands else {}
    return {**os.environ, **isolated, **prepared, **dict(part.variables)}


class Job:
    """A part while it runs, and its result."""

    def __init__(
        self, part: Part, options: Sequence[str], *, progress: Path, log: Path | None
    ) -> None:
        self.part = part
        self.progress = progress
        self.waiting = command_lines(part, options, progress)
        if log:
            log.unlink(missing_ok=True)  # another build/test may still write that one
        self.log: IO[bytes] | None = log.open("w+b") if log else None
        self.process: subprocess.Popen[bytes] | None = None
        self.began = self.ended = time.monotonic()
        self.status: int | None = None  # how it ended, once it has
        self.interrupted = False
        self.printed: list[str] = []  # the content of its log, once it has ended
        self.read = 0  # bytes of the progress file
        self.total = 0
        self.counts: Counter[str] = Counter()
        self.bad: dict[str, str] = {}  # what did not pass, and whether it failed or was blocked
        self.first: dict[str, str] | None = None  # the same of the first run, if there is a second
        self.doing = ""

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (time.monotonic() if self.status is None else self.ended) - self.began

    @property
    def failures(self) -> list[str]:
        """The tests that failed, and did so again if they were run again."""
        return [name for name, kind in self.bad.items() if kind != "blocked"]

    @property
    def unsteady(self) -> list[str]:
        """The tests that failed, and passed when they were run again."""
        return [
            name
            for name, kind in (self.first or {}).items()
            if kind != "blocked" and name not in self.bad
        ]

    @property
    def passed(self) -> bool:
        """Whether all is well; that no test was selected is judged for all parts together."""
        return self.status in (0, NO_TESTS) and not self.interrupted

    def step(self) -> list[str]:
        """Start what is next, read the progress, and return the tests that failed since."""
        told = self.look()
        if self.status is not None or (self.process and self.process.poll() is None):
            return told
        if self.process and self.process.returncode != 0:
            told += self.look()
            if self.process.returncode != FAILED or not self.run_again():
                self.end(self.process.returncode)
                return told
        elif not self.waiting:
            self.end(self.process.returncode if self.process else 0)
            return told + self.look()
        self.process = subprocess.Popen(
            self.waiting.pop(0),
            env=environment(self.part),
            stdin=subprocess.DEVNULL if self.log else None,
            stdout=self.log,
            stderr=subprocess.STDOUT if self.log else None,
            start_new_session=self.log is not None,  # otherwise Ctrl-C would also be sent to it
        )
        return told

    def run_again(self) -> bool:
        """Arrange that the tests that failed run once more, if they may; return whether they do."""
        if self.first is not None or not self.part.again or not 0 < len(self.failures) <= AGAIN:
            return False
        self.first, self.bad = self.bad, {}
        for kind in WORSE:
            del self.counts[kind]
        self.progress.unlink()
        self.read = 0
        pytest = (str(BIN / "python"), "-m", "pytest", "--progress", str(self.progress))
        self.waiting.append(isolated(self.part, (*pytest, *self.first)))
        return True

    def look(self) -> list[str]:
        """Read the progress that the tests have written."""
        if not self.progress.exists():
            return []
        with self.progress.open("rb") as file:
            file.seek(self.read)
            new = file.read()
        new = new[: new.rfind(b"\n") + 1]
        self.read += len(new)
        failures = []
        for line in new.decode(errors="replace").splitlines():
            kind, _, what = line.partition("\t")
            if kind == "total":
                self.total = self.total or int(what)
            elif kind == "start":
                self.doing = what
            else:
                self.counts[kind] += 1
            if kind in WORSE:
                self.bad[what] = kind
            if kind in ("failed", "error"):
                failures.append(what)
        return failures

    def end(self, status: int) -> None:
        """It has ended."""
        self.status = status
        self.counts["unsteady"] = len(self.unsteady)
        self.ended = time.monotonic()
        if self.log:
            self.log.seek(0)
            self.printed = self.log.read().decode(errors="replace").splitlines()
            self.log.close()

    def stop(self, patience_s: float, *, by_keyboard: bool) -> None:
        """Interrupt it as Ctrl-C does, so that the tests clean up; then kill it."""
        if self.status is not None:
            return
        self.interrupted = True
        if self.process and self.process.poll() is None:
            if self.log or not by_keyboard:  # otherwise it has got the signal already
                self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(patience_s)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                self.process.kill()
                self.process.wait()
        self.look()
        self.end(self.process.returncode if self.process else 0)
