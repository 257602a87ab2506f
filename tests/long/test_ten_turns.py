"""Ten turns with tools and thoughts, then a resume: every built-in profile, every way to think.

Each tier works through a session of the real claude, at once with the profile's others. The
stand-ins refuse what the model's family refuses, and a thought that comes back otherwise than it
went.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from openclaude.compile.resolve import Slot
from openclaude.models.catalog import Catalog
from openclaude.profile.schema import TIERS
from openclaude.providers.table import find_provider
from openclaude.providers.thinking import thinking_of
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.claude_rules import ClaudeRules
from openclaude.standins.bedrock.rules import ModelRules
from openclaude.standins.bedrock.sigv4 import Secret
from openclaude.standins.bedrock.standin import BedrockRecorded, BedrockStandin
from tests.e2e.canaries import requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import Canaries, House
from tests.e2e.providers import (
    CACHING,
    Everybody,
    Request,
    everybody,
    model_of,
    resolve_shipped,
    standin_of,
)
from tests.e2e.session import session
from tests.standins.openai.standin import OpenAIStandin

TURNS = 10
SHIPPED = resolve_shipped()
OFFLINE = "offline"  # its one sentence calls no tools
NOTES = "the notes say 42\n"
ALLOWED = ("--allowedTools", "Read", "Bash(echo:*)")
# Ways to think that no built-in profile has, one model for each
FURTHER = (
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",  # with a budget
    "us.openai.gpt-5.5",
    "us.xai.grok-4.7",
    "mistral.magistral-small-2509",
)
REUSED = 0.9  # of a session's prompts, in bytes
CACHED = 0.6  # of its tokens, where the provider caches by mark (measured: 0.69 for Nova)


class Worked(NamedTuple):
    """A tier's session."""

    word: str  # is in each of its prompts
    id: str
    answers: list[str]
    usage: list[dict[str, Any]]  # of each turn


def turn(house: House, word: str, number: int) -> str:
    """Return a prompt: think, use a tool, think, use another one, think, answer."""
    tag = f"{word}-{number}"
    notes = script.tool("Read", {"file_path": str(house.project / "notes.txt")})
    echo = script.tool("Bash", {"command": f"echo {tag}"})
    last = script.reasoning(f"last of {tag}") + script.say(f"said {tag}")
    return (
        f"turn {number} of {word} "
        + script.reasoning(f"first of {tag}")
        + notes
        + script.then(script.reasoning(f"second of {tag}") + echo)
        + script.then(last)
    )


def work(house: House, profile: str, tier: str, everyone_env: dict[str, str]) -> Worked:
    """Have a session of ten turns, and one more after a resume."""
    word = f"{tier}-{secrets.token_hex(3)}"
    answers, usage, name = [], [], ""
    with session(house, tier, *ALLOWED, profile=profile, env=everyone_env) as open_session:
        for number in range(TURNS):
            open_session.ask(turn(house, word, number))
            result = open_session.result()
            answers.append(str(result["result"]))
            usage.append(result["usage"])
            name = result["session_id"]
    resumed = ("--resume", name, *ALLOWED)
    with session(house, tier, *resumed, profile=profile, env=everyone_env) as open_session:
        open_session.ask(turn(house, word, TURNS))
        result = open_session.result()
        answers.append(str(result["result"]))
    return Worked(word, name, answers, usage)


def work_in_all(
    house: House, profile: str, tiers: Sequence[str], env: dict[str, str]
) -> dict[str, Worked]:
    """All these tiers at once."""
    with ThreadPoolExecutor(len(tiers)) as pool:
        working = {tier: pool.submit(work, house, profile, tier, env) for tier in tiers}
        return {tier: one.result() for tier, one in working.items()}


def of_session(requests: Iterable[Recorded], word: str) -> list[Recorded]:
    """Return the requests of a tier's conversation, without claude's own about it."""
    return [one for one in requests if f"turn 0 of {word} ".encode() in one.body and tools_of(one)]


def tools_of(request: Recorded) -> Any:
    """The tools of a request in whichever dialect."""
    body = request.json()
    return body.get("tools") or (body.get("toolConfig") or {}).get("tools")


def problems(requests: Iterable[Request]) -> list[str]:
    """What the provider found wrong, except what it accepted."""
    found = (problem for request in requests for problem in request.problems)
    return [problem for problem in found if not problem.startswith("note: ")]


def reused(requests: Sequence[Recorded]) -> float:
    """Return the share of a session's prompts that a cache by prefix would have had, in bytes."""
    prompts = [prompt_of(one.json()) for one in requests]
    shared = sum(common(*pair) for pair in pairwise(prompts))
    return shared / sum(len(prompt) for prompt in prompts[1:])


def common(before: str, after: str) -> int:
    """Return how many characters two prompts have in common, from the first one on."""
    pairs = zip(before, after, strict=False)
    most = min(len(before), len(after))
    return next((place for place, (one, other) in enumerate(pairs) if one != other), most)


def prompt_of(body: dict[str, Any]) -> str:
    """Return what a model reads, in the order in which it reads it: tools, system, conversation."""
    tools = body.get("tools") or body.get("toolConfig")
    system = body.get("system") or body.get("systemInstruction") or body.get("instructions")
    said = body.get("messages") or body.get("contents") or body.get("input")
    return json.dumps([tools, system]) + json.dumps(without_marks(said)).rstrip("]")


def without_marks(value: Any) -> Any:
    """The same without marks for a cache, which move from turn to turn."""
    if isinstance(value, dict):
        marks = ("cache_control",)
        return {key: without_marks(one) for key, one in value.items() if key not in marks}
    if isinstance(value, list):
        return [without_marks(one) for one in value if one != {"cachePoint": {"type": "default"}}]
    return value


