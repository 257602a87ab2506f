"""A stack from its first request to its last process, and what it leaves behind: nothing."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.house import OPENCLAUDE, PROFILE, House, login_headers, question
from tests.e2e.processes import processes_of, wait_until_none

ORPHANS_END_S = 60.0


def fingerprint(paths: Iterable[Path]) -> dict[str, str]:
    """Return every file below, with its mode, owner and a hash of its bytes; links as links."""
    found: dict[str, str] = {}
    for path in sorted(entry for root in paths for entry in (root, *root.rglob("*"))):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        told = f"{status.st_mode:o} {status.st_uid} {hashlib.sha256(content).hexdigest()}"
        found[str(path)] = told
    return found


def of_claude_and_aws(house: House) -> list[Path]:
    """Return the files that we must not write to."""
    return [*sorted(house.home.glob(".claude*")), house.home / ".aws"]


def test_start_requests_and_stop_leave_claudes_and_awss_files_and_no_process(
    empty_house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    before = fingerprint(of_claude_and_aws(empty_house))
    assert len(before) == 5

    assert empty_house.command("start", "--wait").code == 0
    record = empty_house.record()
    headers = raw.with_key(login_headers(empty_house.canaries.oauth), record["main_key"])
    for model in ("claude-opus-5-5", "openclaude-haiku"):
        assert raw.ask(record["port"], headers, question("hi", model=model)).status == 200
    assert len(processes_of(empty_house.root)) == 4  # with the forkserver
    stopped = empty_house.command("stop")

    assert stopped == (0, "house: stopped\n", "")
    assert not processes_of(empty_house.root)
    assert fingerprint(of_claude_and_aws(empty_house)) == before
    left = {path.name for path in empty_house.folder.rglob("*")}
    logs = {"lock", "main.log", "preloader.log", "providers.log", "supervisor.log"}
    assert left <= {*logs, "ca.pem", "tls.pem"}  # open sessions may still expect the certificate
    for port in (record["port"], record["port"] + 1):
        with pytest.raises(ConnectionRefusedError):
            raw.connect(port)


def test_a_launch_with_nothing_running_is_answered_and_the_next_uses_the_same_stack(
    empty_house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    settings = empty_house.write(".claude/settings.json", '{"theme": "dark"}\n')
    theirs = [empty_house.home / ".aws", settings]
    before = fingerprint(theirs)

    cold = empty_house.openclaude("-p", "hi", "--model", "haiku")
    pids = empty_house.pids()
    warm = empty_house.openclaude("-p", "hi", "--model", "opus")

    assert cold == (0, "bedrock stand-in: qwen.qwen3-next-80b-a3b\n", "")
    assert warm == (0, "anthropic stand-in: claude-opus-5-5\n", "")
    assert len(bedrock.requests) == len(anthropic.requests) == 1  # no client had to retry
    assert empty_house.pids() == pids
    assert fingerprint(theirs) == before


def test_a_killed_supervisor_leaves_no_orphan_and_the_next_launch_takes_its_place(
    empty_house: House, anthropic: AnthropicStandin
) -> None:
    assert empty_house.command("start", "--wait").code == 0
    record = empty_house.record()
    assert len(processes_of(empty_house.root)) == 4  # with the forkserver

    os.kill(record["pid"], signal.SIGKILL)

    assert not wait_until_none(empty_house.root, ORPHANS_END_S)
    assert empty_house.openclaude("-p", "hi", "--model", "opus").code == 0
    again = empty_house.record()
    assert again["pid"] != record["pid"]
    # sessions that are still open know this address and this key
    assert (again["port"], again["main_key"]) == (record["port"], record["main_key"])


def test_a_crashed_instance_costs_the_waiting_request_nothing(
    house: House, anthropic: AnthropicStandin
) -> None:
    before = house.pids()

    os.kill(before["main"], signal.SIGKILL)
    ran = house.openclaude("-p", "hi", "--model", "opus", env={"CLAUDE_CODE_MAX_RETRIES": "0"})

    assert ran == (0, "anthropic stand-in: claude-opus-5-5\n", "")
    after = house.pids()
    assert after["main"] != before["main"]
    assert {name: after[name] for name in ("supervisor", "providers")} == {
        name: before[name] for name in ("supervisor", "providers")
    }


def test_two_launches_at_once_share_one_stack(house: House, anthropic: AnthropicStandin) -> None:
    before = house.pids()
    slow = (OPENCLAUDE, "--profile", PROFILE, "-p", script.wait(1), "--model", "opus")
    env = house.environment()

    with house.start(slow, env) as one, house.start(slow, env) as two:
        ended = [process.communicate(timeout=120)[0] for process in (one, two)]

    assert ended == ["anthropic stand-in: claude-opus-5-5\n"] * 2
    assert anthropic.wait_until(lambda standin: len(standin.requests) == 2)
    assert house.pids() == before


def test_every_file_of_ours_is_private(house: House) -> None:
    ours = [house.home / ".local/state/openclaude", house.home / ".cache/openclaude"]
    files = [path for root in ours for path in root.rglob("*") if path.is_file()]
    folders = [path for root in ours for path in (root, *root.rglob("*")) if path.is_dir()]

    assert len(files) > 4
    assert {path.name: path.stat().st_mode & 0o777 for path in files} == dict.fromkeys(
        (path.name for path in files), 0o600
    )
    assert {path.name: path.stat().st_mode & 0o777 for path in folders} == dict.fromkeys(
        (path.name for path in folders), 0o700
    )
