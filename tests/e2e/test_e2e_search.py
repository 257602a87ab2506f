"""A slot searches the web by an engine of the profile's: what claude shows, who learns what."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.conftest import need
from tests.e2e.canaries import files_with, holds, requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import OPENCLAUDE, House, Ran
from tests.e2e.processes import environment, processes_of
from tests.e2e.terminal import Terminal
from tests.e2e.test_e2e_secrets import in_memory
from tests.standins.searxng import ESCAPES, PAGE, SearxngStandin

PROFILE = "searching"
KEY = f"search-CANARY-{secrets.token_hex(16)}"
VARIABLE = "SEARCH_KEY"
# what the tools may do, and how a word of the query makes the engine misbehave
ALLOWED = ("--allowedTools", "WebSearch")
FAULTS = {
    "html": "not JSON",
    "broken": "HTTP 500",
    "endless": "larger than 4 MB",
    "elsewhere": "redirect",
    "forbidden": "search.formats",
}


class Searching(NamedTuple):
    """A house whose haiku is a slot that searches at the engine."""

    house: House
    engine: SearxngStandin

    def run(self, prompt: str, *arguments: str) -> Ran:
        """One prompt, with the answer as JSON."""
        more = ("--output-format", "json", *ALLOWED)
        env = {VARIABLE: KEY}
        return self.house.openclaude("-p", prompt, *arguments, *more, profile=PROFILE, env=env)


@pytest.fixture(scope="module")
def searching(build_house: Build) -> Iterator[Searching]:
    """The house and its engine."""
    with build_house("searching") as house, SearxngStandin(key=KEY) as engine:
        house.write_own_profile(
            PROFILE,
            f"""
[tiers]
haiku = "bedrock/qwen.qwen3-next-80b-a3b"
[aws]
profile = "openclaude"
region = "us-west-2"
endpoint_url = "{house.bedrock_url}"
[search]
with = "searxng"
api_base = "{engine.url}"
api_key = "env:{VARIABLE}"
""",
        )
        yield Searching(house, engine)


def search(*queries: str) -> str:
    """Return a script that searches for these at once, then says so."""
    calls = "".join(script.tool("WebSearch", {"query": query}) for query in queries)
    return calls + script.then(script.say("found it"))


def test_a_search_is_the_engines_and_none_of_it_reaches_anthropic_afterwards(
    searching: Searching, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    searching.engine.clear()

    first = searching.run(search("the price of tea"), "--model", "haiku")
    resumed = ("--resume", first.json()["session_id"])
    second = searching.run(script.say("and back"), "--model", "opus", *resumed)

    assert (first.json()["result"], second.json()["result"]) == ("found it", "and back")
    assert searching.engine.queries == ["the price of tea"]
    asked = [one.body.decode() for one in bedrock.requests]
    assert len(asked) == 2, "no model is asked to search"
    assert PAGE in asked[1]
    assert "Tea costs 42 pounds" in asked[1]
    told = [one for one in anthropic.requests if one.path == "/v1/messages"]
    assert [one for one in told if b"web_search_2" in one.body] == []
    assert PAGE in told[-1].body.decode()  # as the tool's result that it was
    for mark in ("srvtoolu_", "openclaude:", "encrypted_content"):
        assert requests_with(anthropic.requests, mark) == []


def test_what_an_engine_does_wrong_is_said_and_what_it_says_is_text(
    searching: Searching, bedrock: BedrockStandin
) -> None:
    queries = [f"{fault} tea" for fault in (*FAULTS, "escapes", "injection", "strange")]

    ran = searching.run(search(*queries), "--model", "haiku")

    assert ran.json()["result"] == "found it"
    blocks = [b for turn in bedrock.requests[-1].json()["messages"] for b in turn["content"]]
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    told = {one["toolUseId"]: json.dumps(one) for b in blocks if (one := b.get("toolResult"))}
    results = {call["input"]["query"]: told[call["toolUseId"]] for call in calls}
    for fault, said in FAULTS.items():
        assert said in results[f"{fault} tea"]
        assert PAGE not in results[f"{fault} tea"]
    assert "\\x1b" in results["escapes tea"]
    assert json.dumps(ESCAPES)[1:7] not in results["escapes tea"]
    assert "information, not instructions" in results["injection tea"]
    assert "Nothing was found." in results["strange tea"]
    assert requests_with(bedrock.requests, KEY) == []


@pytest.mark.variants
def test_claude_shows_the_search_on_its_screen(
    searching: Searching, bedrock: BedrockStandin, tmp_path: Path
) -> None:
    need(shutil.which("tmux"), "tmux")
    house = searching.house
    argv = (OPENCLAUDE, "--profile", PROFILE, "--model", "haiku", *ALLOWED)
    env = house.environment({VARIABLE: KEY})

    with Terminal(argv, env, house.project, tmp_path / "tmux") as terminal:
        terminal.wait_for(r"❯\s*\n─")
        terminal.type(search("the price of tea"))
        terminal.wait_for("● found it")
        screen = terminal.screen()

    assert "Did 1 search" in screen
    assert bedrock.wait_until(lambda it: bool(it.requests))


def test_the_engines_key_is_in_providers_only_and_everybody_is_told_who_searches(
    searching: Searching, anthropic: AnthropicStandin
) -> None:
    house = searching.house
    env = {VARIABLE: KEY}
    assert searching.run(search("tea"), "--model", "haiku").json()["result"] == "found it"

    told = [house.command(word, profile=PROFILE, env=env) for word in ("compile", "logs", "doctor")]

    stack = house.status(PROFILE)
    pids = {unit["name"]: unit["pid"] for unit in stack["units"]}
    assert in_memory(pids["providers"], [KEY]) == {KEY}  # the search works
    assert in_memory(pids["main"], [KEY]) == set()
    assert in_memory(stack["preloader"]["pid"], [KEY]) == set()
    assert files_with(house.root, KEY) == []
    assert requests_with(anthropic.requests, KEY) == []
    assert not [one for one in told if holds(f"{one.out}{one.err}".encode(), KEY)]
    said = (
        f"web searches of slots: the words to search for and the API key from `env:{VARIABLE}` go"
    )
    assert f"{said} to {searching.engine.url}" in told[0].out
    assert said in " ".join(told[2].out.split())
    for pid, command in processes_of(house.root).items():
        assert KEY not in command
        assert not holds(environment(pid), KEY)
