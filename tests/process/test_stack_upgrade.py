"""openclaude is upgraded in place while a stack runs: the new program takes the stack over."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import openclaude
from openclaude.contracts.plan import Plan
from tests.conftest import REPOSITORY
from tests.process.world import (
    STUBS,
    World,
    about,
    command_line,
    is_gone,
    is_whole,
    open_session,
    streaming,
    until,
)

# options of our own processes that the version before does not know
OPTIONS = {"channel": "line", "report": "told", "lifeline": "thread"}


WORKER = "openclaude.run.worker"


class Installed:
    """A world with an installation of its own."""

    def __init__(self, world: World, make: Callable[..., Plan]) -> None:
        self.world = world
        self.code = world.root / "site"
        self.package = install(self.code)
        world.patch_client(f"sys.path.insert(0, {str(self.code)!r})")
        environment = {"PYTHONPATH": f"{self.code}:{STUBS}"}
        plan = make(main=environment, providers=environment)
        self.plan = world.keep(
            plan._replace(preload_environment=environment, idle_sleep_s=1.0).sealed("tests")
        )

    def upgrade(self, version: str = "") -> None:
        """Install another version into the same folder, as pip does."""
        replace(self.package, version)
        if version:
            cache = self.world.cache / "plans" / "qwen.plain.json"
            cache.write_text(json.dumps({**json.loads(cache.read_text()), "made_by": version}))


def install(folder: Path) -> Path:
    """Make an installation of its own in a folder; return the package."""
    package = folder / "openclaude"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(openclaude.__file__).parent, package, ignore=ignored)
    if not (package / "shipped").exists():  # the original is a checkout
        shutil.copytree(REPOSITORY / "profiles", package / "shipped")
    return package


def replace(package: Path, version: str = "") -> None:
    """Put another version in the place of a package, as pip does."""
    for path in package.rglob("*.py"):
        text = path.read_text()
        for option, new in OPTIONS.items():
            parsed = f'add_argument("--{option}"'
            text = text.replace(parsed, f'add_argument("--{new}", dest="{option}"')
            text = text.replace(f'"--{option}"', f'"--{new}"')
        if version and path == package / "__init__.py":
            text = f'__version__ = "{version}"\n'
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(path)
    shutil.rmtree(package / "__pycache__", ignore_errors=True)


@pytest.fixture
def installed(empty_world: World, plan: Callable[..., Plan]) -> Installed:
    return Installed(empty_world, plan)


def asleep(world: World) -> bool:
    """Tell whether the stack sleeps, without asking its program."""
    workers = [one for one in world.processes() if WORKER in str(command_line(one))]
    return "sleep: no request" in log(world) and not workers


def log(world: World) -> str:
    """Return what its supervisors have logged."""
    return (world.folder() / "supervisor.log").read_text()


@pytest.mark.parametrize("version", ["", "9.9.9"])
def test_a_request_after_an_upgrade_is_answered_by_the_new_program(
    installed: Installed, version: str
) -> None:
    world = installed.world
    with open_session(world) as session:
        port = world.up()
        before = world.record()
        until(lambda: asleep(world))
        installed.upgrade(version)

        assert about(port)["pid"]  # which wakes the stack

        until(lambda: is_gone(before["pid"]))
        after = world.record()
        assert (after["port"], after["main_key"]) == (port, before["main_key"])
        assert after["version"] == (version or before["version"])
        assert [row["pid"] for row in world.status()["sessions"]] == [session.pid]
        assert "end: another openclaude takes over the sockets" in log(world)


def test_a_restart_after_an_upgrade_works_and_cuts_no_stream(installed: Installed) -> None:
    world = installed.world
    port = world.up()
    before = world.record()["pid"]
    with streaming(port, world.home) as stream:
        until(lambda: world.units()["main"]["in_flight"] == 1)
        installed.upgrade()

        ran = world.run("restart", "--wait")

        assert ran[:3] == (0, "qwen: restarted\n", "")
        assert world.record()["pid"] != before
        assert about(port)["pid"] != int(stream.first.split()[1])
        assert is_whole(stream, stream.finish())
    until(lambda: is_gone(before))


def test_a_launch_after_an_upgrade_takes_over(installed: Installed) -> None:
    world = installed.world
    port = world.up()
    before = world.record()["pid"]
    installed.upgrade()

    assert world.run("-p").status == 0

    until(lambda: is_gone(before))
    assert world.up() == port
    assert world.record()["pid"] != before


def test_a_program_that_cannot_take_over_is_done_without(installed: Installed) -> None:
    world = installed.world
    port = world.up()
    before = world.record()
    until(lambda: asleep(world))
    (installed.package / "cli.py").write_text("raise SystemExit('half an installation')\n")

    assert about(port)["pid"]

    assert world.record() == before
    assert "half an installation" in log(world)
    assert "has not taken over (exit status 1): go on without it" in log(world)
    assert "(replaced since)" not in before["version"]


def is_locked(folder: Path) -> bool:
    """Tell whether the next version of a zipapp would leave a folder alone."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_a_program_that_is_in_use_is_not_removed(installed: Installed) -> None:
    """A zipapp removes the unpacked versions that nobody uses; a stack that sleeps uses its own."""
    world = installed.world
    assert not is_locked(installed.code.parent)
    with open_session(world):
        world.up()
        until(lambda: asleep(world))
        assert is_locked(installed.code.parent)
        world.run("stop")
        until(lambda: is_locked(installed.code.parent))  # by who holds the ports
    until(lambda: not world.processes())
    assert not is_locked(installed.code.parent)


def test_what_is_not_replaced_is_never_taken_over(installed: Installed) -> None:
    world = installed.world
    port = world.up()
    until(lambda: asleep(world))
    assert about(port)["pid"]
    world.run("restart", "--wait")

    assert "replaced on disk" not in log(world)
