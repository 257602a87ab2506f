"""quirks 03 and 14: what another session, or another set-up, has left in the environment.

Variables of an outer session are not taken for the user's own, and a model that nobody here has is
named with the variable that asks for it.
"""

from __future__ import annotations

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import OPENCLAUDE, House
from tests.e2e.turns import turns

BEDROCKS = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"


def models(anthropic: AnthropicStandin) -> list[str]:
    """Return the models that the turns at Anthropic asked for."""
    return [turn.json()["model"] for turn in turns(anthropic)]


def test_a_session_of_another_profile_inside_a_session_has_its_own_models(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    """As from a Bash tool, or a tmux server that was started in a session."""
    house.write_own_profile("planonly", '[tiers]\nhaiku = "claude"\n[listen]\nport = 4720\n')
    inner = f"{OPENCLAUDE} --profile planonly -p inner --model haiku > inner.txt 2>&1"
    show = script.tool("Bash", {"command": inner})
    try:
        ran = house.openclaude("-p", show, "--model", "haiku", "--allowedTools", "Bash")
    finally:
        house.command("stop", profile="planonly")

    assert (ran.code, ran.err) == (0, "")
    said = (house.project / "inner.txt").read_text()
    assert said == "anthropic stand-in: claude-haiku-5-5\n", said
    assert models(anthropic) == ["claude-haiku-5-5"]
    assert any(b"toolResult" in request.body for request in bedrock.requests)


def test_a_model_of_another_set_up_is_named_with_its_variable(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    left = {
        "ANTHROPIC_MODEL": BEDROCKS,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "eu.anthropic.claude-opus-4-5-20251101-v1:0",
        "ANTHROPIC_SMALL_FAST_MODEL": "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
    }

    pinned = house.openclaude("-p", "hi", env=left)
    chosen = house.openclaude("-p", "hi", "--model", "haiku", env=left)
    tier = house.openclaude("-p", "hi", "--model", "opus", env=left)

    assert "openclaude: ANTHROPIC_MODEL asks for the model `eu.anthropic" in pinned.err
    assert "remove ANTHROPIC_MODEL, or choose another model with --model" in pinned.err
    assert (chosen.code, chosen.err) == (0, "")
    assert "openclaude: ANTHROPIC_DEFAULT_OPUS_MODEL asks for the model `eu." in tier.err
    assert any(b"toolConfig" in request.body for request in bedrock.requests)


@pytest.mark.parametrize("where", ["shell", "settings"])
def test_doctor_names_it_and_what_it_says_is_a_way_out(house: House, where: str) -> None:
    settings = house.home / ".claude/settings.json"
    env = {"ANTHROPIC_MODEL": BEDROCKS} if where == "shell" else {}
    if where == "settings":
        settings.write_text(f'{{"env": {{"ANTHROPIC_MODEL": "{BEDROCKS}"}}}}')
    try:
        found = house.command("doctor", "--json", env=env).json()["data"]["diagnostics"]
        (pinned,) = [one for one in found if one["code"] == "model-pinned"]
        assert BEDROCKS in pinned["message"]
        assert "ANTHROPIC_MODEL" in pinned["fix"]
    finally:
        settings.unlink(missing_ok=True)
    without = house.openclaude("-p", "hi", "--model", "haiku")
    assert (without.code, without.err) == (0, "")
