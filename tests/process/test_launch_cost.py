"""What a warm launch costs before claude starts, in counts that no other process changes.

`build/bench` measures the time, on a quiet machine; here a regression is seen at once.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import need
from tests.process.world import World

# claude's start is where the count ends
LAUNCH = (
    "import os, sys\n"
    "os.execv = os.execve = lambda *_: os._exit(86)\n"
    "sys.argv = ['openclaude', '--profile', 'qwen', '-p', 'hi']\n"
    "from openclaude.cli import main\n"
    "main()\n"
)
NOTHING = "import os; os._exit(86)"
# measured with Python 3.11.7: 4.91 times what a bare start of Python executes; 1,719 calls
INSTRUCTIONS = 5.2
CALLS = 1850


@pytest.fixture
def warm(world: World) -> World:
    """A stack that runs, and a launch that has cached what it could."""
    for _ in range(2):
        run = world.run("--profile", "qwen", "-p", "hi")
        assert run.status == 0, run.err
    return world


def counted(world: World, *argv: str | Path) -> str:
    """Run a program until it ends as LAUNCH does; return what the counter writes to stderr."""
    run = subprocess.run(
        argv, env=world.env, cwd=world.home, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode == 86, run.stderr
    return run.stderr


def test_a_warm_launch_executes_few_instructions_more_than_python_itself(warm: World) -> None:
    valgrind = shutil.which("valgrind")
    need(valgrind, "valgrind (Debian's package of that name)")

    def count(code: str) -> int:
        out = f"--callgrind-out-file={warm.root / 'callgrind'}"
        argv = (str(valgrind), "--tool=callgrind", out, sys.executable, "-P", "-c", code)
        found = re.search(r"Collected : (\d+)", counted(warm, *argv))
        assert found
        return int(found[1])

    bare = count(NOTHING)
    more = (count(LAUNCH) - bare) / bare
    assert more < INSTRUCTIONS, f"{more:.2f} times what a start of Python executes"


def test_a_warm_launch_makes_few_system_calls_more_than_python_itself(warm: World) -> None:
    strace = shutil.which("strace")
    need(strace, "strace (Debian's package of that name)")

    def count(code: str) -> int:
        log = warm.root / "calls"
        counted(warm, str(strace), "-qq", "-o", log, sys.executable, "-P", "-c", code)
        return len(log.read_text(errors="replace").splitlines())

    more = count(LAUNCH) - count(NOTHING)
    assert more < CALLS, f"{more} system calls more than a start of Python"
