"""Counting: what is counted, who is asked, and that no refusal costs a session anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.counting.answering import (
    COUNT,
    MOST_AT_ONCE,
    Countable,
    ProviderCounts,
)
from openclaude.gateway.counting.asking import SlotCounts
from openclaude.gateway.counting.body import count_body
from openclaude.gateway.counting.claude import CountsOfClaude
from openclaude.gateway.counting.refusals import LONG_S, SHORT_S, Counter, CountRefused
from openclaude.gateway.http.asgi import own_request
from openclaude.gateway.http.own import Collected, once
from openclaude.gateway.litellm.router import has_own_address
from tests.unit.gateway.http.test_access import call

SLOT = "openclaude-opus"
HI = {"model": SLOT, "messages": [{"role": "user", "content": "hi"}]}
UNKNOWN = "The provided model doesn\u2019t support counting tokens."
DENIED = "User: x is not authorized to perform: bedrock:CountTokens"
RUNTIME, MANTLE = Counter
CLAUDE = Capabilities(claude_signer="bedrock")
OLDER = Capabilities(claude_signer="bedrock", thinks_by_budget=True)

Answer = int | tuple[int, str]


class Bedrock:
    """Answers counts as it is told, by who counts; notes who was asked."""

    def __init__(self, runtime: Any = 7, mantle: Any = 8) -> None:
        self.answers = {RUNTIME: runtime, MANTLE: mantle}
        self.asked: list[Counter] = []
        self.now = 0.0
        self.app = ProviderCounts(self.inner, self.find, timeout_s=0.05, clock=lambda: self.now)

    async def inner(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def find(self, document: Mapping[str, Any]) -> Countable | None:
        async def ask(counter: Counter) -> int:
            self.asked.append(counter)
            answer = self.answers[counter]
            if answer is None:  # it never answers
                await asyncio.Event().wait()
            if isinstance(answer, tuple):
                raise CountRefused(*answer)
            return int(answer)

        return Countable(SLOT, tuple(Counter), ask) if document else None

    def count(self, body: bytes = json.dumps(HI).encode()) -> Any:
        """Send one request of a client that stays."""
        self.asked.clear()
        reply = Collected()
        scope = own_request("POST", COUNT, [])
        asyncio.run(self.app(scope, once(body), reply.send))
        return reply.status, reply.document().get("input_tokens"), list(self.asked)


# the answers of both -> what a count becomes, who is asked now, in a moment, much later
TABLE: dict[str, tuple[Answer | None, Answer | None, int | None, Any, Any, Any]] = {
    "it counts": (7, 8, 7, [RUNTIME], [RUNTIME], [RUNTIME]),
    "another counts": ((400, UNKNOWN), 8, 8, [RUNTIME, MANTLE], [MANTLE], [RUNTIME, MANTLE]),
    "no such id": ((404, "x"), 8, 8, [RUNTIME, MANTLE], [MANTLE], [RUNTIME, MANTLE]),
    "nobody has it": (
        (400, UNKNOWN),
        (400, "model: not found"),
        None,
        [RUNTIME, MANTLE],
        [],
        [RUNTIME, MANTLE],
    ),
    "forbidden": ((403, DENIED), 8, None, [RUNTIME], [], [RUNTIME]),
    "forbidden there": (
        (400, UNKNOWN),
        (403, DENIED),
        None,
        [RUNTIME, MANTLE],
        [],
        [RUNTIME, MANTLE],
    ),
    "this request alone": ((400, "messages.0: odd"), 8, None, [RUNTIME], [RUNTIME], [RUNTIME]),
    "throttled": ((429, "slow down"), 8, None, [RUNTIME], [], [RUNTIME]),
    "out of order": ((500, "oops"), 8, None, [RUNTIME], [], [RUNTIME]),
    "silent": (None, 8, None, [RUNTIME], [], [RUNTIME]),
    "a number that is none": ((0, "odd"), 8, None, [RUNTIME], [], [RUNTIME]),
    "no way there": (
        (400, UNKNOWN),
        (503, "cannot reach"),
        None,
        [RUNTIME, MANTLE],
        [],
        [RUNTIME, MANTLE],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_who_is_asked_for_a_count_now_and_later(name: str) -> None:
    runtime, mantle, tokens, *asked = TABLE[name]
    bedrock = Bedrock(runtime, mantle)

    found = [bedrock.count()]
    bedrock.now += 1
    found.append(bedrock.count())
    bedrock.now += LONG_S
    found.append(bedrock.count())

    status = 503 if tokens is None else 200
    assert found == [(status, tokens, one) for one in asked]


def test_what_may_pass_is_tried_again_soon_and_what_was_cut_off_is_not() -> None:
    throttled = Bedrock((429, "slow down"))
    cut_off = Bedrock((400, UNKNOWN), (503, "cannot reach"))
    for one in (throttled, cut_off):
        one.count()
        one.now += SHORT_S

    assert throttled.count()[2] == [RUNTIME]
    assert cut_off.count()[2] == []


def test_a_refusal_is_said_once_in_the_log_without_what_a_terminal_obeys(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bedrock = Bedrock((403, "no\x1b[31m" + "x" * 1000))

    for _ in range(3):
        bedrock.count()

    (line,) = caplog.messages
    assert line.startswith("openclaude-opus: bedrock-runtime does not count its tokens (403: no")
    assert "\x1b" not in line
    assert len(line) < 500


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_what_cannot_be_counted_is_said_to_be_so(body: bytes) -> None:
    assert Bedrock().count(body) == (501, None, [])


def test_everything_else_is_passed_on() -> None:
    assert call(Bedrock().app, "POST", "/v1/messages", {}, [b"{}"]).status == 204


def test_a_burst_asks_a_few_at_a_time_and_a_refusal_stops_it() -> None:
    """As `/context` does, with nearly thirty at once."""
    bedrock = Bedrock((403, DENIED))
    countable = bedrock.find(HI)
    assert countable

    async def burst() -> list[int]:
        return await asyncio.gather(*(bedrock.app.count(countable) for _ in range(28)))

    assert asyncio.run(burst()) == [0] * 28
    assert len(bedrock.asked) <= MOST_AT_ONCE


# What is counted ---------------------------------------------------------------------------------

TOOL = {"name": "Read", "description": "reads", "input_schema": {"type": "object"}}


def body_of(capabilities: Capabilities = CLAUDE, **more: Any) -> dict[str, Any]:
    fitted = {"max_tokens": 64_000, "messages": HI["messages"], **more}
    return count_body(fitted, capabilities)


def test_what_has_no_tokens_of_its_own_is_not_sent() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    said = {"type": "text", "text": "hi", **mark}
    result = {"type": "tool_result", "tool_use_id": "a", "content": [said]}

    found = body_of(
        stream=True,
        metadata={"user_id": "me"},
        output_config={"effort": "high"},
        context_management={"edits": []},
        tool_choice={"type": "tool", "name": "Read"},
        system=[said],
        tools=[{**TOOL, **mark, "strict": True, "eager_input_streaming": True}],
        messages=[{"role": "user", "content": [said, result]}],
    )

    text = {"type": "text", "text": "hi"}
    assert found == {
        "max_tokens": 64_000,
        "system": [text],
        "tools": [TOOL],
        "messages": [{"role": "user", "content": [text, {**result, "content": [text]}]}],
    }


def test_every_turn_has_blocks_by_which_litellm_knows_anthropics_body() -> None:
    assert body_of()["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]


def test_a_tool_that_waits_to_be_found_has_no_tokens_and_one_that_was_found_has() -> None:
    reference = {"type": "tool_reference", "tool_name": "Found"}
    result = {"type": "tool_result", "tool_use_id": "a", "content": [reference]}
    deferred = [{**TOOL, "name": name, "defer_loading": True} for name in ("Found", "Waiting")]

    found = body_of(tools=[TOOL, *deferred], messages=[{"role": "user", "content": [result]}])

    assert [tool["name"] for tool in found["tools"]] == ["Read", "Found"]
    assert "defer_loading" not in json.dumps(found)
    assert found["messages"][0]["content"][0]["content"] == [{"type": "text", "text": "Found"}]


@pytest.mark.parametrize("asked", ["enabled", "adaptive"])
def test_thinking_is_asked_for_as_the_model_knows_it(asked: str) -> None:
    thinking = {"type": asked, "budget_tokens": 50_000, "display": "omitted"}

    assert body_of(thinking=thinking)["thinking"] == {"type": "adaptive"}
    older = body_of(OLDER, thinking=thinking, max_tokens=1)
    assert older["thinking"] == {"type": "enabled", "budget_tokens": 1024}
    assert older["max_tokens"] > 1024
    assert "thinking" not in body_of(thinking={"type": "disabled"})


def test_a_turn_of_the_system_is_a_part_of_the_users() -> None:
    turns = [*HI["messages"], {"role": "system", "content": "be brief"}]

    (turn,) = body_of(messages=turns)["messages"]

    assert turn["role"] == "user"
    assert "be brief" in json.dumps(turn)


# Whose requests ----------------------------------------------------------------------------------

OPUS = {
    "model_name": SLOT,
    "litellm_params": {"model": "bedrock/invoke/us.anthropic.claude-opus-5-5"},
    "model_info": {"max_output_tokens": 128_000},
}
GLM = {"model_name": "openclaude-haiku", "litellm_params": {"model": "bedrock/zai.glm-5.3"}}


def counts(answer: Answer = 7, *, has_own_address: bool = False) -> Callable[..., Any]:
    async def ask(_deployment: Any, _body: Any, *, at_mantle: bool) -> Answer:
        return answer if not at_mantle else 9

    return CountsOfClaude(lambda: [OPUS, GLM], ask, lambda _: has_own_address)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"model": SLOT},
        {"model": SLOT, "messages": []},
        {"model": SLOT, "messages": [{"role": "user", "content": [["x"]]}]},
        {**HI, "model": "openclaude-haiku"},
        {**HI, "model": "openclaude-fable"},
        {**HI, "model": ["x"]},
    ],
)
def test_nobody_is_asked_about_another_model_or_a_malformed_request(document: Any) -> None:
    assert counts()(document) is None


def answer_of(countable: Any, counter: Counter) -> int:
    async def ask() -> int:
        asking: Awaitable[int] = countable.ask(counter)
        return await asking

    return asyncio.run(ask())


def test_a_claude_of_bedrocks_is_counted_at_aws_own_addresses_only() -> None:
    countable = counts()(HI)
    assert [answer_of(countable, one) for one in Counter] == [7, 9]

    with pytest.raises(CountRefused) as refused:
        answer_of(counts(has_own_address=True)(HI), MANTLE)
    assert refused.value.status == 404
    with pytest.raises(CountRefused, match="no"):
        answer_of(counts((403, "no"))(HI), RUNTIME)


# In main -----------------------------------------------------------------------------------------


def asked_of_providers(
    status: int = 200, body: bytes = b'{"input_tokens":7}', *, timeout_s: float = 5.0
) -> tuple[int, dict[str, Any]]:
    """Return main's count, and the scope of the request that it made for it."""
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope, shown=(await receive())["body"])
        if not status:
            await asyncio.Event().wait()
        if status == -1:
            raise ValueError("LiteLLM's")
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    asking = SlotCounts(app, raw_body_key="raw", timeout_s=timeout_s)
    return asyncio.run(asking.count(SLOT, {**HI, "model": "claude-opus-5-5"})), seen


