"""What works worse than it should is reported: by `status`, by its JSON and by doctor."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from openclaude.contracts.worker import FURTHER_PORT_VARIABLE
from tests.process.conftest import MakePlan
from tests.process.world import World, about

RESTART = ("restart", "--wait", "--profile", "qwen")


def told(world: World) -> dict[str, dict[str, Any]]:
    """Return what `status --json` reports as degraded, by code."""
    return {one["code"]: one for one in world.status()["degraded"]}


def found(world: World) -> dict[str, dict[str, Any]]:
    """Return doctor's warnings and errors, by code."""
    diagnostics = world.json("doctor")["data"]["diagnostics"]
    return {one["code"]: one for one in diagnostics if one["severity"] in {"warning", "error"}}


def test_a_stack_that_cannot_fork_says_so_and_forks_again_once_it_can(world: World) -> None:
    world.expects_fallback = True
    log = world.folder() / "preloader.log"
    log.mkdir(parents=True)  # as with a full disk: the forkserver cannot open its log
    port = world.up()

    text = world.run("status").out
    (code, said), diagnostic = *told(world).items(), found(world)["not-forked"]

    assert code == "not-forked"
    for words in (said["message"], said["cost"], said["fix"]):
        assert words in text
    assert "Is a directory" in said["message"]
    assert "6 times" in said["cost"]
    assert "1.8 times" in said["cost"]
    assert said["fix"].startswith("run `openclaude restart --profile qwen`")
    assert (diagnostic["severity"], diagnostic["why"]) == ("warning", said["cost"])
    assert (diagnostic["message"], diagnostic["fix"]) == (said["message"], said["fix"])

    log.rmdir()
    before = about(port)["pid"]
    assert world.run(*RESTART).status == 0

    assert about(port)["pid"] != before
    assert world.status()["start_method"] == "fork"
    assert told(world) == {}
    assert "warning:" not in world.run("status").out
    assert "not-forked" not in found(world)


def test_a_forkserver_that_fails_again_is_given_up_again(world: World, plan: MakePlan) -> None:
    world.expects_fallback = True
    world.keep(plan()._replace(preload_environment={"PYTHONPATH": "/nowhere"}).sealed("tests"))
    world.up()
    first = told(world)["not-forked"]["message"]

    assert world.run(*RESTART).status == 0

    assert told(world)["not-forked"]["message"] == first
    assert "`forkserver` ended with exit status 1" in first
    assert "No module named 'stub_unit'" in first


def test_who_asked_for_fresh_processes_is_not_warned_of_them(
    empty_world: World, plan: MakePlan
) -> None:
    empty_world.method = "spawn"
    empty_world.keep(plan())
    empty_world.up()

    assert empty_world.status()["start_method"] == "spawn"
    assert told(empty_world) == {}


@pytest.mark.parametrize("unit", ["main", "providers"])
def test_a_warm_up_that_fails_is_said_of_its_proxy(
    empty_world: World, plan: MakePlan, unit: str
) -> None:
    warning = "LookupError('LiteLLM answered 500')\nand more"
    empty_world.keep(plan(**{unit: {"STUB_WARN": warning}}))
    empty_world.up()

    said, diagnostic = told(empty_world)["not-warmed-up"], found(empty_world)["not-warmed-up"]

    assert said["message"] == (
        f"the warm-up requests of `{unit}` failed: LookupError('LiteLLM answered 500') and more"
    )
    assert (diagnostic["message"], diagnostic["why"]) == (said["message"], said["cost"])
    for words in (said["message"], said["cost"], said["fix"]):
        assert words in empty_world.run("status").out
    assert all(one["state"] == "ready" for one in empty_world.status()["units"])


def test_a_port_for_prometheus_that_another_program_has_is_said(
    empty_world: World, plan: MakePlan
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        empty_world.keep(plan(main={FURTHER_PORT_VARIABLE: f"{port} /a/stack"}))
        empty_world.up()

    text = empty_world.run("status").out
    said = told(empty_world)["telemetry-not-shown"]
    diagnostic = found(empty_world)["telemetry-not-shown"]

    assert said["message"] == (
        f"no figures of requests are shown on port {port} of `telemetry.prometheus`: another "
        "program listens there"
    )
    assert "`openclaude profiles set telemetry.prometheus=PORT --profile qwen`" in said["fix"]
    assert (diagnostic["message"], diagnostic["fix"]) == (said["message"], said["fix"])
    assert f"warning: {said['message']}" in text
    assert all(one["state"] == "ready" for one in empty_world.status()["units"])
    assert empty_world.run("restart", "--wait", "--profile", "qwen").status == 0  # it is free now
    assert told(empty_world) == {}


def test_another_litellm_than_the_tested_one_is_said(world: World, tmp_path: Path) -> None:
    world.up()
    metadata = tmp_path / "litellm-1.90.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: litellm\nVersion: 1.90.0\n")
    world.patch_client(f"sys.path.insert(0, {str(tmp_path)!r})")

    text = world.run("status").out
    said, diagnostic = told(world)["litellm-version"], found(world)["litellm-version"]

    assert "found 1.90.0" in said["message"]
    assert diagnostic["fix"] == said["fix"]
    for words in (said["message"], said["cost"], said["fix"]):
        assert words in text
