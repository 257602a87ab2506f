"""Canary secrets: each of the two processes has one kind, and neither kind is found elsewhere.

Every test examines what one series of runs has left behind; each search is shown to work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.conftest import need, variant
from tests.e2e import raw
from tests.e2e.canaries import files_with, holds, memory_holds, requests_with
from tests.e2e.conftest import ENV_TOKEN, Build
from tests.e2e.house import OPENCLAUDE, PROFILE, REPOSITORY, House, login_headers, question
from tests.e2e.processes import command_line, environment, pids

OURS = ("supervisor", "main", "providers")
SLOW = script.wait(2)
REMEMBER = script.tool("Bash", {"command": "echo remembered"})


class Scene(NamedTuple):
    """Everything that can be examined after a series of runs."""

    house: House
    pids: dict[str, int]
    main_key: str
    providers_key: str
    anthropic: tuple[Recorded, ...]
    bedrock: tuple[BedrockRecorded, ...]
    used_a_tool: str  # what claude printed
    command_lines: dict[int, bytes]  # of every process, while claude was running

    @property
    def environments(self) -> dict[str, bytes]:
        """Return what each of our processes was started with."""
        return {name: environment(pid) for name, pid in self.pids.items()}


@pytest.fixture(scope="module", params=["fork", variant("spawn")])
def scene(
    request: pytest.FixtureRequest,
    build_house: Build,
    anthropic_upstream: AnthropicStandin,
    bedrock_upstream: BedrockStandin,
) -> Iterator[Scene]:
    """Run claude on both routes, with instances started in either way."""
    with build_house(f"scene-{request.param}") as house:
        house.method = request.param
        assert house.command("start", "--wait").code == 0
        house.keys()
        yield play(house, anthropic_upstream, bedrock_upstream)


def play(
    house: House, anthropic_upstream: AnthropicStandin, bedrock_upstream: BedrockStandin
) -> Scene:
    """Cause answers, a tool call, errors; take the process list in the middle."""
    anthropic_upstream.clear()
    bedrock_upstream.clear()
    failing = {"CLAUDE_CODE_MAX_RETRIES": "0"}
    for model in ("opus", "haiku"):
        house.openclaude("-p", script.limit(), "--model", model, env=failing)
        house.openclaude("-p", script.error(403), "--model", model, env=failing)
    tool = ("-p", REMEMBER, "--model", "haiku", "--allowedTools", "Bash(echo:*)")
    used_a_tool = house.openclaude(*tool).out
    argv = (OPENCLAUDE, "--profile", PROFILE, "-p", SLOW, "--model", "opus")
    with house.start(argv, house.environment()) as running:
        assert anthropic_upstream.wait_until(
            lambda standin: any(SLOW.encode() in request.body for request in standin.requests)
        )
        command_lines = {pid: command_line(pid) for pid in pids()}
        assert running.wait(120) == 0
        running.communicate()
    units = house.pids()
    keys = house.keys()
    return Scene(
        house,
        units,
        keys["main"],
        keys["providers"],
        anthropic_upstream.requests,
        bedrock_upstream.requests,
        used_a_tool,
        command_lines,
    )


# Invariant 1: the plan's login goes to Anthropic and nowhere else ---------------------------------


@pytest.mark.parametrize("name", ["oauth", "refresh"])
def test_the_plans_login_is_in_no_file_but_claudes_own(scene: Scene, name: str) -> None:
    secret = getattr(scene.house.canaries, name)
    claudes = [scene.house.home / ".claude.json", scene.house.home / ".claude"]

    assert not files_with(scene.house.root, secret, but=claudes)
    assert files_with(scene.house.root, secret)


def test_the_plans_login_reaches_anthropic_and_no_byte_of_it_bedrock(scene: Scene) -> None:
    oauth = scene.house.canaries.oauth

    assert len(requests_with(scene.anthropic, oauth)) == len(scene.anthropic) >= 3
    assert len(scene.bedrock) >= 4
    assert "remembered" in scene.used_a_tool
    assert not requests_with(scene.bedrock, oauth)
    assert not requests_with((*scene.bedrock, *scene.anthropic), scene.house.canaries.refresh)


def test_the_plans_login_is_in_no_argv_and_no_environment(scene: Scene) -> None:
    for secret in (scene.house.canaries.oauth, scene.house.canaries.refresh):
        assert not [pid for pid, said in scene.command_lines.items() if holds(said, secret)]
        assert not [name for name, said in scene.environments.items() if holds(said, secret)]
    assert any(SLOW.encode() in said for said in scene.command_lines.values())
    assert all(scene.environments[name] for name in OURS)


def test_the_plans_login_was_never_in_the_memory_of_providers_or_the_supervisor(
    scene: Scene,
) -> None:
    try:
        assert memory_holds(scene.pids["main"], scene.main_key)
    except PermissionError:
        need(False, "the right to read another process's memory (root)")

    assert not memory_holds(scene.pids["providers"], scene.house.canaries.oauth)
    assert not memory_holds(scene.pids["supervisor"], scene.house.canaries.oauth)
    assert memory_holds(scene.pids["providers"], scene.house.canaries.aws_secret)


def test_providers_refuses_a_request_that_brings_a_login(
    scene: Scene, bedrock: BedrockStandin
) -> None:
    # not the house's own login, which another test must not find in its memory
    headers = raw.with_key(login_headers(ENV_TOKEN), scene.providers_key)
    body = question("hi", model="openclaude-haiku")

    refused = raw.ask(scene.house.record()["port"] + 1, headers, body)
    served = raw.ask(scene.house.record()["port"] + 1, headers[1:], body)

    assert refused.status == 424
    assert b"a credential that is not the local key" in refused.body
    assert served.status == 200
    assert len(bedrock.requests) == 1


# Invariant 2: a provider's credentials stay in providers ------------------------------------------


@pytest.mark.parametrize("name", ["aws_id", "aws_secret"])
def test_the_aws_key_is_in_no_file_but_its_own(scene: Scene, name: str) -> None:
    secret = getattr(scene.house.canaries, name)

    assert not files_with(scene.house.root, secret, but=[scene.house.home / ".aws"])
    assert files_with(scene.house.root, secret)


@pytest.mark.parametrize("name", ["aws_id", "aws_secret"])
def test_the_aws_key_reaches_neither_anthropic_nor_an_argv_nor_an_environment(
    scene: Scene, name: str
) -> None:
    secret = getattr(scene.house.canaries, name)

    assert not requests_with(scene.anthropic, secret)
    assert not [pid for pid, said in scene.command_lines.items() if holds(said, secret)]
    assert not [unit for unit, said in scene.environments.items() if holds(said, secret)]


def test_the_aws_secret_was_never_in_the_memory_of_main_or_the_supervisor(scene: Scene) -> None:
    need(os.geteuid() == 0, "the right to read another process's memory (root)")
    secret = scene.house.canaries.aws_secret

    assert not memory_holds(scene.pids["main"], secret)
    assert not memory_holds(scene.pids["supervisor"], secret)
    assert not requests_with(scene.bedrock, secret)
    assert len(requests_with(scene.bedrock, scene.house.canaries.aws_id)) == len(scene.bedrock)


def test_the_preloader_never_held_a_secret(scene: Scene) -> None:
    need(os.geteuid() == 0, "the right to read another process's memory (root)")
    preloader = scene.house.status()["preloader"]
    assert (preloader is None) == (scene.house.method == "spawn")
    if preloader:
        secrets = (scene.main_key, scene.providers_key, *scene.house.canaries)

        assert not [secret for secret in secrets if memory_holds(preloader["pid"], secret)]
        assert memory_holds(preloader["pid"], "LITELLM_LOCAL_MODEL_COST_MAP")


def test_main_has_no_variable_of_aws_or_of_a_login(scene: Scene) -> None:
    names = {entry.partition(b"=")[0] for entry in scene.environments["main"].split(b"\0")}

    # a fork shows what the forkserver was started with: the offline flags
    assert (b"ANTHROPIC_API_BASE" in names) == (scene.house.method == "spawn")
    assert b"LITELLM_MODE" in names
    assert not {name for name in names if name.startswith((b"AWS_", b"CLAUDE"))}
    assert not names & {b"ANTHROPIC_API_KEY", b"ANTHROPIC_AUTH_TOKEN", b"ANTHROPIC_BASE_URL"}


# The local keys, invariant 3's part of the same story ---------------------------------------------


def test_local_keys_stay_on_loopback(scene: Scene) -> None:
    for key in (scene.main_key, scene.providers_key):
        assert not requests_with(scene.anthropic, key)
        assert not requests_with(scene.bedrock, key)
        assert not [pid for pid, said in scene.command_lines.items() if holds(said, key)]
    assert scene.main_key != scene.providers_key
    assert len(scene.main_key) >= 64


def test_the_key_of_providers_is_in_no_file_and_mains_in_private_files_only(scene: Scene) -> None:
    assert not files_with(scene.house.root, scene.providers_key)
    holding = [Path(name) for name in files_with(scene.house.root, scene.main_key)]
    ours = {scene.house.folder, scene.house.home / ".local/state/claude-settings"}
    assert holding
    assert all(path.parent in ours and path.suffix == ".json" for path in holding)
    assert {path.stat().st_mode & 0o777 for path in holding} == {0o600}


# Invariant 5: nothing is sent to any host outside
# --------------------------------------------------


def test_no_packet_leaves_for_anywhere_but_loopback(tmp_path: Path) -> None:
    need(os.geteuid() == 0, "root, for a further network namespace")
    probe = (
        "unshare",
        "-n",
        "-m",
        "ip",
        "link",
        "add",
        "probe0",
        "type",
        "veth",
        "peer",
        "name",
        "probe1",
    )
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    need(subprocess.run(probe, env=env, capture_output=True).returncode == 0, "veth interfaces")
    argv = ("unshare", "-n", "-m", sys.executable, "-m", "tests.e2e.outside", str(tmp_path))

    ran = subprocess.run(argv, env=env, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)

    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["replies"] == [200] * 7
    assert seen["of_the_stack"] == []
    assert seen["of_the_control"] == ["192.0.2.53", "198.51.100.7"]
