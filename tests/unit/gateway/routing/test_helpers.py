"""claude's own helpers on a slot: which requests they are, and how their model is replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.contracts.routing import AnthropicAuth, RoutingTable, SlotRoute
from openclaude.gateway.routing.helpers import for_anthropic, helper_model, with_model
from openclaude.gateway.routing.routes import may_be_anthropics, slot_of_agent

SLOT, HAIKU = "openclaude-haiku", "claude-haiku-5-5"
SLOTS = {SLOT: SlotRoute(model="qwen", claude=HAIKU)}
PLAN = RoutingTable(slots=SLOTS)
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
READ = {"name": "Read", "description": "a file", "input_schema": {"type": "object"}}
PROBE = {"max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]}
WITH_SEARCH = {"max_tokens": 8192, "tools": [SEARCH]}


def asked(**more: Any) -> dict[str, Any]:
    """Return a request of the slot's."""
    return {"model": SLOT, "messages": [{"role": "user", "content": "hi"}], **more}


@pytest.mark.parametrize(
    "request_",
    [
        asked(tools=[SEARCH]),
        asked(tools=[READ, {"type": "web_fetch_20250910", "name": "web_fetch"}]),
        asked(tools=[{"type": "code_execution_20250825", "name": "code_execution"}]),
        asked(tools=[{"type": "web_search_20991231", "name": "of a later release"}]),
        asked(**PROBE),
        asked(**PROBE, tools=[]),
        asked(**PROBE, metadata={"user_id": "u"}, temperature=1),
    ],
)
def test_what_only_anthropic_can_answer_goes_there_on_a_plan(request_: dict[str, Any]) -> None:
    assert helper_model(PLAN, SLOT, request_) == HAIKU


def test_an_id_of_claudes_stays_as_claude_sent_it() -> None:
    newer = {**asked(tools=[SEARCH]), "model": "claude-haiku-6"}
    body = json.dumps(newer).encode()

    assert helper_model(PLAN, SLOT, newer) == "claude-haiku-6"
    assert for_anthropic(PLAN, SLOT, newer, body) == (newer, body)


@pytest.mark.parametrize(
    "request_",
    [
        asked(),
        asked(tools=[READ]),
        asked(tools=[{"name": "web_search", "input_schema": {"type": "object"}}]),
        asked(tools=[{"type": "custom", "name": "web_search_20250305"}]),
        asked(tools={"type": "web_search_20250305"}),
        asked(tools=["web_search_20250305", 7, None, {"type": 7}]),
        asked(max_tokens=1),  # of a model typed after `/model`, with claude's text
        asked(max_tokens=1, messages=[{"role": "user", "content": "Hi"}]),
        asked(max_tokens=1, messages="quota"),
        asked(max_tokens=2, messages=PROBE["messages"]),
        asked(max_tokens=1, messages=[*asked()["messages"], {"role": "user", "content": "quota"}]),
        asked(**PROBE, tools=[READ]),
        asked(output_config={"format": {"type": "json_schema"}}),  # a title
    ],
)
def test_everything_else_stays_with_the_slot(request_: dict[str, Any]) -> None:
    assert helper_model(PLAN, SLOT, request_) == ""


@pytest.mark.parametrize("auth", [AnthropicAuth.API_KEY, AnthropicAuth.NONE])
@pytest.mark.parametrize("more", [WITH_SEARCH, PROBE])
def test_without_a_plan_nothing_of_a_slot_goes_to_anthropic(
    auth: AnthropicAuth, more: dict[str, Any]
) -> None:
    assert helper_model(RoutingTable(slots=SLOTS, auth=auth), SLOT, asked(**more)) == ""


def test_searches_can_be_kept_from_anthropic_and_the_probe_holds_nothing_to_keep() -> None:
    table = RoutingTable(slots=SLOTS, searches_at_anthropic=False)

    assert helper_model(table, SLOT, asked(**WITH_SEARCH)) == ""
    assert helper_model(table, SLOT, asked(**PROBE)) == HAIKU


@pytest.mark.parametrize(
    "body",
    [
        '{"model":"openclaude-haiku","a":1}',
        ' {\n"a" : {"model":"openclaude-haiku"} ,\t"model"  :  "openclaude-haiku" , "b":[{}]}\n',
        '{"a":"\\"model\\":\\"openclaude-haiku\\"","model":"openclaude-haiku"}',
        '{"a":"\\ud83d cut, \\u00e9 é 🙂 \\u2028\u2028","model":"openclaude-haiku","c":1e400}',
        '{"a":"a\\ttab","model":"openclaude-haiku","b":-0.10,"c":12345678901234567890123}',
    ],
)
def test_only_the_models_value_is_exchanged(body: str) -> None:
    place = body.rindex('"openclaude-haiku"')

    changed = with_model(body.encode(), HAIKU).decode()

    assert changed == f'{body[:place]}"{HAIKU}"{body[place + len(SLOT) + 2 :]}'


def test_no_second_model_of_a_body_names_the_slot() -> None:
    body = b'{"mod\\u0065l":"openclaude-haiku","model":"openclaude-haiku","a":{"model":"x"}}'

    changed = with_model(body, HAIKU)

    assert SLOT.encode() not in changed
    assert json.loads(changed) == {"model": HAIKU, "a": {"model": "x"}}


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b"", b'{"a":1}', '{"model":"openclaude-haiku"}'.encode("utf-16"), b'{"model"'],
)
def test_a_body_without_a_place_for_the_model_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"model|object|Expecting|decode"):
        with_model(body, HAIKU)


@pytest.mark.parametrize(
    "path",
    ["/v1/messages/cache_touch", "/v1/files", "/v1/files/file_1-a~b.c/content"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_route_that_we_do_not_know_may_be_anthropics_with_a_plan_only(
    method: str, path: str
) -> None:
    assert may_be_anthropics(PLAN, method, path)
    assert not may_be_anthropics(PLAN._replace(auth=AnthropicAuth.NONE), method, path)
    assert not may_be_anthropics(PLAN._replace(auth=AnthropicAuth.API_KEY), method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(
            ("POST", path)
            for path in ("/v1", "/v1/", "/v1//x", "/v1/../key", "/v1/./x", "/v1/x/..")
        ),
        *(("POST", path) for path in ("/v2/messages", "/anthropic/v1/x", "/v1x/y", "/V1/messages")),
        *(("POST", path) for path in ("/v1/a b", "/v1/é", "/v1/a\n", "/v1/a?b", "/v1/%2e%2e/key")),
        ("POST", "/v1/" + "x" * 256),
        ("OPTIONS", "/v1/files"),
        ("TRACE", "/v1/files"),
    ],
)
def test_no_other_route_is(method: str, path: str) -> None:
    assert not may_be_anthropics(PLAN, method, path)


MOVED = PLAN._replace(agents={"Explore": SLOT})


@pytest.mark.parametrize(
    ("asking", "agent", "slot"),
    [
        (b"subagent", b"Explore", SLOT),
        (b"subagent", b"general-purpose", ""),
        (b"subagent", b"custom", ""),  # an agent of the user's, even one called Explore
        (b"auxiliary", b"Explore", ""),
        (b"", b"Explore", ""),
        (b"main", b"", ""),
        (b"subagent", b"\xff", ""),
    ],
)
def test_only_claudes_own_agent_is_moved(asking: bytes, agent: bytes, slot: str) -> None:
    assert slot_of_agent(MOVED, asking, agent) == slot
