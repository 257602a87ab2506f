"""What a demo leaves if it is killed with its keeper: `stop --all` and `uninstall` remove it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.world import World


class Leftover:
    """A demo's folder, and a process that still runs for it."""

    def __init__(self, world: World) -> None:
        self.temporary = world.root / "tmp"
        self.folder = self.temporary / "openclaude-demo-1a2b3c4d"
        (self.folder / "project").mkdir(parents=True)
        (self.folder / "lock").touch()
        self.env = {**world.env, "TMPDIR": str(self.temporary)}
        sleep = ("sleep", "60")
        self.claude = subprocess.Popen(
            sleep, env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin"}
        )
        # a user's own process in the folder
        self.person = subprocess.Popen(
            sleep, env={"PWD": str(self.folder), "PATH": "/usr/bin:/bin"}
        )


@pytest.fixture
def leftover(empty_world: World) -> Iterator[Leftover]:
    made = Leftover(empty_world)
    yield made
    for process in (made.claude, made.person):
        process.kill()
        process.wait()


def test_stop_all_ends_and_removes_it(empty_world: World, leftover: Leftover) -> None:
    done = empty_world.run("stop", "--all", env=leftover.env)

    said = "demo: removed what a killed demo had left in ROOT/tmp/openclaude-demo-1a2b3c4d\n"
    assert done[:3] == (0, said, "")
    assert leftover.claude.wait(5) == -9
    assert leftover.person.poll() is None
    assert list(leftover.temporary.iterdir()) == []
    assert empty_world.run("stop", "--all", env=leftover.env).out == "nothing is running\n"


def test_stop_all_names_it_to_a_program_as_well(empty_world: World, leftover: Leftover) -> None:
    done = empty_world.run("stop", "--all", "--json", env=leftover.env)

    data = json.loads(done.out)["data"]
    assert data == {
        "stopped": [],
        "not_running": [],
        "sessions": [],
        "demos": ["ROOT/tmp/openclaude-demo-1a2b3c4d"],
    }


def test_stop_of_one_profile_leaves_it(empty_world: World, leftover: Leftover) -> None:
    empty_world.run("stop", "--profile", "qwen", env=leftover.env)

    assert leftover.claude.poll() is None
    assert leftover.folder.is_dir()


def test_uninstall_shows_it_first_and_removes_it(empty_world: World, leftover: Leftover) -> None:
    shown = empty_world.run("uninstall", env=leftover.env)
    line = "remove  ROOT/tmp/openclaude-demo-1a2b3c4d (left by a demo that was killed)\n"
    assert shown.status == 2
    assert line in shown.err
    assert leftover.folder.is_dir()

    done = empty_world.run("uninstall", "--yes", env=leftover.env)

    assert (done.status, done.err) == (0, "")
    assert "removed ROOT/tmp/openclaude-demo-1a2b3c4d\n" in done.out
    assert leftover.claude.wait(5) == -9
    assert list(leftover.temporary.iterdir()) == []


def test_a_link_of_that_name_is_not_followed(empty_world: World, leftover: Leftover) -> None:
    target = Path(empty_world.root / "kept")
    target.mkdir()
    (leftover.temporary / "openclaude-demo-link").symlink_to(target)

    empty_world.run("stop", "--all", env=leftover.env)

    assert target.is_dir()
    assert [path.name for path in leftover.temporary.iterdir()] == ["openclaude-demo-link"]
