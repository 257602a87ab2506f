"""Run parts of the tests, the halves of a stage in parallel, and report the progress.

Knows: the order of things, the clock, the terminal. Usage: see build/test.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from job import NO_TESTS, Job
from parts import PARTS, Stage, UnknownPart, split
from texts import clock, plan, state, summary, table

FOLDER = Path(".work/test", Path(sys.prefix).name)
TOOK = FOLDER / "took.json"  # how long each of the requested things took the last time
LOOK_S = 0.2
TELL_S = 30.0
PATIENCE_S = 60.0  # for tests that are interrupted: their stacks must be stopped


class Ended(KeyboardInterrupt):
    """build/test is being ended, but not by Ctrl-C."""


def end(_signal: int, _frame: FrameType | None) -> None:
    """Raise Ended: a CI that ends us, or a closed terminal, must leave no stack behind."""
    raise Ended


class Run:
    """Everything that was requested."""

    def __init__(self, stages: tuple[Stage, ...], options: list[str], folder: Path) -> None:
        self.stages = stages
        self.options = options
        self.folder = folder  # for the parts' progress
        self.jobs: list[Job] = []
        self.began = self.told_at = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.began

    def run(self) -> int:
        """Run it, print the result; return the exit status."""
        interrupted = False
        try:
            for stage in self.stages:
                self.run_stage(stage)
                if not all(job.passed for job in self.jobs) and stage != self.stages[-1]:
                    break
        except KeyboardInterrupt as error:
            interrupted = True
            self.tell("interrupted: ending the tests; again ends them at once")
            for job in self.jobs:
                job.stop(PATIENCE_S, by_keyboard=not isinstance(error, Ended))
        self.show()
        statuses = {job.status or 0 for job in self.jobs}
        if statuses == {NO_TESTS}:
            return NO_TESTS
        return 130 if interrupted else int(bool(statuses - {0, NO_TESTS}))

    def run_stage(self, stage: Stage) -> None:
        """Run all halves, each to its end."""
        halves = [list(half) for half in stage]
        running: list[Job | None] = [None for _ in halves]
        while any(halves) or any(job and job.status is None for job in running):
            for at, half in enumerate(halves):
                job = running[at]
                if half and (job is None or job.status is not None):
                    job = running[at] = self.begin(half.pop(0), to_log=len(stage) > 1)
                if job and job.status is None:
                    self.follow(job)
            if time.monotonic() - self.told_at >= TELL_S and len(stage) > 1:
                self.tell(" | ".join(state(job) for job in running if job and job.status is None))
            time.sleep(LOOK_S)

    def begin(self, name: str, *, to_log: bool) -> Job:
        """Start the next part of a half."""
        log = FOLDER / f"{name}.log" if to_log else None
        job = Job(PARTS[name], self.options, progress=self.folder / name, log=log)
        self.jobs.append(job)
        return job

    def follow(self, job: Job) -> None:
        """Check one part; print failures, and that it ended."""
        failures = job.step()
        if not job.log:
            return
        for name in failures:
            self.tell(f"FAILED {name}")
        if job.status is not None:
            self.tell(f"{job.part.name} ended after {clock(job.seconds)}")

    def tell(self, what: str) -> None:
        """Print a line that begins with the time."""
        self.told_at = time.monotonic()
        say(f"{clock(self.seconds):>6}  {what}")

    def show(self) -> None:
        """Print the output of parts that were not displayed, then the table."""
        for job in self.jobs:
            if job.log:
                say(summary(job))
        if len(self.jobs) > 1 or any(job.unsteady for job in self.jobs):
            say(f"\n{table(self.jobs, self.seconds)}")


def say(text: str) -> None:
    """Print it, now."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run what the arguments name; return the exit status."""
    try:
        stages, options = split(sys.argv[1:])
    except UnknownPart as error:
        sys.stderr.write(f"build/test: {error}\n")
        return 2
    for one in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, end)
    # in a shell's background both are ignored, and the tests would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    FOLDER.mkdir(parents=True, exist_ok=True)
    took = json.loads(TOOK.read_text()) if TOOK.exists() else {}
    name = " ".join(sys.argv[1:]) or "all"
    say(plan(stages, took.get(name, 0.0), FOLDER))
    with tempfile.TemporaryDirectory(prefix="openclaude-test-") as folder:
        run = Run(stages, options, Path(folder))
        status = run.run()
    if status == 0:
        TOOK.write_text(json.dumps({**took, name: round(run.seconds)}, indent=1))
    return status


if __name__ == "__main__":
    sys.exit(main())
