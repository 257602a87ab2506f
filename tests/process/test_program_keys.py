"""`openclaude env`: a key for another program, which can be revoked."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import stat
from pathlib import Path
from typing import Any

import pytest

from openclaude.run.stack.program_keys import programs_file
from tests.process.world import TIMEOUT_S, World


def given(world: World, *arguments: str) -> dict[str, Any]:
    """Return what `openclaude env` says as JSON."""
    ran = world.run("env", *arguments, "--json")
    assert ran.status == 0, ran
    document: dict[str, Any] = json.loads(ran.out)
    return dict(document["data"])


def status_of(data: dict[str, Any]) -> int:
    """Return the status of a request as the program would send it."""
    name, _, value = data["variables"]["ANTHROPIC_CUSTOM_HEADERS"].partition(": ")
    context = ssl.create_default_context(cafile=data["certificate"])
    line = http.client.HTTPSConnection(
        "127.0.0.1", int(data["url"].rpartition(":")[2]), timeout=TIMEOUT_S, context=context
    )
    with contextlib.closing(line):
        line.request("GET", "/about", headers={name: value})
        return line.getresponse().status


def test_each_program_has_a_key_of_its_own_that_is_kept_as_a_digest(world: World) -> None:
    first, second = given(world), given(world, "--for", "editor")

    assert first["key"] != second["key"]
    assert world.record()["main_key"] not in (first["key"], second["key"])
    kept = programs_file(world.folder())
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    everything = "".join(
        path.read_text(errors="replace") for path in world.state.rglob("*") if path.is_file()
    )
    assert first["key"] not in everything
    assert second["key"] not in everything
    assert [one["name"] for one in world.status()["programs"]] == ["default", "editor"]
    assert "programs with a key: default, editor" in world.run("status").out


@pytest.mark.parametrize("word", ["env", "lock"])
def test_a_revoked_key_is_refused_by_its_file_alone(world: World, word: str) -> None:
    given(world, "--for", "editor")
    world.run("env", "--for", "other")

    ran = world.run("env", "--for", "editor", "--revoke") if word == "env" else world.run("lock")

    assert ran.status == 0
    left = [one["name"] for one in world.status().get("programs", [])]
    assert left == (["other"] if word == "env" else [])
    again = world.run("env", "--for", "editor", "--revoke")
    assert again.status == 1
    assert "no program named `editor` has a key of `qwen`" in again.err


def test_lines_are_for_a_shell_and_a_strange_name_is_refused(world: World, tmp_path: Path) -> None:
    ran = world.run("env", "--export")

    assert [line.partition("=")[0] for line in ran.out.splitlines()] == [
        "export ANTHROPIC_BASE_URL",
        "export ANTHROPIC_CUSTOM_HEADERS",
        "export NODE_EXTRA_CA_CERTS",
    ]
    assert world.run("env", "--for", "a\nb").status == 2
    assert world.run("env", "--for", "x" * 61).status == 2
