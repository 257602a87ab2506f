"""Ctrl-C at any moment of a launch: it ends, says nothing of Python's, and breaks nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest

from tests.conftest import variant
from tests.process.world import World

MOMENTS = 40
# What a person would see of Python's. Before it has found our first module, which takes 10 ms, a
# Python program can do nothing about it.
PYTHONIC = re.compile(r"(?s)Traceback.*/openclaude/\w+|Exception ignored")
OURS = re.compile(r"^error: ", re.MULTILINE)
PATIENCE_S = 30.0


def interrupted(world: World, delay_s: float) -> tuple[int, str]:
    """Exit status and screen of a launch at a terminal whose user presses Ctrl-C after a while."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [world.program],
        env=world.env,
        cwd=world.home,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(theirs)
    try:
        time.sleep(delay_s)
        os.write(ours, b"\x03")
        status = process.wait(PATIENCE_S)
        return status, screen(ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def screen(terminal: int) -> str:
    """Return what was written to a terminal, once it is closed."""
    shown = b""
    with contextlib.suppress(OSError):  # EIO: the last program has closed it
        while select.select([terminal], [], [], 0.2)[0] and (part := os.read(terminal, 65536)):
            shown += part
    return shown.decode(errors="replace")


def make_cold(world: World, *, with_plan: bool) -> None:
    """Let the next launch start a stack, and compile its plan, too."""
    world.run("stop", "--all")
    for path in () if with_plan else (world.cache / "plans").iterdir():
        path.unlink()


@pytest.mark.parametrize("with_plan", [variant(True), False], ids=["stack", "plan"])
def test_ctrl_c_at_any_moment_of_a_launch_shows_nothing_of_pythons(
    world: World, with_plan: bool
) -> None:
    make_cold(world, with_plan=with_plan)
    began = time.monotonic()
    assert world.run("-p").status == 0
    whole_s = time.monotonic() - began
    world.executable("claude", "#!/bin/sh\nexec sleep 120\n")  # Python's would say that it is
    shown, ends = {}, {}

    for moment in range(MOMENTS):
        make_cold(world, with_plan=with_plan)
        delay_s = whole_s * moment / MOMENTS
        status, text = interrupted(world, delay_s)
        if status != 1 or OURS.search(text):  # 1: Python's own start
            ends[status] = text
        if PYTHONIC.search(text):
            shown[delay_s] = text

    assert not shown, "\n".join(f"{at:.3f} {text}" for at, text in shown.items())
    # openclaude's end, and claude's
    assert {at: text for at, text in ends.items() if at not in {130, -signal.SIGINT}} == {}
    world.executable("claude", "#!/bin/sh\nexit 7\n")
    assert world.run("-p").status == 7
