"""Claude on Bedrock beside Claude on a plan: one session that changes between them, and back.

Both sign their thoughts and check what comes back, as the real ones do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.conftest import Build
from tests.e2e.house import House, Ran
from tests.e2e.test_e2e_switching import (
    ALLOWED,
    assert_only_its_own_thoughts,
    blocks,
    thoughtful,
)

BOTH = "both"
OPUS = "us.anthropic.claude-opus-5-5"


@pytest.fixture(scope="module")
def two(build_house: Build) -> Iterator[House]:
    """A house whose opus is Claude on Bedrock, and whose sonnet is the plan's."""
    with build_house("two-claudes") as built:
        aws = 'profile = "openclaude"\nregion = "us-west-2"\n'
        aws = f'[aws]\n{aws}endpoint_url = "{built.bedrock_url}"\n'
        built.write_own_profile(BOTH, f'[tiers.opus]\nmodel = "bedrock/{OPUS}"\n{aws}')
        yield built


def run(house: House, word: str, *arguments: str) -> Ran:
    """Have a model think, call a tool, think again and answer."""
    more = ("--output-format", "json", *ALLOWED)
    return house.openclaude("-p", thoughtful(word), *arguments, *more, profile=BOTH)


def test_a_session_moves_between_a_plan_and_bedrock_and_each_gets_its_own_thoughts_back(
    two: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    first = run(two, "one", "--model", "sonnet")
    resumed = ("--resume", first.json()["session_id"])
    second = run(two, "two", "--model", "opus", *resumed)
    third = run(two, "three", *resumed)  # with the model that the session had
    fourth = run(two, "four", "--model", "sonnet", *resumed)

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
