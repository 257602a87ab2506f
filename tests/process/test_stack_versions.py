"""Two versions of openclaude with one stack: this one, and the one before messages had types.

The other one is real code, of commit 3de8aeb: see tests/process/before.
"""

from __future__ import annotations

import json
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaude import __version__
from openclaude.contracts.plan import Plan
from tests.process.world import STUBS, Stream, World, about, is_gone, is_whole, until

CODE = Path(__file__).resolve().parent / "before" / "3de8aeb.tar.xz"
THEN = "0.0.9"
NEW = ("before_fork", "is_tls", "aws_on_expired", "aws_login")  # part of a plan since then
NEW_OF_UNIT = ("starts_programs",)
NEW_OF_LAUNCH = ("model_settings", "claude_rows", "unbound", "has_status_line")


class TwoVersions:
    """One home, one claude, two programs."""

    def __init__(self, world: World, make: Callable[..., Plan]) -> None:
        self.world = world
        self.now = world.program
        self.code = world.root / "before"
        with tarfile.open(CODE) as archive:
            archive.extractall(self.code, filter="data")
        (self.code / "openclaude" / "__init__.py").write_text(f'__version__ = "{THEN}"\n')
        self.then = world.script(
            "openclaude-then",
            f"import sys\nsys.path.insert(0, {str(self.code)!r})\n"
            "from openclaude.cli import main\nsys.exit(main())\n",
        )
        ours = make("base")._replace(profile="qwen")
        theirs = {"PYTHONPATH": f"{self.code}:{STUBS}"}
        self.plans = {
            self.now: ours.sealed("now"),
            self.then: ours._replace(
                units=tuple(
                    unit._replace(environment={**unit.environment, **theirs}) for unit in ours.units
                ),
                preload_environment=theirs,
            ).sealed("then"),
        }

    def use(self, program: Path) -> None:
        """Use this version's program for `world.run` and the like from now on."""
        self.world.program = program
        self.world.keep(self.plans[program])
        cache = self.world.cache / "plans" / "qwen.plain.json"
        kept = json.loads(cache.read_text())
        made = json.loads(kept["plan"])
        if program == self.then:  # which takes a plan with additional fields for another version's
            made = without(made, NEW)
            made["launch"] = without(made["launch"], NEW_OF_LAUNCH)
            made["units"] = [without(unit, NEW_OF_UNIT) for unit in made["units"]]
        made_by = THEN if program == self.then else __version__
        cache.write_text(json.dumps({**kept, "plan": json.dumps(made), "made_by": made_by}))


def without(made: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return a table without some of its entries."""
    return {name: value for name, value in made.items() if name not in names}


@pytest.fixture
def versions(empty_world: World, plan: Callable[..., Plan]) -> TwoVersions:
    return TwoVersions(empty_world, plan)


class Knocking:
    """A client that keeps connecting; failures are kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.failed: list[str] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.knock)

    def knock(self) -> None:
        while not self.ended.is_set():
            try:
                about(self.port)
            except OSError as error:
                self.failed.append(repr(error))

    def __enter__(self) -> Knocking:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()


def is_ready(world: World) -> bool:
    return {unit["state"] for unit in world.units().values()} == {"ready"}


@pytest.mark.parametrize(("before", "after"), [("then", "now"), ("now", "then")])
def test_either_takes_the_others_stack_over_with_its_sessions_and_streams(
    versions: TwoVersions, before: str, after: str
) -> None:
    world = versions.world
    world.tell_claude(sleep_s=120)
    versions.use(getattr(versions, before))
    with world.start("-p") as first:
        until(world.heard)
        record = world.record()
        until(lambda: is_ready(world))
        stream = Stream(record["port"], world.home / "gate")
        versions.use(getattr(versions, after))

        with Knocking(record["port"]) as knocking, world.start("-p") as second:
            until(lambda: len(world.heard()) == 2)
            assert is_whole(stream, stream.finish())  # by the process that began it
            until(lambda: is_gone(record["pid"]))
            versions.use(versions.now)  # whose `status` reads both
            sessions = {row["pid"] for row in world.status()["sessions"]}
            until(lambda: is_ready(world))

            assert sessions == {first.pid, second.pid}
            for session in (first, second):
                session.kill()

    taken = world.record()
    assert knocking.failed == []
    assert (taken["port"], taken["main_key"]) == (record["port"], record["main_key"])
    assert {record["version"], taken["version"]} == {THEN, __version__}
    assert "Traceback" not in (world.folder() / "supervisor.log").read_text()
    assert not (world.state / "crash.md").exists()


@pytest.fixture
def old_stack(versions: TwoVersions) -> World:
    """A stack of the version before, seen by this one."""
    versions.use(versions.then)
    versions.world.up()
    versions.use(versions.now)
    return versions.world


def test_an_older_stack_is_shown_restarted_and_stopped(old_stack: World) -> None:
    shown = old_stack.status()

    assert (shown["version"], shown["draining"]) == (THEN, [])
    forks = old_stack.method == "fork"
    assert (shown["forkserver"] or {}).get("state") == ("unknown" if forks else None)
    assert shown["preloader"] == shown["forkserver"]
    assert "Claude" in old_stack.run("status", "--processes").out
    assert old_stack.run("restart", "--wait")[:3] == (0, "qwen: restarted\n", "")
    assert old_stack.units()["main"]["pid"] != shown["units"][0]["pid"]
    assert old_stack.run("stop")[:3] == (0, "qwen: stopped\n", "")
    until(lambda: not old_stack.processes())


def test_a_newer_stack_is_shown_restarted_and_stopped_by_an_older_openclaude(
    versions: TwoVersions,
) -> None:
    world = versions.world
    versions.use(versions.now)
    world.up()
    before = about(world.record()["port"])["pid"]
    versions.use(versions.then)

    shown = world.run("status")
    assert (shown.status, shown.err) == (0, "")
    assert "main        ready" in shown.out
    assert world.run("restart", "--wait")[:3] == (0, "qwen: restarted\n", "")
    # the draining one may still have taken the first request after it
    until(lambda: about(world.record()["port"])["pid"] != before)
    assert world.run("stop")[:3] == (0, "qwen: stopped\n", "")
    until(lambda: not world.processes())
