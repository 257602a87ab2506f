"""The state of a stack that is removed while it runs: made anew, and its processes are found."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaude.contracts.plan import Plan
from tests.process.conftest import free_pair
from tests.process.world import World, about, is_gone, open_session, stopped, until


def remove_folder(folder: Path) -> None:
    """As `rm -r` does."""
    shutil.rmtree(folder)


def remove_record(folder: Path) -> None:
    """The supervisor's own file."""
    (folder / "stack.json").unlink()


def remove_socket(folder: Path) -> None:
    """As a cleaner of old files does."""
    (folder / "control.sock").unlink()


def remove_plan(folder: Path) -> None:
    """What instances are started from."""
    for path in (*folder.glob("*.yaml"), folder / "plan.json"):
        path.unlink()


def names(world: World) -> set[str]:
    """What lies in the stack's folder."""
    return {path.name for path in world.folder().glob("*")}


REMOVALS = [remove_folder, remove_record, remove_socket, remove_plan]


@pytest.mark.parametrize("remove", REMOVALS, ids=lambda one: one.__name__)
def test_what_is_removed_under_a_running_stack_is_made_anew(
    world: World, remove: Callable[[Path], None]
) -> None:
    port = world.up()
    before = world.record()
    needed = names(world) - {"empty", "lock"} - {name for name in names(world) if "log" in name}

    remove(world.folder())

    until(lambda: needed <= names(world))
    for name in ("main", "providers"):
        os.kill(world.units()[name]["pid"], signal.SIGKILL)
    assert world.up() == port
    assert world.record() == before
    assert about(port)["pid"]
    assert world.run("stop")[:2] == (0, "qwen: stopped\n")
    assert world.processes() == []


def test_what_comes_while_the_socket_is_missing_finds_the_stack(world: World) -> None:
    """It took a launch for the sign of a stack that was lost, and ended it under its sessions."""
    world.up()
    before = world.record()
    with open_session(world) as session:
        world.tell_claude()
        for words in ("-p hi", "start", "status", "restart"):
            remove_socket(world.folder())

            runs = [world.start(*words.split()) for _ in range(4 if "-p" in words else 1)]
            said = [(*run.communicate(), run.returncode) for run in runs]

            assert [(err, code) for _, err, code in said] == [("", 0)] * len(runs)
            assert "nothing is running" not in said[0][0]
            assert world.record() == before
            (open_one,) = world.status()["sessions"]
            assert open_one["pid"] == session.pid


def test_stop_all_finds_a_stack_whose_folder_is_gone(world: World) -> None:
    world.up()
    supervisor, crew = world.record()["pid"], world.processes()
    assert len(crew) == world.crew_size
    with stopped(supervisor):  # before it can make anything anew
        shutil.rmtree(world.state)
        stopping = world.start("stop", "--all")
        time.sleep(1.0)

    out, _ = stopping.communicate()

    assert out == "qwen: stopped\n"
    assert [one for one in crew if not is_gone(one.pid)] == []


def test_a_supervisor_whose_folder_another_has_taken_leaves_it_alone(world: World) -> None:
    world.up()
    first = world.record()["pid"]
    os.kill(first, signal.SIGSTOP)
    shutil.rmtree(world.folder())
    world.up()
    second = world.record()

    os.kill(first, signal.SIGCONT)

    log = world.folder() / "supervisor.log"
    until(lambda: "another supervisor has the folder" in read_of(first, log))
    assert world.record() == second
    assert second["pid"] != first
    assert world.run("stop", "--all")[:2] == (0, "qwen: stopped\n")
    assert world.processes() == []


def read_of(pid: int, log: Path) -> str:
    """What a process has logged, wherever its log is by now."""
    return Path(f"/proc/{pid}/fd/2").read_text() + (log.read_text() if log.exists() else "")


def test_stop_all_ends_no_stack_of_another_home(world: World, plan: Callable[..., Plan]) -> None:
    other = World(world.method)
    try:
        other.keep(plan(port=free_pair()))
        port = other.up()
        world.up()

        assert world.run("stop", "--all").out == "qwen: stopped\n"

        assert about(port)["pid"]
    finally:
        other.run("stop")
        other.close()
