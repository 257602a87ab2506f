"""A request for Claude on Bedrock: as claude sent it, without what Bedrock cannot read."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.requests.request import fit_request
from openclaude.gateway.requests.signatures import marked
from openclaude.gateway.requests.tools import PLACEHOLDER, Refused
from tests.standins.tool_schema import refused_by_claude

OPUS = Capabilities(max_output_tokens=128_000, claude_signer="bedrock")
OLDER = OPUS._replace(thinks_by_budget=True)
TEXT = {"type": "text", "text": "hi"}
MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
BASH = {"name": "Bash", "input_schema": {"type": "object"}, "eager_input_streaming": True}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a", "is_error": True}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": marked("bedrock", "c2ln")}
CITED = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "words"},
    "title": "a.txt",
    "citations": {"enabled": True},
}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}


def fit(*content: Any, model: Capabilities = OPUS, **more: Any) -> dict[str, Any]:
    """Return the fitted request; each content is a turn, and the user speaks first."""
    turns = [
        {"role": ("user", "assistant")[place % 2], "content": said}
        for place, said in enumerate(content)
    ]
    return fit_request({"model": "x", "max_tokens": 10, "messages": turns, **more}, model)


@pytest.mark.parametrize(
    "block",
    [
        {**TEXT, **MARK},
        CITED,
        {"type": "search_result", "source": "a", "title": "b", "content": [TEXT]},
        PNG,
        {**RESULT, "content": [TEXT, PNG, {"type": "tool_reference", "tool_name": "x"}]},
        RESULT,
    ],
)
def test_a_block_that_claude_reads_is_the_same_object(block: dict[str, Any]) -> None:
    (sent,) = fit([block], model=OPUS._replace(supports_vision=True))["messages"]

    assert sent["content"] == [block]


def test_the_top_level_goes_with_it_except_what_names_the_account() -> None:
    more: dict[str, Any] = {
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"effort": "xhigh"},
        "tools": [{**BASH, **MARK}],
        "tool_choice": {"type": "auto"},
        "stop_sequences": ["x"],
        "stream": True,
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
    }

    sent = fit("hi", **more, metadata={"user_id": "u"}, safeguards=[], speed="fast")

    assert {key: sent[key] for key in more} == more
    assert sent["metadata"] == {}
    assert not {"safeguards", "speed", "provider_specific_header"} & sent.keys()


def test_a_thought_goes_back_to_bedrock_and_that_of_another_does_not() -> None:
    plans = {**THOUGHT, "signature": "EqQB"}
    sealed = {"type": "redacted_thinking", "data": marked("bedrock", "c2Vh")}
    unsigned = {**THOUGHT, "signature": marked("bedrock", "")}

    sent = fit("hi", [THOUGHT, plans, sealed, unsigned, TEXT])["messages"][1]["content"]

    assert sent == [{**THOUGHT, "signature": "c2ln"}, {**sealed, "data": "c2Vh"}, TEXT]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "thinking", "thinking": "x"},
        {**TEXT, "text": " \n"},
    ],
)
def test_a_turn_of_nothing_that_claude_may_see_is_not_empty(block: dict[str, Any]) -> None:
    assert fit("hi", [block])["messages"][1]["content"] == [
        {"type": "text", "text": "(no content)"}
    ]


def test_what_is_not_in_the_request_itself_becomes_words() -> None:
    url = {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}
    found = {"type": "web_search_tool_result", "content": [{"title": "T", "url": "U"}]}

    said = fit([url, found], model=OPUS._replace(supports_vision=True))["messages"][0]["content"]

    assert [block["type"] for block in said] == ["text", "text"]
    assert "not fetched" in said[0]["text"]
    assert "T (U)" in said[1]["text"]


def test_the_line_that_changes_with_each_request_is_left_out_of_the_system_prompt() -> None:
    line = "x-anthropic-billing-header: cc_version=1; cch=%d;"
    rest = {**TEXT, **MARK}

    for number in (1, 2):
        assert fit("hi", system=[{**TEXT, "text": line % number}, rest])["system"] == [rest]
        assert fit("hi", system=f"{line % number}\nrest")["system"] == "rest"
    assert "system" not in fit("hi", system=[{**TEXT, "text": line % 1}])


def test_tools_that_are_found_by_a_search_bring_bedrocks_name_for_it() -> None:
    expected = {
        "custom_llm_provider": "bedrock",
        "extra_headers": {"anthropic-beta": "tool-search-tool-2025-10-19"},
    }
    found = {**RESULT, "content": [{"type": "tool_reference", "tool_name": "x"}]}

    deferred = fit("hi", tools=[BASH, {**BASH, "name": "x", "defer_loading": True}])
    referred = fit([TEXT], [CALL], [found], tools=[BASH])

    assert deferred["provider_specific_header"] == expected
    assert referred["provider_specific_header"] == expected
    assert "provider_specific_header" not in fit("hi", tools=[BASH])


def test_the_betas_that_claude_asks_of_its_own_host_are_not_passed_on() -> None:
    headers = {"custom_llm_provider": "anthropic", "extra_headers": {"anthropic-beta": "oauth-x"}}

    assert "provider_specific_header" not in fit("hi", provider_specific_header=headers)


def test_a_server_tool_is_refused_and_a_placeholder_left_out() -> None:
    with pytest.raises(Refused, match="runs at Anthropic only"):
        fit("hi", tools=[BASH, {"type": "web_search_20250305", "name": "web_search"}])

    sent = fit("hi", tools=[{**BASH, "name": PLACEHOLDER}], tool_choice={"type": "auto"})

    assert not {"tools", "tool_choice"} & sent.keys()


OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        None,
        {"properties": {"a": {"type": "string"}}},
        {"type": ["object", "null"], "properties": {}},
        {"anyOf": [OBJECT, {"type": "null"}]},
        {**OBJECT, "oneOf": [{"required": ["a"]}]},
        {**OBJECT, "required": "a"},
        {"type": "object", "properties": {"a": {"type": "text"}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": [{}, {}]}}},
        {"type": "object", "properties": {"a": {"enum": "b"}}},
        {"type": "object", "properties": [{"a": {}}]},
        {"type": "object", "properties": {"a": 1}},
        {"type": "object", "properties": {"a": {"properties": {"\ud800": 1}}}},
    ],
)
def test_a_schema_that_claude_refuses_is_mended_and_all_others_stay(schema: Any) -> None:
    bad = {"name": "mcp__s__t", "description": "d", "input_schema": schema}

    tools = fit("hi", tools=[BASH, bad])["tools"]

    assert tools[0] is BASH
    assert [*refused_by_claude(tools[1]["input_schema"])] == [] != [*refused_by_claude(schema)]
    assert tools[1] | {"input_schema": schema} == bad


def test_a_tool_that_cannot_be_mended_is_left_out_and_named_and_so_is_the_choice_of_it() -> None:
    named = {"name": "find", "input_schema": {"type": "object", "properties": {"$top": {}}}}

    sent = fit("hi", tools=[BASH, named, BASH], tool_choice={"type": "tool", "name": "find"})
    bad = fit("hi", tools=[{**BASH, "name": "a b"}], system="Be brief.")

    assert sent["tools"] == [BASH]
    assert "tool_choice" not in sent
    assert "find (one of its parameters has a name that" in sent["system"][-1]["text"]
    assert "tools" not in bad
    assert bad["system"][0]["text"] == "Be brief.\n"
    assert "a b (its name is not made of" in bad["system"][1]["text"]


def test_a_schema_that_claude_takes_is_the_same_object() -> None:
    schema = {**OBJECT, "$defs": {"b": {"type": ["string", "null"]}}, "additionalProperties": False}
    schema["properties"] = {"a": {"$ref": "#/$defs/b"}, "c": {"anyOf": [OBJECT, True]}}

    (tool,) = fit("hi", tools=[{**BASH, "input_schema": schema}])["tools"]

    assert tool["input_schema"] is schema


@pytest.mark.parametrize("kind", ["enabled", "adaptive"])
@pytest.mark.parametrize(
    ("turns", "thinks"),
    [
        (("hi", [THOUGHT, CALL], [RESULT]), True),
        (("hi", [THOUGHT, CALL], [RESULT], [CALL], [RESULT]), True),
        (("hi", [CALL], [RESULT]), False),
        (("hi", [{**THOUGHT, "signature": "EqQB"}, CALL], [RESULT]), False),
        (("hi", [CALL], [RESULT], [TEXT], "go on"), True),
    ],
)
def test_a_budget_is_left_out_where_the_last_thought_is_missing(
    kind: str, turns: tuple[Any, ...], thinks: bool
) -> None:
    asked: dict[str, Any] = {"thinking": {"type": kind}, "output_config": {"effort": "high"}}

    sent = fit(*turns, model=OLDER, **asked, tools=[BASH])
    newer = fit(*turns, **asked, tools=[BASH])

    assert ("thinking" in sent, "effort" in sent["output_config"]) == (thinks, thinks)
    assert ("thinking" in newer) is (thinks or kind == "adaptive")


def test_no_effort_where_a_model_with_a_budget_is_not_to_think() -> None:
    sent = fit("hi", model=OLDER, thinking={"type": "disabled"}, output_config={"effort": "low"})

    assert sent["output_config"] == {}


def test_how_thoughts_are_to_be_cleared_is_left_out() -> None:
    clear = {"type": "clear_thinking_20251015", "keep": "all"}
    compact = {"type": "compact_20260112"}

    assert "context_management" not in fit("hi", context_management={"edits": [clear]})
    sent = fit("hi", context_management={"edits": [clear, compact]})
    assert sent["context_management"]["edits"] == [compact]


@pytest.mark.parametrize("odd", [None, 7, "x", {}, [None], [{"type": 7}], {"edits": 7}])
def test_odd_parts_of_a_body_raise_nothing(odd: Any) -> None:
    fit([odd, {**RESULT, "content": odd}], odd, system=odd, tools=odd, context_management=odd)
    fit_request({"messages": odd, "thinking": odd, "output_config": odd}, OLDER)
