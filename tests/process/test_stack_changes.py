"""A stack that changes: restarted, reloaded, shared, replaced; its sockets are never closed."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaude import __version__
from openclaude.commands.status import command as status
from openclaude.contracts.plan import Plan
from openclaude.contracts.report import Report
from openclaude.paths import find_places
from openclaude.run.stack.reports import ask_report
from tests.process.world import (
    TIMEOUT_S,
    World,
    about,
    get,
    is_gone,
    is_whole,
    stopped,
    streaming,
    stubbed,
    until,
)


class Hammer:
    """Clients that keep connecting, each with one request; failures are kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answered = 0
        self.failed: list[str] = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(3)]

    def ask(self) -> None:
        while not self.ended.is_set():
            try:
                assert json.loads(get(self.port))["pid"]
                self.answered += 1
            except Exception as error:  # noqa: BLE001 - every kind of failure counts
                self.failed.append(repr(error))

    def __enter__(self) -> Hammer:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()


def pids(world: World, profile: str = "qwen") -> dict[str, int]:
    """Return the units' pids, once all are ready."""
    units = until(lambda: ready(world, profile))
    return {name: unit["pid"] for name, unit in units.items()}


def ready(world: World, profile: str) -> dict[str, dict[str, int]] | None:
    units = world.units(profile)
    return units if all(unit["state"] == "ready" for unit in units.values()) else None


# -- restart and reload ----------------------------------------------------------------------------


def test_restart_gives_new_processes_and_refuses_no_connection_meanwhile(world: World) -> None:
    port = world.up()
    before = pids(world)

    with Hammer(port) as main, Hammer(port + 1) as providers:
        for _ in range(3):
            assert world.run("restart", "--wait")[:3] == (0, "qwen: restarted\n", "")

    assert main.failed == providers.failed == []
    assert main.answered > 10
    after = pids(world)
    assert set(after.values()).isdisjoint(before.values())
    assert all(is_gone(pid) for pid in before.values())


@pytest.mark.parametrize("word", ["restart", "start"])
def test_an_edited_profile_is_applied_and_what_it_changes_is_said(
    world: World, plan: Callable[..., Plan], word: str
) -> None:
    port = world.up()
    before = pids(world)
    edited = plan()
    tiers = tuple(one._replace(model="bedrock/other") for one in edited.tiers)
    unit = edited.units[1]
    changed = unit._replace(environment={**unit.environment, "EDITED": "1"})
    world.keep(edited._replace(tiers=tiers, units=(edited.units[0], changed)).sealed("test"))

    ran = world.run(word, "--wait")

    assert (ran.status, ran.err) == (0, "")
    assert "  haiku: now bedrock/other in us-west-2, was bedrock/" in ran.out
    assert until(lambda: about(port + 1)["environment"].get("EDITED")) == "1"
    after = pids(world)
    assert after["providers"] != before["providers"]
    # `restart` replaces what has not changed as well
    assert (after["main"] == before["main"]) is (word == "start")


def test_a_profile_with_mistakes_restarts_nothing(world: World) -> None:
    world.up()
    before = pids(world)
    world.write_profile("qwen", "schema = 1\n[listen]\nport = 80\n")
    (world.cache / "plans" / "qwen.plain.json").unlink()

    ran = world.run("restart")

    assert (ran.status, ran.out) == (2, "")
    assert "listen.port: must be a port from 1024" in ran.err
    assert pids(world) == before


def test_a_stack_whose_profile_is_gone_is_restarted_as_it_is(
    world: World, plan: Callable[..., Plan]
) -> None:
    gone = plan()._replace(profile="gone").sealed("test")
    world.keep(gone)
    assert world.run("start", "gone", "--wait").status == 0
    (world.cache / "plans" / "gone.plain.json").unlink()

    assert world.run("restart", "gone")[:3] == (0, "gone: restarted\n", "")


