"""Every system call of `openclaude stop`, and of the supervisor that it ends, fails once.

`tests/process/test_refusals.py` tries the first of some of them in every run.
"""

from __future__ import annotations

import collections
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import need
from tests.process.conftest import compiled, empty_world, method, plan, port, world
from tests.process.test_refusals import (
    MANY,
    REFUSALS,
    STEP,
    Refusal,
    leftovers,
    refusals,
    refuse_a_stop,
    strace,
)
from tests.process.world import World, until

__all__ = ["compiled", "empty_world", "method", "plan", "port", "strace", "world"]
ATTACHED_S = 10.0


def test_whatever_is_refused_to_a_stop_the_next_one_ends_everything(
    world: World, strace: str
) -> None:
    assert world.run("start").status == 0

    for one in refusals(world, strace, "stop"):
        refuse_a_stop(world, strace, one)
    assert not (world.state / "crash.md").exists()


@contextlib.contextmanager
def attached(world: World, strace: str, injection: str) -> Iterator[Path]:
    """Trace the supervisor, whose calls fail as the injection says, until it has ended."""
    log = world.root / "trace of the supervisor"
    pid = world.record()["pid"]
    argv = [strace, "-qq", "-o", str(log), "-e", injection, "-p", str(pid)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE) as tracer:
        until(lambda: is_traced(pid), timeout_s=ATTACHED_S)
        try:
            yield log
        finally:
            deadline = time.monotonic() + ATTACHED_S
            while tracer.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            tracer.kill()


def is_traced(pid: int) -> bool:
    """Tell whether a process has a tracer."""
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


def refusals_to_a_supervisor(world: World, strace: str) -> list[Refusal]:
    """What can be refused to a supervisor that is stopped."""
    with attached(world, strace, "trace=all") as log:
        assert world.run("stop").status == 0
    seen: collections.Counter[str] = collections.Counter()
    found = []
    for line in log.read_text(errors="replace").splitlines():
        call = line.partition("(")[0]
        seen[call] += 1
        errors = REFUSALS.get(call) or (MANY.get(call, ()) if seen[call] % STEP == 0 else ())
        if errors:
            found.append(Refusal(call, seen[call], errors[seen[call] % len(errors)]))
    assert len({one.call for one in found}) > 5
    return found


def test_whatever_is_refused_to_a_supervisor_that_ends_nothing_of_it_stays(
    world: World, strace: str
) -> None:
    need(os.geteuid() == 0, "root: a supervisor lets nobody else trace it")
    assert world.run("start", "--wait").status == 0
    for one in refusals_to_a_supervisor(world, strace):
        world.run("start", "--wait")
        supervisor_log = world.folder() / "supervisor.log"
        supervisor_log.write_text("")
        with attached(world, strace, one.injection):
            done = world.run("stop")

        assert "has a bug" not in done.err, (one, done)
        assert "which is a bug" not in supervisor_log.read_text(), (one, supervisor_log.read_text())
        world.run("stop")
        until(lambda: not world.processes())
        assert leftovers(world) == [], one
    assert not (world.state / "crash.md").exists()
