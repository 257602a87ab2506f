"""The real claude, started in the ways of scripts, editors and menus."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import CLAUDE, PROFILE, House
from tests.e2e.test_e2e_settings import HAIKU, OPUS
from tests.pinned import CLAUDE_VERSION

STREAMED = ("--output-format", "stream-json", "--input-format", "stream-json", "--verbose")
QUESTION = json.dumps({"type": "user", "message": {"role": "user", "content": "hi"}}) + "\n"


def script(path: Path, text: str) -> Path:
    """Write an executable script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("how", ["exec {}", "{}", "exec {} --profile house"])
def test_a_script_named_claude_that_starts_openclaude_ends_in_the_real_one(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path, how: str
) -> None:
    """quirk 11: people make it so that an editor or a script uses openclaude."""
    text = f'#!/bin/sh\n{how.format(house.program)} "$@"\n'
    claude = script(tmp_path / "bin" / "claude", text)
    env = house.environment({"OPENCLAUDE_PROFILE": PROFILE})
    env["PATH"] = f"{claude.parent}:{env['PATH']}"

    assert house.run(("claude", "-p", "hi", "--model", "haiku"), env) == (0, HAIKU, "")
    assert house.run((house.program, "-p", "hi", "--model", "opus"), env) == (0, OPUS, "")
    status = house.run(("claude", "auth", "status"), env)
    assert (status.code, status.json()["loggedIn"]) == (0, True)
    version = house.run((house.program, "--version", "--json"), env).json()["data"]["claude"]
    assert version == CLAUDE_VERSION
    assert (len(anthropic.requests), len(bedrock.requests)) == (1, 1)


def test_an_editor_names_the_claude_to_wrap(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    """quirk 12: what VS Code runs with `claudeCode.claudeProcessWrapper`."""
    bundled = tmp_path / "native-binary" / "claude"
    bundled.parent.mkdir()
    bundled.symlink_to(CLAUDE)
    env = house.environment({"OPENCLAUDE_PROFILE": PROFILE})
    env["PATH"] = "/usr/bin:/bin"  # no claude on it: only the editor has one

    plugins = house.run((house.program, bundled, "plugin", "list", "--json"), env)
    status = house.run((house.program, bundled, "auth", "status"), env)
    chat = house.run((house.program, bundled, "-p", "hi", "--model", "haiku"), env)

    assert (plugins.code, plugins.err) == (0, "")
    assert isinstance(plugins.json(), list)
    assert (status.code, status.json()["loggedIn"]) == (0, True)
    assert chat == (0, HAIKU, "")
    assert (len(anthropic.requests), len(bedrock.requests)) == (0, 1)  # nothing became a question


def test_an_editor_chats_with_the_claude_it_names(
    house: House, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    bundled = tmp_path / "native-binary" / "claude"
    bundled.parent.mkdir()
    bundled.symlink_to(CLAUDE)
    question = tmp_path / "question"
    question.write_text(QUESTION)
    argv = f'exec "$0" "$1" --model haiku {" ".join(STREAMED)} < "{question}"'

    done = house.run(
        ("/bin/sh", "-c", argv, house.program, bundled),
        house.environment({"OPENCLAUDE_PROFILE": PROFILE, "PATH": "/usr/bin:/bin"}),
    )

    assert (done.code, done.err) == (0, "")
    result = next(one for one in done.lines() if one["type"] == "result")
    assert result["result"] == HAIKU.strip()
    assert len(bedrock.requests) == 1


@pytest.mark.parametrize("place", [".local/bin", ".claude/local"])
def test_a_claude_that_only_an_installer_knows_is_found(house: House, place: str) -> None:
    """quirk 13: a menu, cron or an editor has a short PATH and asks no shell for aliases."""
    folder = house.home / place
    folder.mkdir(parents=True)
    try:
        (folder / "claude").symlink_to(CLAUDE)
        done = house.openclaude("-p", "hi", "--model", "opus", env={"PATH": "/usr/bin:/bin"})
    finally:
        shutil.rmtree(folder)

    assert done == (0, OPUS, "")