def test_a_stream_in_flight_is_finished_by_the_process_that_began_it(world: World) -> None:
    port = world.up()
    before = pids(world)["main"]
    with streaming(port, world.home) as stream:
        assert stream.first == b"0 %d\n" % before

        assert world.run("restart", "--wait").status == 0

        until(lambda: about(port)["pid"] != before)  # it accepts until it has noticed
        assert not is_gone(before)
        assert is_whole(stream, stream.finish())
    until(lambda: is_gone(before))


def test_a_changed_profile_replaces_only_what_changed_on_the_same_port_with_the_same_key(
    world: World, plan: Callable[..., Plan]
) -> None:
    port = world.up()
    before, record = pids(world), world.record()
    world.keep(plan(providers={"MARK": "changed"}, port=port + 100))

    with Hammer(port) as main:
        world.run("-p")
        after = until(lambda: changed(pids(world), before, "providers"))

    assert main.failed == []
    assert after["main"] == before["main"]
    assert about(port + 1)["environment"]["MARK"] == "changed"
    assert world.record() == record
    env = world.heard()[0]["settings"]["env"]
    assert env["ANTHROPIC_BASE_URL"] == f"https://127.0.0.1:{port}"
    assert record["main_key"] in env["ANTHROPIC_CUSTOM_HEADERS"]


def changed(now: dict[str, int], before: dict[str, int], name: str) -> dict[str, int] | None:
    return now if now[name] != before[name] else None


def test_a_unit_is_replaced_when_its_config_changed(
    world: World, plan: Callable[..., Plan]
) -> None:
    world.up()
    before = pids(world)
    made = plan()
    files = {**made.files, "providers.yaml": made.files["providers.yaml"] + "# changed\n"}
    world.keep(stubbed(made._replace(files=files)))

    world.run("start")

    after = until(lambda: changed(pids(world), before, "providers"))
    assert after["main"] == before["main"]
    assert (world.folder() / "providers.yaml").read_text() == files["providers.yaml"]


def test_a_profile_can_gain_and_lose_its_providers(world: World, plan: Callable[..., Plan]) -> None:
    both = plan()
    alone = plan("base")._replace(profile="qwen").sealed("tests")
    world.keep(alone)
    port = world.up()
    assert list(pids(world)) == ["main"]

    world.keep(both)
    assert world.up() == port
    assert list(pids(world)) == ["main", "providers"]
    assert about(port + 1)["pid"] == pids(world)["providers"]

    gone = pids(world)["providers"]
    world.keep(alone)
    assert world.up() == port
    assert list(pids(world)) == ["main"]
    until(lambda: is_gone(gone))


def test_an_unchanged_profile_changes_nothing(world: World) -> None:
    world.up()
    before = pids(world), world.record()

    world.run("-p")
    world.run("start")

    assert (pids(world), world.record()) == before


# -- sharing ---------------------------------------------------------------------------------------


def test_launches_at_one_moment_make_one_stack(world: World) -> None:
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(world.start("-p")) for _ in range(8)]
        ended = [(*process.communicate(timeout=120), process.returncode) for process in started]

    assert ended == [("", "", 0)] * 8
    heard = [record["settings"]["env"] for record in world.heard()]
    assert len(heard) == 8
    assert {env["ANTHROPIC_BASE_URL"] for env in heard} == {
        f"https://127.0.0.1:{world.record()['port']}"
    }
    assert len({env["ANTHROPIC_CUSTOM_HEADERS"] for env in heard}) == 1
    world.up()
    assert len(world.processes()) == world.crew_size


def test_starts_and_stops_at_one_moment_leave_a_stack_or_none(world: World) -> None:
    words = ["start", "stop", "restart", "start", "stop", "status", "start"]
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(world.start(word)) for word in words]
        ended = [(*process.communicate(timeout=120), process.returncode) for process in started]

    assert all(status in {0, 1} for _, _, status in ended), ended
    assert not (world.state / "crash.md").exists()
    world.run("stop")
    assert world.processes() == []
    assert not (world.folder() / "stack.json").exists()


