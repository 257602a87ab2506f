"""`[agents]`: which model serves a subagent, as seen by the upstream that gets the request.

In this profile opus and sonnet are slots, one OpenAI-compatible and one on Bedrock; haiku and fable
are Claude's, and the main model is always fable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.conftest import variant
from tests.e2e.house import MIXED, MIXED_ENV, House, Ran
from tests.standins.judged import Judged
from tests.standins.openai.standin import OpenAIStandin

AGENT_HEADER = "x-claude-code-agent-id"
MAIN = "claude-fable-5-2"
ALLOWED = ("--allowedTools", "Agent", "Bash(echo:*)", "Read")

Move = Callable[[str], None]
Who = Callable[[], str]


@pytest.fixture
def move(mixed: House) -> Iterator[Move]:
    """Write the profile's `[agents]`, for the duration of the test."""
    path = mixed.home / f".config/openclaude/profiles/{MIXED}.toml"
    before = path.read_text()

    def write(agents: str) -> None:
        path.write_text(f"{before}\n[agents]\n{agents}\n")

    yield write
    path.write_text(before)


@pytest.fixture
def who(anthropic: AnthropicStandin, bedrock: BedrockStandin, thinker: OpenAIStandin) -> Who:
    """Return which server had the one subagent; the main model's requests went to Anthropic."""

    def tell() -> str:
        main = [r for r in anthropic.requests if not r.header(AGENT_HEADER)]
        assert {request.json()["model"] for request in main} == {MAIN}
        raw = [str(r.json()["model"]) for r in anthropic.requests if r.header(AGENT_HEADER)]
        slots: list[BedrockRecorded | Judged] = [*bedrock.requests, *thinker.requests]
        served = raw + [r.model_id for r in slots]
        problems = [p for r in slots for p in r.problems]
        assert [problem for problem in problems if not problem.startswith("note: ")] == []
        assert len(set(served)) == 1, served
        return served[0]

    return tell


def hand_over(house: House, agent: str, *arguments: str, model: str = "") -> Ran:
    """Make the main model give an agent a job with a tool."""
    echo = script.tool("Bash", {"command": "echo from-the-agent"})
    job = echo + script.then(script.say("the agent is done"))
    call = {"description": "a small job", "prompt": job, "subagent_type": agent}
    asked = {**call, "run_in_background": False, **({"model": model} if model else {})}
    prompt = script.tool("Agent", asked) + script.then(script.say("all is done"))
    more = ("--model", "fable", *ALLOWED, *arguments)
    ran = house.openclaude("-p", prompt, *more, profile=MIXED, env=MIXED_ENV)
    assert ran == (0, "all is done\n", "")
    return ran


@pytest.mark.parametrize(
    ("moved", "agent", "served"),
    [
        variant("", "general-purpose", MAIN),
        ("", "Explore", "thinker-1"),  # claude's own rule: the main model's tier, at most opus
        ('explore = "sonnet"', "Explore", "qwen.qwen3-coder-next"),
        variant('explore = "sonnet"', "Plan", MAIN),
        variant('plan = "opus"', "Plan", "thinker-1"),
        variant('plan = "opus"', "general-purpose", MAIN),
        ('general = "sonnet"', "general-purpose", "qwen.qwen3-coder-next"),
        variant('general = "sonnet"', "Explore", "thinker-1"),
        ('all = "opus"', "Explore", "thinker-1"),
        variant('all = "opus"', "general-purpose", "thinker-1"),
        ('all = "haiku"', "Explore", "claude-haiku-5-5"),
    ],
)
def test_a_subagent_is_served_by_the_tier_it_is_moved_to(
    mixed: House, move: Move, who: Who, moved: str, agent: str, served: str
) -> None:
    move(moved)

    hand_over(mixed, agent)

    assert who() == served


def test_an_agent_that_asks_for_a_model_itself_keeps_it_under_general(
    mixed: House, move: Move, who: Who
) -> None:
    move('general = "sonnet"')

    hand_over(mixed, "general-purpose", model="opus")

    assert who() == "thinker-1"


def test_an_agent_that_asks_for_a_model_itself_is_moved_by_all(
    mixed: House, move: Move, who: Who
) -> None:
    move('all = "sonnet"')
    mixed.write_agent("eager", description="Does jobs", model="opus", tools="Bash")

    hand_over(mixed, "eager")

    assert who() == "qwen.qwen3-coder-next"


def test_the_users_own_agents_stay_and_win_over_a_moved_one_of_the_same_name(
    mixed: House, move: Move, who: Who, bedrock: BedrockStandin, thinker: OpenAIStandin
) -> None:
    move('explore = "sonnet"\nplan = "sonnet"')
    own = {
        "Plan": {"description": "Mine", "prompt": "My own Plan.", "model": "opus"},
        "mine": {"description": "Mine too", "prompt": "I am mine.", "model": "opus"},
    }

    hand_over(mixed, "Plan", "--agents", json.dumps(own))
    hand_over(mixed, "mine", "--agents", json.dumps(own))

    assert who() == "thinker-1"
    first, *_, last = (request.body.decode() for request in thinker.requests)
    assert "My own Plan." in first
    assert "I am mine." in last
    hand_over(mixed, "Explore", "--agents", json.dumps(own))
    assert "You explore a codebase" in bedrock.requests[0].body.decode()
