"""`openclaude demo` is ended in the middle: no process, folder or file of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.e2e.demos import CLEAR_S, CTRL_C, MOMENTS, WAIT_S, Demo
from tests.e2e.processes import processes_of, wait_until_none

NOTHING: tuple[dict[int, str], list[str]] = ({}, [])
GOOD = "isolation: each credential stayed on its own side"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path)
    yield made
    made.end()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_closed_terminal_leaves_nothing(demo: Demo, moment: str) -> None:
    demo.wait_for(moment)

    demo.close_terminal()

    assert demo.ended(CLEAR_S) == 128 + signal.SIGHUP
    assert demo.left() == NOTHING


@pytest.mark.parametrize("moment", ["begun", "starting", "asking"])
def test_a_demo_that_is_killed_leaves_nothing(demo: Demo, moment: str) -> None:
    demo.wait_for(moment)

    demo.process.kill()

    assert demo.ended(CLEAR_S) == -signal.SIGKILL
    assert demo.left() == NOTHING


@pytest.mark.parametrize(
    ("number", "moment"),
    [(signal.SIGINT, "asking"), (signal.SIGTERM, "starting"), (signal.SIGQUIT, "begun")],
)
def test_a_signal_ends_it_once_all_is_cleared(
    demo: Demo, number: signal.Signals, moment: str
) -> None:
    demo.wait_for(moment)

    demo.process.send_signal(number)

    assert demo.ended(CLEAR_S) == 128 + number
    assert processes_of(demo.temporary) == {}  # at once: whoever waits for it relies on that
    assert demo.left() == NOTHING


def test_a_second_ctrl_c_waits_for_nothing_and_leaves_nothing_either(demo: Demo) -> None:
    demo.wait_for("starting")
    keeper = demo.keeper
    keeper.suspend()  # only a process that waits for it may take longer

    os.write(demo.terminal, CTRL_C)
    demo.wait_until_shown("stopping everything")
    os.write(demo.terminal, CTRL_C)

    assert demo.ended(CLEAR_S) == 128 + signal.SIGINT
    keeper.resume()
    assert demo.left() == NOTHING


def test_a_demo_whose_keeper_was_killed_clears_up_itself(demo: Demo) -> None:
    demo.wait_for("starting")

    demo.keeper.kill()
    demo.process.send_signal(signal.SIGTERM)

    assert demo.ended(CLEAR_S) == 128 + signal.SIGTERM
    assert demo.left() == NOTHING


def test_a_stack_whose_demo_and_keeper_were_killed_ends_by_itself_and_stop_all_removes_the_rest(
    demo: Demo,
) -> None:
    demo.wait_for("asking")
    (folder,) = demo.temporary.iterdir()

    demo.kill_with_keeper()
    demo.kill_claude()

    assert wait_until_none(demo.temporary, CLEAR_S) == {}
    done = demo.openclaude("stop", "--all")
    said = f"demo: removed what a killed demo had left in {folder}\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    assert demo.left() == NOTHING


def test_one_that_runs_is_no_leftover_and_shows_its_steps_on_one_line(tmp_path: Path) -> None:
    # longer than the path of a socket may be
    demo = Demo(tmp_path, temporary="/".join(["long" * 25] * 3))
    demo.wait_for("starting")

    assert demo.openclaude("stop", "--all").stdout == "nothing is running\n"

    assert demo.ended(WAIT_S) == 0
    steps, _, answer = demo.shown().partition("four tiers, asked once each")
    assert "demo: starting two LiteLLM instances - waiting for main" in steps
    assert "demo: stopping everything and removing its directory" in steps
    assert "\n" not in steps
    assert steps.endswith("\r\x1b[K")
    assert GOOD in answer
    assert demo.left() == NOTHING
    demo.end()


def test_it_goes_on_when_its_terminal_closes_under_nohup(tmp_path: Path) -> None:
    demo = Demo(tmp_path, through=("sh", "-c", "trap '' HUP; exec \"$@\"", "sh"))
    demo.wait_for("starting")

    demo.close_terminal()

    assert demo.ended(WAIT_S) == 141  # it has its answer, but nobody reads it
    assert demo.left() == NOTHING
    demo.end()


def test_a_reader_who_leaves_early_is_no_failure(tmp_path: Path) -> None:
    script = '"$@" | head -n 1; echo "ended with $?"'
    demo = Demo(tmp_path, through=("bash", "-o", "pipefail", "-c", script, "bash"))

    demo.ended(WAIT_S)

    said = demo.shown().rpartition("\x1b[K")[2]
    assert said.startswith("four tiers, asked once each")
    assert said.count("\n") == 2
    assert said.endswith("ended with 0\r\n")
    assert demo.left() == NOTHING
    demo.end()


def test_a_temporary_folder_that_fills_up_is_named_and_cleared(tmp_path: Path) -> None:
    root = os.geteuid() == 0
    own = ("unshare", "-m" if root else "-rm")
    need(subprocess.run((*own, "true"), check=False).returncode == 0, "a mount namespace")
    small = 'mount -t tmpfs -o size=20m none "$TMPDIR" && exec "$@"'
    demo = Demo(tmp_path, through=(*own, "sh", "-c", small, "sh"))
    inside = Path(f"/proc/{demo.process.pid}/root{demo.temporary}")
    demo.wait_until(lambda: any(inside.glob("openclaude-demo-*")), "its folder")

    with (
        pytest.raises(OSError, match="No space left"),
        (inside / "filler").open("wb", buffering=0) as filler,
    ):
        filler.writelines(bytes(1 << 16) for _ in range(1 << 12))

    assert demo.ended(CLEAR_S) == 1
    error = demo.shown().rpartition("\x1b[K")[2]
    assert error.startswith("\x1b[31;1merror:\x1b[0m ")
    assert "No space left on device" in error
    assert "\x1b[36;1mhint:\x1b[0m " in error
    assert "Traceback" not in error
    assert wait_until_none(demo.temporary, CLEAR_S) == {}
    demo.end()
