"""Claude on Bedrock beside Claude on a plan: one session that changes between them, and back.

Both sign their thoughts and check what comes back, as the real ones do. Bedrock is asked with a
Bedrock API key.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import API_KEY, BedrockStandin
from tests.e2e.canaries import files_with, holds, requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import House, Ran
from tests.e2e.processes import environment, processes_of
from tests.e2e.test_e2e_secrets import in_memory
from tests.e2e.test_e2e_switching import (
    ALLOWED,
    assert_only_its_own_thoughts,
    blocks,
    thoughtful,
)

BOTH = "both"
OPUS = "us.anthropic.claude-opus-5-5"
GLM = "us.zai.glm-5.3"
VARIABLE = "AWS_BEARER_TOKEN_BEDROCK"


class Claudes(NamedTuple):
    """A house whose opus is Claude on Bedrock, its haiku another model there, and its key."""

    house: House
    bedrock: BedrockStandin
    key: str

    def run(self, word: str, *arguments: str) -> Ran:
        """Have a model think, call a tool, think again and answer."""
        more = ("--output-format", "json", *ALLOWED)
        prompt = ("-p", thoughtful(word))
        env = {VARIABLE: self.key}
        return self.house.openclaude(*prompt, *arguments, *more, profile=BOTH, env=env)


@pytest.fixture(scope="module")
def two(build_house: Build) -> Iterator[Claudes]:
    """A house without any AWS profile."""
    key = f"ABSK{secrets.token_hex(32)}"
    with build_house("two-claudes") as house, BedrockStandin(api_keys=frozenset({key})) as bedrock:
        for name in ("config", "credentials"):
            (house.home / ".aws" / name).unlink(missing_ok=True)
        tiers = f'[tiers]\nopus = "bedrock/{OPUS}"\nhaiku = "bedrock/{GLM}"\n'
        aws = f'api_key = "env:{VARIABLE}"\nregion = "us-west-2"\nendpoint_url = "{bedrock.url}"\n'
        house.write_own_profile(BOTH, f"{tiers}[aws]\n{aws}")
        yield Claudes(house, bedrock, key)


def test_a_session_moves_between_a_plan_and_bedrock_and_each_gets_its_own_thoughts_back(
    two: Claudes, anthropic: AnthropicStandin
) -> None:
    bedrock = two.bedrock
    bedrock.clear()
    first = two.run("one", "--model", "sonnet")
    resumed = ("--resume", first.json()["session_id"])
    second = two.run("two", "--model", "opus", *resumed)
    third = two.run("three", *resumed)  # with the model that the session had
    fourth = two.run("four", "--model", "sonnet", *resumed)

    answers = [ran.json()["result"] for ran in (first, second, third, fourth)]
    assert answers == ["said one", "said two", "said three", "said four"]
    assert_only_its_own_thoughts(anthropic)
    assert b"openclaude:" not in b"".join(request.body for request in anthropic.requests)
    asked = [one for one in bedrock.requests if one.json().get("tools")]
    assert [one.model_id for one in asked] == [OPUS] * 4
    assert [one.problems for one in asked] == [()] * 4  # it checks the signatures
    thoughts = [block["thinking"] for block in blocks(asked[-1]) if block["type"] == "thinking"]
    assert thoughts == ["thinking of two", "thinking after two", "thinking of three"]
    last = asked[-1].json()
    assert (last["max_tokens"], last["thinking"]["type"]) == (128_000, "adaptive")
    assert last["output_config"]["effort"]
    assert "cache_control" in json.dumps(last)
    (usage,) = [one for name, one in second.json()["modelUsage"].items() if "opus" in name.lower()]
    assert (usage["contextWindow"], usage["maxOutputTokens"]) == (1_000_000, 128_000)
    assert usage["cacheReadInputTokens"] > 0


def test_a_bedrock_api_key_reaches_bedrock_and_is_found_nowhere_else(
    two: Claudes, anthropic: AnthropicStandin
) -> None:
    two.bedrock.clear()
    house = two.house

    ran = [two.run("five", "--model", tier) for tier in ("opus", "haiku", "sonnet")]
    env = {VARIABLE: two.key}
    told = [house.command(word, profile=BOTH, env=env) for word in ("compile", "logs", "doctor")]

    assert [one.json()["result"] for one in ran] == ["said five"] * 3
    asked = two.bedrock.requests
    assert {one.model_id for one in asked} == {OPUS, GLM}
    assert {one.signed_by for one in asked} == {API_KEY}
    assert requests_with(anthropic.requests, two.key) == []
    stack = house.status(BOTH)
    pids = {unit["name"]: unit["pid"] for unit in stack["units"]}
    assert in_memory(pids["providers"], [two.key]) == {two.key}  # the search works
    assert in_memory(pids["main"], [two.key]) == set()
    assert in_memory(stack["preloader"]["pid"], [two.key]) == set()
    assert files_with(house.root, two.key) == []
    assert not [one for one in told if holds(f"{one.out}{one.err}".encode(), two.key)]
    assert "needs no AWS profile" in told[2].out
    for pid, command in processes_of(house.root).items():
        assert two.key not in command
        assert not holds(environment(pid), two.key)


def test_a_session_with_glm_between_plan_and_bedrock_meets_no_refusal_and_keeps_its_thoughts(
    two: Claudes, anthropic: AnthropicStandin
) -> None:
    two.bedrock.clear()
    first = two.run("one", "--model", "sonnet")
    resumed = ("--resume", first.json()["session_id"])
    words = {"two": ("--model", "haiku"), "three": (), "four": ("--model", "opus")}
    words |= {"five": ("--model", "sonnet"), "six": ("--model", "haiku")}
    answers = {word: two.run(word, *model, *resumed) for word, model in words.items()}

    assert {word: ran.json()["result"] for word, ran in answers.items()} == {
        word: f"said {word}" for word in words
    }
    assert_only_its_own_thoughts(anthropic)
    assert b"openclaude:" not in b"".join(request.body for request in anthropic.requests)
    asked = [one for one in two.bedrock.requests if b'"Bash"' in one.body]
    assert [one.model_id for one in asked] == [GLM] * 4 + [OPUS] * 2 + [GLM] * 2
    assert [one.problems for one in asked] == [()] * 8  # the rules of each family
    assert asked[0].json()["additionalModelRequestFields"]["reasoning_config"]
    thoughts = [
        block["reasoningContent"]["reasoningText"]
        for message in asked[-1].json()["messages"]
        for block in message["content"]
        if "reasoningContent" in block
    ]
    own = [f"thinking {when} {word}" for word in ("two", "three") for when in ("of", "after")]
    assert thoughts == [{"text": text} for text in (*own, "thinking of six")]
