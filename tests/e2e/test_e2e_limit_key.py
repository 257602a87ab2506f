"""The plan's limit with an API key of the user's: the same Claude goes on, the key stays put."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from openclaude.standins.anthropic.reply import request_headers, scripted_error
from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded, Reply
from tests.e2e.canaries import files_with, holds, requests_with
from tests.e2e.conftest import Build
from tests.e2e.house import Canaries, House, Ran
from tests.e2e.processes import environment, processes_of
from tests.e2e.test_e2e_secrets import in_memory

PROFILE = "on-key"
KEY = f"sk-ant-api03-CANARY-{secrets.token_hex(20)}"
VARIABLE = "MY_OWN_KEY"
ENV = {"CLAUDE_CODE_MAX_RETRIES": "0", VARIABLE: KEY}
NOTICE = "[your Claude plan's limit is reached: Claude {} 5.5 (anthropic) answers on your API key]"


class Limited(NamedTuple):
    """A house whose plan is used up, and Anthropic, which knows the plan and the key."""

    house: House
    anthropic: AnthropicStandin
    is_used_up: list[bool]  # of one

    def run(self, prompt: str, model: str, *more: str) -> Ran:
        """One prompt, with claude's events."""
        stream = ("--output-format", "stream-json", "--verbose", "--allowedTools", "Bash(echo:*)")
        argv = ("-p", prompt, "--model", model, *stream, *more)
        return self.house.openclaude(*argv, profile=PROFILE, env=ENV)


@pytest.fixture(scope="module")
def limited(build_house: Build, canaries: Canaries) -> Iterator[Limited]:
    """The house with its profile."""
    is_used_up = [True]

    def answer(request: Recorded) -> Reply | None:
        is_plans = request.header("authorization") is not None
        error = script.Error(status=429, is_limit=True)
        refused = is_used_up[0] and is_plans
        return scripted_error(error, request_headers(), now=0.0, wait_s=0.0) if refused else None

    admitted = frozenset({canaries.oauth, KEY})
    with (
        AnthropicStandin(credentials=admitted, answer=answer) as upstream,
        build_house("on-key") as house,
    ):
        house.anthropic_url = upstream.url
        house.write_own_profile(
            PROFILE,
            "",
            anthropic=f'on_limit = "anthropic/claude-*"\napi_key = "env:{VARIABLE}"',
        )
        yield Limited(house, upstream, is_used_up)


def texts(ran: Ran) -> list[str]:
    """The texts that claude received, in order."""
    assert (ran.code, ran.err) == (0, "")
    said = [event["message"] for event in ran.lines() if event["type"] == "assistant"]
    blocks = [block for message in said for block in message["content"]]
    return [block["text"].strip() for block in blocks if block["type"] == "text"]


def test_at_the_limit_the_same_claude_goes_on_with_the_key_and_the_plan_takes_it_back(
    limited: Limited,
) -> None:
    echo = script.tool("Bash", {"command": "echo from-the-tool"})
    thought = script.reasoning("a thought on the key")
    job = thought + echo + script.then(script.say("done"))

    limited.is_used_up[0] = True
    first = limited.run(job, "opus")
    limited.is_used_up[0] = False
    session = first.lines()[0]["session_id"]
    second = limited.run(script.say("and back"), "opus", "--resume", session)

    assert texts(first) == [NOTICE.format("Opus"), "done"]
    assert texts(second) == ["and back"]
    asked = [one for one in limited.anthropic.requests if one.path == "/v1/messages"]
    on_key = [one for one in asked if one.header("x-api-key") == KEY]
    assert {one.json()["model"] for one in asked} == {"claude-opus-5-5"}
    assert len(on_key) == 2
    assert "from-the-tool" in on_key[1].body.decode()
    assert "thinking" in on_key[0].json(), "it thinks as it does on the plan"
    assert b"a thought on the key" in on_key[1].body, "it gets its own thought back"
    assert {one.header("authorization") for one in on_key} == {None}
    assert {reply.status for reply in limited.anthropic.replies} <= {200, 404, 429}
    plans = [one for one in asked if one not in on_key]
    assert not [one for one in plans if b"a thought on the key" in one.body], "not the plan's"
    assert requests_with(plans, KEY) == []


def test_each_tier_is_answered_by_its_own_model_which_says_so(limited: Limited) -> None:
    limited.is_used_up[0] = True

    ran = limited.run(script.say("small"), "haiku")

    assert texts(ran) == [NOTICE.format("Haiku") + "\n\nsmall"] or texts(ran) == [
        NOTICE.format("Haiku"),
        "small",
    ]


def test_the_key_is_in_providers_only_and_compile_says_where_it_goes(limited: Limited) -> None:
    house = limited.house
    limited.is_used_up[0] = True
    limited.run(script.say("hello"), "opus")

    told = [house.command(word, profile=PROFILE, env=ENV) for word in ("compile", "logs", "doctor")]

    stack = house.status(PROFILE)
    pids = {unit["name"]: unit["pid"] for unit in stack["units"]}
    assert in_memory(pids["providers"], [KEY]) == {KEY}
    assert in_memory(pids["main"], [KEY, house.canaries.oauth]) <= {house.canaries.oauth}
    assert in_memory(pids["providers"], [house.canaries.oauth]) == set()
    assert in_memory(stack["preloader"]["pid"], [KEY]) == set()
    assert files_with(house.root, KEY) == []
    assert not [one for one in told if holds(f"{one.out}{one.err}".encode(), KEY)]
    assert (
        "opus, when your plan's limit is reached: conversations and the API key from "
        f"`env:{VARIABLE}` go to {limited.anthropic.url}"
    ) in told[0].out
    for pid, command in processes_of(house.root).items():
        assert KEY not in command
        assert not holds(environment(pid), KEY)
