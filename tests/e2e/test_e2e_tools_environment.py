"""The user's own programs in claude's Bash tool find his key and his address, not ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from tests.e2e.house import House, Ran

KEY = "sk-ant-api03-CANARY-of-the-users-app"
GATEWAY = "https://gateway.corp.example"
SHOW = script.tool(
    "Bash", {"command": "env | grep -E '^(ANTHROPIC_(API_KEY|AUTH|BASE|CUSTOM)|MINE)' | sort; true"}
)


def tools(house: House, *arguments: str, **env: str) -> Ran:
    """Run a tool that shows what a program in it finds."""
    allowed = ("--allowedTools", "Bash(env:*)")
    return house.openclaude(*arguments, "-p", SHOW, "--model", "opus", *allowed, env=env)


@pytest.mark.parametrize("place", ["shell", "settings", "--settings"])
def test_launch_22_a_key_of_the_users_is_his_programs(
    house: House, anthropic: AnthropicStandin, place: str
) -> None:
    wishes = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": GATEWAY}
    settings = house.home / ".claude/settings.json"
    if place == "settings":
        settings.write_text(json.dumps({"env": wishes}))
    flag = ("--settings", json.dumps({"env": wishes})) if place == "--settings" else ()

    ran = tools(house, *flag, **(wishes if place == "shell" else {}))

    settings.unlink(missing_ok=True)
    assert f"ANTHROPIC_API_KEY={KEY}\nANTHROPIC_BASE_URL={GATEWAY}" in ran.out
    assert "ANTHROPIC_CUSTOM_HEADERS" not in ran.out
    for request in anthropic.requests:  # and claude itself goes on with the plan
        assert request.header("authorization") == f"Bearer {house.canaries.oauth}"
        assert request.header("x-api-key") is None
    assert ran.err == ""
    written = [path.read_bytes() for path in house.home.rglob("claude-settings/*")]
    assert all(KEY.encode() not in text for text in written)


def test_launch_22_without_an_address_of_his_own_they_ask_anthropic(house: House) -> None:
    ran = tools(house, ANTHROPIC_API_KEY=KEY)

    assert f"ANTHROPIC_API_KEY={KEY}" in ran.out
    assert "ANTHROPIC_BASE_URL" not in ran.out


def test_launch_22_the_users_own_hooks_run_as_well(house: House, tmp_path: Path) -> None:
    command = 'echo "export MINE=hooked" >>"$CLAUDE_ENV_FILE"'
    hooks = {"SessionStart": [{"hooks": [{"type": "command", "command": command}]}]}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"hooks": hooks}))

    ran = tools(house, "--settings", str(path), ANTHROPIC_AUTH_TOKEN=KEY)

    assert f"ANTHROPIC_AUTH_TOKEN={KEY}" in ran.out
    assert "MINE=hooked" in ran.out


def test_launch_22_who_has_no_key_has_no_hook(house: House) -> None:
    ran = tools(house)

    assert "ANTHROPIC_BASE_URL=https://127.0.0.1:" in ran.out