def test_two_profiles_side_by_side_have_ports_of_their_own(
    world: World, plan: Callable[..., Plan], port: int
) -> None:
    world.keep(plan("base"))  # it prefers the same port

    assert (world.up(), world.up("base")) == (port, port + 2)

    assert world.record("base")["main_key"] != world.record()["main_key"]
    assert about(port)["pid"] != about(port + 2)["pid"]
    both = world.run("status").out
    titles = [line.partition(":")[0] for line in both.splitlines() if ": up " in line]
    assert titles == ["base", "qwen"]
    assert world.run("stop", "--all")[:2] == (0, "base: stopped\nqwen: stopped\n")
    assert world.processes() == []


def test_one_stack_that_does_not_answer_hides_no_other(
    world: World, plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(folder: Path) -> Report | None:  # the unit that answers has time to
        return ask_report(folder, timeout_s=0.3 if folder.name == "base" else TIMEOUT_S)

    monkeypatch.setattr(status, "ask_report", ask)
    world.keep(plan("base"))
    world.up()
    world.up("base")

    with stopped(world.record("base")["pid"]):
        shown = status.status(None, find_places(world.env), world.env)

    assert shown.text.startswith("qwen: up ")
    assert [error["message"] for error in shown.errors] == [
        "the supervisor of `base` does not answer"
    ]
    assert shown.exit_code == 1


def test_settings_of_launches_that_are_over_are_removed(world: World) -> None:
    world.tell_claude(sleep_s=120)
    with world.start("-p") as living:
        until(world.heard)
        world.tell_claude()
        world.run("-p")
        world.run("-p")

        settings = world.state.parent / "claude-settings"

        def left() -> set[str]:
            return {path.name.partition("-")[0] for path in settings.iterdir()}

        until(lambda: left() == {str(living.pid)})
        living.kill()


# -- before a unit answers -------------------------------------------------------------------------


def test_a_connection_made_before_the_unit_exists_is_served_by_it(
    empty_world: World, plan: Callable[..., Plan]
) -> None:
    gate = empty_world.home / "gate"
    empty_world.keep(plan(main={"STUB_GATE": str(gate)}))

    assert empty_world.run("-p").status == 0  # the launch did not wait
    url = empty_world.heard()[0]["settings"]["env"]["ANTHROPIC_BASE_URL"]
    port = int(url.rpartition(":")[2])

    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with pytest.raises(BlockingIOError):
            line.recv(1, socket.MSG_DONTWAIT)
        gate.touch()
        line.settimeout(TIMEOUT_S)
        assert line.recv(1)
    assert about(port)["environment"]["STUB_GATE"] == str(gate)


# -- another version -------------------------------------------------------------------------------


@pytest.fixture
def older(world: World) -> World:
    """A world in which a supervisor of another version runs."""
    ours = world.program.read_text()
    world.patch_supervisor("supervisor.__version__ = '0.0.1'\n")
    world.up()
    world.program.write_text(ours)
    return world


def test_a_supervisor_of_another_version_is_replaced_on_its_port_with_its_key(
    older: World,
) -> None:
    before = older.record()
    assert before["version"] == "0.0.1"

    assert older.run("-p")[:3] == (0, "", "")

    until(lambda: is_gone(before["pid"]))
    assert older.up() == before["port"]
    after = older.record()
    assert after == {**before, "version": __version__, **new(after)}
    assert after["pid"] != before["pid"]


def new(record: dict[str, object]) -> dict[str, object]:
    return {name: record[name] for name in ("pid", "started")}


def test_a_supervisor_that_has_lost_its_control_socket_makes_another_one(world: World) -> None:
    port = world.up()
    before = world.record()
    (world.folder() / "control.sock").unlink()

    assert world.run("-p")[:3] == (0, "", "")

    assert world.up() == port
    assert not is_gone(before["pid"])
    assert world.record() == before
    assert len(world.processes()) == world.crew_size