def test_main_asks_providers_by_the_slots_name_and_shows_litellm_no_text() -> None:
    found, seen = asked_of_providers()

    assert found == 7
    assert seen["path"] == f"/providers{COUNT}"
    assert json.loads(seen["state"]["raw"]) == HI
    assert json.loads(seen["shown"]) == {"model": SLOT}
    assert {name for name, _ in seen["headers"]} == {b"host", b"content-type", b"content-length"}
    assert own_request("POST", COUNT, [])["query_string"] == seen["query_string"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b'{"input_tokens":7}'),
        (501, b"{}"),
        (404, b""),
        (200, b""),
        (200, b"[" * 100_000),
        (200, b"[7]"),
        (200, b'{"input_tokens":"7"}'),
        (200, b'{"input_tokens":-7}'),
        (200, b'{"input_tokens":true}'),
        (200, b'{"input_tokens":7.5}'),
        (200, b'{"input_tokens":null}'),
        (-1, b""),
    ],
)
def test_what_is_no_count_is_none(status: int, body: bytes) -> None:
    assert asked_of_providers(status, body)[0] == 0


def test_main_waits_no_longer_than_that() -> None:
    assert asked_of_providers(0, timeout_s=0.05)[0] == 0


@pytest.mark.parametrize(
    ("address", "region", "is_own"),
    [
        ("", "us-west-2", False),
        ("https://bedrock-runtime.us-west-2.amazonaws.com", "us-west-2", False),
        ("https://bedrock-runtime.us-west-2.amazonaws.com.proxy.example", "us-west-2", True),
        ("https://bedrock-runtime.us-west-2.amazonaws.com@proxy.example", "us-west-2", True),
        ("https://vpce-1.bedrock-runtime.us-west-2.vpce.amazonaws.com", "us-west-2", True),
    ],
)
def test_an_address_that_only_begins_like_awss_is_somebodys_own(
    address: str, region: str, is_own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    params = {"aws_region_name": region, "aws_bedrock_runtime_endpoint": address or None}
    assert has_own_address({"litellm_params": params}) is is_own
