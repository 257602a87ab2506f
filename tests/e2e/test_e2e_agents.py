"""Subagents: work that the main model gives to haiku is done through Bedrock, with tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.e2e.house import House, Ran

MAKE = script.tool("Bash", {"command": "echo from-the-helper"})
AGENT_HEADER = "x-claude-code-agent-id"
ALLOWED = ("--allowedTools", "Agent", "Bash(echo:*)", "Read")


def hand_over(agent: str, prompt: str, *, background: bool = False) -> str:
    """Return a script for the main model: give `prompt` to an agent, then end."""
    call = {"description": "a small job", "prompt": prompt, "subagent_type": agent}
    arguments = {**call, "run_in_background": background}
    return script.tool("Agent", arguments) + script.then(script.say("all is done"))


def events(ran: Ran) -> list[dict[str, object]]:
    """Return claude's output, event by event; it ended well."""
    assert (ran.code, ran.err) == (0, "")
    return ran.lines()


def assert_served(requests: tuple[BedrockRecorded, ...], key_id: str) -> None:
    """Assert that Bedrock accepted every request."""
    assert [request.signed_by for request in requests] == [key_id] * len(requests)
    assert not [
        problem
        for request in requests
        for problem in request.problems
        if not problem.startswith("note: ")
    ]


def ledgers_agents(house: House, session: str) -> dict[str, str]:
    """How the requests of a session went, by the id of the agent that asked."""
    argv = (house.program, "requests", "--session", session, "-n", "100", "--json")
    ran = house.run(argv, house.environment())
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)["data"]["requests"]
    return {one["agent_id"]: one["via"] for one in found}


@pytest.fixture
def explore_on_haiku(house: House) -> Iterator[None]:
    """Add `[agents] explore` to the house's profile, for the duration of the test."""
    path = house.home / ".config/openclaude/profiles/house.toml"
    before = path.read_text()
    path.write_text(f'{before}\n[agents]\nexplore = "haiku"\n')
    yield
    path.write_text(before)


@pytest.mark.parametrize("background", [False, True])
def test_an_agent_on_haiku_uses_its_tools_through_bedrock(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, background: bool
) -> None:
    house.write_agent("helper", description="Does jobs", model="haiku", tools="Bash, Read")
    house.write("project/notes.txt", "the notes say 42\n")
    notes = {"file_path": str(house.project / "notes.txt")}
    job = (
        MAKE
        + script.then(script.tool("Read", notes))
        + script.then(script.say("the helper is done"))
    )
    arguments = (hand_over("helper", job, background=background), "--model", "opus", *ALLOWED)

    ran = house.openclaude("-p", *arguments, "--output-format", "stream-json", "--verbose")

    said = json.dumps(events(ran))
    assert "the helper is done" in said
    assert "all is done" in said
    assert_served(bedrock.requests, house.canaries.aws_id)
    first, second, third = (request.body.decode() for request in bedrock.requests)
    assert "from-the-helper" not in first
    assert "from-the-helper" in second
    assert "the notes say 42" in third
    assert {request.json()["model"] for request in anthropic.requests} == {"claude-opus-5-5"}
    assert all(request.header(AGENT_HEADER) is None for request in anthropic.requests)
    told = ledgers_agents(house, str(events(ran)[-1]["session_id"]))
    (agent_id,) = {one for one in told if told[one] == "slot"}
    assert re.fullmatch("[0-9a-f]{8,}", agent_id)
    assert told == {agent_id: "slot", "": "plan"}


def test_explore_is_claudes_own_and_on_the_main_model_unless_the_profile_moves_it(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    prompt = hand_over("Explore", script.say("explored"))

    assert house.openclaude("-p", prompt, "--model", "opus", *ALLOWED).code == 0
    assert not bedrock.requests
    (agent_id,) = {r.header(AGENT_HEADER) for r in anthropic.requests} - {None}
    session = {r.header("x-claude-code-session-id") for r in anthropic.requests}.pop()
    assert session
    assert ledgers_agents(house, session) == {agent_id: "plan", "": "plan"}


def test_explore_moves_to_haiku_beside_the_users_own_agents(
    house: House, bedrock: BedrockStandin, anthropic: AnthropicStandin, explore_on_haiku: None
) -> None:
    mine = {"mine": {"description": "Mine", "prompt": "I am mine.", "model": "haiku"}}
    before = house.pids()

    for agent in ("Explore", "mine"):
        prompt = hand_over(agent, script.say(f"{agent} was here"))
        arguments = ("--model", "opus", "--agents", json.dumps(mine), *ALLOWED)
        assert house.openclaude("-p", prompt, *arguments).code == 0

    explored, mined = (json.dumps(request.json()) for request in bedrock.requests)
    assert "You explore a codebase" in explored
    assert "I am mine." in mined
    assert_served(bedrock.requests, house.canaries.aws_id)
    # only claude's settings have changed: the proxies keep running
    assert house.pids() == before


def test_an_agent_of_the_users_own_called_explore_wins(
    house: House, bedrock: BedrockStandin, anthropic: AnthropicStandin, explore_on_haiku: None
) -> None:
    own = {"Explore": {"description": "Mine", "prompt": "My own Explore.", "model": "sonnet"}}
    prompt = hand_over("Explore", script.say("explored"))

    ran = house.openclaude("-p", prompt, "--model", "opus", "--agents", json.dumps(own), *ALLOWED)

    assert ran.code == 0
    assert not bedrock.requests
    (explored,) = [r for r in anthropic.requests if r.header(AGENT_HEADER)]
    assert explored.json()["model"] == "claude-sonnet-5-5"
    assert "My own Explore." in explored.body.decode()
