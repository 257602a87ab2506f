"""A session taken up again keeps its model, and plain claude never asks for an id of ours.

claude restores no session's model where an alias is bound by a variable, and what it writes of a
session outlives openclaude: so it asks for a slot by Claude's own id of the tier, and replies give
the name of the model that answered (measured with 2.1.330).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import House
from tests.e2e.turns import turns

QWEN = "bedrock/qwen.qwen3-next-80b-a3b"
OWN_ALIASES = {f"ANTHROPIC_DEFAULT_{tier}_MODEL": "gpt-9" for tier in ("HAIKU", "OPUS", "SONNET")}


@pytest.fixture(autouse=True)
def no_session(house: House) -> None:
    """Give each test a folder without sessions, since `--continue` takes the newest."""
    for path in (house.home / ".claude/projects").rglob("*.jsonl"):
        path.unlink()


def models(anthropic: AnthropicStandin) -> list[str]:
    """Return the models that the turns at Anthropic asked for."""
    return [turn.json()["model"] for turn in turns(anthropic)]


def written(house: House) -> list[dict[str, Any]]:
    """Return the answers as claude's transcripts have them."""
    lines = [
        json.loads(line)
        for path in (house.home / ".claude/projects").rglob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    return [line for line in lines if line.get("type") == "assistant"]


def run(house: House, prompt: str, *arguments: str) -> str:
    """Run a turn through openclaude; return the session's id."""
    ran = house.openclaude("-p", prompt, "--output-format", "json", *arguments)
    assert ran.code == 0, ran
    return str(json.loads(ran.out)["session_id"])


@pytest.mark.parametrize("how", ["--continue", "-c", "--resume", "-r"])
def test_a_session_goes_on_with_the_slot_that_it_had(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, how: str
) -> None:
    session = run(house, "one", "--model", "haiku")
    named = [session] if how in ("--resume", "-r") else []

    run(house, "two", how, *named)

    assert models(anthropic) == []
    said = [request.body.decode() for request in bedrock.requests]
    assert any("one" in body and "two" in body for body in said)


@pytest.mark.parametrize("tier", ["sonnet", "opus"])
def test_a_session_goes_on_with_the_claude_model_that_it_had(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tier: str
) -> None:
    run(house, "one", "--model", tier)

    run(house, "two", "--continue")

    assert models(anthropic) == [f"claude-{tier}-5-5"] * 2
    assert not [request for request in bedrock.requests if b"toolConfig" in request.body]


def test_a_session_that_began_in_plain_claude_goes_on_with_its_model(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    assert house.claude("-p", "one", "--model", "haiku").code == 0
    assert models(anthropic) == ["claude-haiku-5-5"]

    run(house, "two", "--continue")

    assert models(anthropic) == ["claude-haiku-5-5"]
    assert any(b"toolConfig" in request.body for request in bedrock.requests)


@pytest.mark.parametrize("how", ["--continue", "--resume"])
def test_plain_claude_goes_on_with_a_session_of_a_slot_by_an_id_that_anthropic_knows(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, how: str
) -> None:
    session = run(house, "one", "--model", "haiku")
    named = [session] if how == "--resume" else []

    ran = house.claude("-p", "two", how, *named)

    assert ran == (0, "anthropic stand-in: claude-haiku-5-5\n", "")
    assert models(anthropic) == ["claude-haiku-5-5"]


def test_a_transcript_names_the_model_that_answered_and_no_id_of_ours(
    house: House, bedrock: BedrockStandin
) -> None:
    run(house, "one" + script.tool("Bash", {"command": "env"}), "--model", "haiku")

    answers = written(house)
    assert answers
    assert {line["message"]["model"] for line in answers} == {QWEN}
    assert {line["requestedModel"] for line in answers} == {"claude-haiku-5-5"}
    for path in (house.home / ".claude/projects").rglob("*.jsonl"):
        assert "openclaude-haiku" not in path.read_text()


def test_what_a_tool_of_a_session_starts_asks_for_no_id_of_ours(
    house: House, bedrock: BedrockStandin
) -> None:
    show = script.tool("Bash", {"command": "env | grep -c '=openclaude-' || true"})

    ran = house.openclaude("-p", show, "--model", "haiku", "--allowedTools", "Bash")

    assert (ran.code, ran.err) == (0, "")
    assert bedrock.requests
    results = [
        request.body.decode() for request in bedrock.requests if b"toolResult" in request.body
    ]
    assert results
    assert all('"text":"0"' in body.replace('": "', '":"') for body in results)


@pytest.mark.parametrize("saved", ["haiku", "claude-haiku-5-5"])
def test_a_saved_model_is_the_slot_here_and_claudes_own_in_plain_claude(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, saved: str
) -> None:
    settings = house.write(".claude/settings.json", json.dumps({"model": saved}))
    try:
        run(house, "one")
        assert models(anthropic) == []
        assert any(b"toolConfig" in request.body for request in bedrock.requests)

        assert house.claude("-p", "two").code == 0
        assert models(anthropic) == ["claude-haiku-5-5"]
    finally:
        settings.unlink()


def test_an_alias_of_the_users_own_does_not_lead_past_the_slot(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    ran = house.openclaude("-p", "one", "--model", "haiku", env=OWN_ALIASES)

    assert (ran.code, ran.err) == (0, "")
    assert models(anthropic) == []
    assert any(b"toolConfig" in request.body for request in bedrock.requests)


@pytest.mark.parametrize("model", ["claude-haiku-4-5-20251001", "claude-haiku-4-5"])
def test_an_older_model_of_the_tier_that_is_asked_for_by_name_stays_at_anthropic(
    house: House, anthropic: AnthropicStandin, model: str
) -> None:
    assert house.openclaude("-p", "one", "--model", model).code == 0

    assert models(anthropic) == [model]
