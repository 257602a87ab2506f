"""What doctor says, and does with `--fix`, about stacks: done, the finding is gone."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal

from tests.process.conftest import MakePlan
from tests.process.test_doctor_situations import AWS, CLAUDE, HAIKU, LOGIN, login
from tests.process.test_shared_home import Place, another_machine, beside
from tests.process.world import World, is_gone, open_session, until

COMMAND = re.compile(r"`([a-z]+ [^`]+)`")


def test_a_stack_that_was_left_over_is_stopped_by_fix(world: World) -> None:
    world.executable("claude", CLAUDE)
    login(**LOGIN)(world)
    world.up()
    pid = world.record()["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: is_gone(pid))

    data = world.json("doctor", "--fix", "--yes")["data"]

    assert data["fixed"] == [
        {"code": "stack-left-over", "command": "openclaude stop qwen", "problem": ""}
    ]
    assert "stack-left-over" not in {one["code"] for one in data["diagnostics"]}
    until(lambda: not world.processes())
    assert not (world.folder() / "stack.json").exists()


def test_units_that_failed_are_restarted_once_by_fix(empty_world: World, plan: MakePlan) -> None:
    world = empty_world
    gate = world.root / "gate"
    broken = {"STUB_FAIL": "no such thing"}
    world.patch_supervisor("reconcile.BACKOFF_S = (0.0, 0.0)\n")
    world.keep(plan(providers=broken, main=broken))
    world.run("start", "--wait")
    assert {one["state"] for one in world.units().values()} == {"failed"}
    world.keep(plan(providers={"STUB_GATE": str(gate)}))  # what was in the way is gone

    data = world.json("doctor", "--fix", "--yes")["data"]

    assert data["fixed"] == [
        {"code": "unit-failed", "command": "openclaude restart qwen", "problem": ""}
    ]
    assert "unit-failed" not in {one["code"] for one in data["diagnostics"]}
    gate.touch()
    assert world.run("start", "--wait").status == 0
    assert {one["state"] for one in world.units().values()} == {"ready"}


def test_ports_that_are_kept_for_sessions_are_said_to_be(world: World, port: int) -> None:
    world.write_profile(
        "qwen", f'schema = 1\nextends = "base"\n[tiers]\n{HAIKU}[listen]\nport = {port}\n{AWS}'
    )
    with open_session(world):
        assert world.up() == port
        world.run("stop")
        world.tell_claude()  # the next one ends

        own = {one["code"]: one for one in world.json("doctor")["data"]["diagnostics"]}
        assert own["ports"]["severity"] == "ok"
        assert own["ports"]["message"] == (
            f"ports {port} and {port + 1} are kept for open sessions; a launch takes them over"
        )
        world.write_profile("other", f'schema = 1\nextends = "base"\n[listen]\nport = {port}\n')
        other = world.json("doctor", "other")["data"]["diagnostics"]
        taken = [one["message"] for one in other if one["code"] == "port-taken"]
        assert len(taken) == 2
        for message in taken:
            assert "for open sessions of `qwen`, whose proxies were stopped (pid" in message


def test_the_proxies_of_another_machine_are_stopped_there(world: World) -> None:
    here = Place(world)
    here.up()
    commands = another_machine(world, "other-machine")
    with beside(world, "--mount", "--uts", shown=commands) as there:

        def found() -> dict[str, str]:
            rows = json.loads(there.run("doctor", "--json").out)["data"]["diagnostics"]
            return {one["code"]: one["fix"] for one in rows}

        (command,) = COMMAND.findall(found()["home-shared"])

        assert here.run(*shlex.split(command)[1:]).status == 0

        assert "home-shared" not in found()