def assert_worked(worked: Worked, requests: Sequence[Request | Recorded]) -> None:
    """Assert that each turn was answered, and what each request held."""
    expected = [f"said {worked.word}-{number}" for number in range(TURNS + 1)]
    assert worked.answers == expected
    assert len(requests) == 3 * (TURNS + 1), "each was asked once"
    last = requests[-1].body.decode()
    for number in range(TURNS + 1):
        assert f"echo {worked.word}-{number}" in last, "the whole session was resumed"


def assert_slot_worked(slot: Slot, worked: Worked, everyone: Everybody) -> None:
    """Assert that a slot's model did all of it, alone, and that nothing about it was wrong."""
    served = everyone.asked_with(f"turn 0 of {worked.word} ")
    assert list(served) == [standin_of(slot.first)]
    requests = [one for one in served[standin_of(slot.first)] if tools_of(one)]
    assert {one.model_id for one in requests} == {model_of(slot.first)}
    assert_worked(worked, requests)
    assert problems(requests) == []
    share = reused(requests)
    read = sum(one["cache_read_input_tokens"] for one in worked.usage)
    told = sum(one["input_tokens"] for one in worked.usage) + read
    print(f"{slot.tier} {slot.first.model}: {share:.1%} of the prompts, {read / told:.1%} read")
    if any(family in slot.first.model for family in CACHING):
        assert read / told > CACHED, "what is cached by mark comes back in `usage`"
    assert share > REUSED


@pytest.fixture(scope="module")
def everyone(
    canaries: Canaries, machine: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Everybody]:
    """Every provider, for the whole file."""
    with everybody(canaries, SHIPPED, tmp_path_factory.mktemp("internet")) as started:
        yield started


@pytest.fixture(scope="module")
def home(build_house: Build) -> Iterator[House]:
    """A home with a login, in which one profile after the other is used."""
    with build_house("ten-turns") as built:
        built.write("project/notes.txt", NOTES)
        yield built


@pytest.mark.parametrize("name", sorted(set(SHIPPED) - {OFFLINE}))
def test_a_profiles_tiers_think_and_use_tools_for_ten_turns_and_go_on_after_a_resume(
    home: House, everyone: Everybody, name: str
) -> None:
    everyone.clear()
    slots = {slot.tier: slot for slot in SHIPPED[name].slots}
    tiers = [*slots, *(["opus"] if "opus" not in slots else [])]  # Claude's own, beside them

    worked = work_in_all(home, name, tiers, everyone.environment())
    home.command("stop", profile=name)

    openai = everyone.providers["openai"]
    assert isinstance(openai, OpenAIStandin)
    thinking = [slot for slot in slots.values() if standin_of(slot.first) == "openai"]
    if thinking:  # each resumed session lost its thoughts, once
        assert openai.thoughts.resumed == len(thinking)
        assert {one.json().get("store") for one in openai.requests} == {False}
    openai.thoughts.resumed = 0
    for tier, one in worked.items():
        if tier in slots:
            assert_slot_worked(slots[tier], one, everyone)
        else:
            requests = of_session(everyone.anthropic.requests, one.word)
            assert_worked(one, requests)
            assert requests_with(everyone.anthropic.requests, "openclaude:") == []
    assert {reply.status for reply in everyone.anthropic.replies} <= {200, 404}
    assert everyone.internet.refused == []


def test_offline_says_its_sentence_ten_times_and_after_a_resume(
    home: House, everyone: Everybody
) -> None:
    everyone.clear()

    worked = work(home, OFFLINE, "haiku", everyone.environment())
    home.command("stop", profile=OFFLINE)

    assert len(worked.answers) == TURNS + 1
    assert {answer[:30] for answer in worked.answers} == {"This is the profile `offline`:"}
    assert everyone.requests() == []


def test_each_further_way_to_think_holds_ten_turns_and_a_resume(
    home: House, canaries: Canaries
) -> None:
    bedrock = find_provider("bedrock")
    used = {
        thinking_of(bedrock, model_of(one))
        for shipped in SHIPPED.values()
        for one in shipped.deployments
        if one.provider == "bedrock"
    }
    known = {
        thinking_of(bedrock, model.id)
        for model in Catalog.bundled().models("bedrock")
        if model.reasoning
    }
    assert known <= used | {thinking_of(bedrock, model) for model in FURTHER}, "none is left out"
    keys = {canaries.aws_id: Secret(canaries.aws_secret)}
    budgeted, *others = FURTHER
    with BedrockStandin(
        credentials=keys,
        models={name: ModelRules(max_output_tokens=128_000, vision=True) for name in others},
        claudes={
            budgeted: ClaudeRules(max_output_tokens=64_000, window=200_000, is_adaptive=False)
        },
    ) as standin:
        tiers = dict(zip(TIERS, FURTHER, strict=True))
        lines = [f'{tier} = "bedrock/{model}"' for tier, model in tiers.items()]
        aws = (
            f'[aws]\nprofile = "openclaude"\nregion = "us-west-2"\nendpoint_url = "{standin.url}"\n'
        )
        home.write_own_profile("further", "[tiers]\n" + "\n".join(lines) + "\n" + aws)

        worked = work_in_all(home, "further", list(TIERS), {})
        home.command("stop", profile="further")

        for tier, model in tiers.items():
            requests = of_session(standin.requests, worked[tier].word)
            asked = [one for one in requests if isinstance(one, BedrockRecorded)]
            assert {one.model_id for one in asked} == {model}
            assert_worked(worked[tier], asked)
            assert problems(asked) == []
            assert reused(asked) > REUSED
