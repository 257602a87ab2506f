"""Each rule of Claude on Bedrock, broken and kept."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.standins.bedrock.claude_rules import (
    TOOL_SEARCH,
    VERSION,
    ClaudeRules,
    broken_by,
    sign_thought,
)
from openclaude.standins.bedrock.invoke_reply import PromptCache

NEW = ClaudeRules(max_output_tokens=100)
OLD = ClaudeRules(
    max_output_tokens=100_000,
    is_adaptive=False,
    efforts=(),
    has_tool_search=False,
    has_long_cache=False,
    has_system_turns=False,
)
TEXT = {"type": "text", "text": "hi"}
BASH = {"name": "Bash", "input_schema": {"type": "object"}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a"}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": sign_thought("hm")}
URL = {"type": "url", "url": "https://a.example/b.png"}
REFERENCE = {"type": "tool_reference", "tool_name": "Bash"}
FOUND = {**RESULT, "content": [REFERENCE]}
DEFERRED = {**BASH, "name": "Other", "defer_loading": True}
BUDGET = {"type": "enabled", "budget_tokens": 2000}
ADAPTIVE = {"type": "adaptive"}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def said(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def body(*turns: Any, **more: Any) -> dict[str, Any]:
    turns = turns or (user(TEXT),)
    return {"anthropic_version": VERSION, "max_tokens": 10, "messages": list(turns), **more}


def marks(*times: str) -> list[dict[str, Any]]:
    made = [{"type": "ephemeral", **({"ttl": time} if time else {})} for time in times]
    return [{**TEXT, "cache_control": mark} for mark in made]


@pytest.mark.parametrize(
    ("rules", "given", "start"),
    [
        (NEW, {}, "anthropic_version: Field required"),
        (NEW, body(anthropic_version="x"), "anthropic_version"),
        (NEW, body(model="x"), "model: Extra inputs"),
        (NEW, body(stream=True), "stream: Extra inputs"),
        (NEW, body(anthropic_beta=["oauth-2025-04-20"]), "invalid beta flag"),
        (NEW, body(max_tokens=101), "max_tokens: 101 > 100"),
        (NEW, body(max_tokens=0), "max_tokens: Input should be"),
        (NEW, body(thinking=BUDGET), '"thinking.type.enabled" is not supported'),
        (NEW, body(thinking={"type": "x"}), "thinking.type"),
        (OLD, body(thinking=ADAPTIVE), "adaptive thinking is not supported"),
        (OLD, body(thinking=BUDGET), "`max_tokens` must be greater"),
        (OLD, body(max_tokens=3000, thinking={**BUDGET, "budget_tokens": 9}), "thinking.enabled"),
        (OLD, body(max_tokens=3000, thinking=BUDGET, temperature=0), "`temperature`"),
        (NEW, body(thinking=ADAPTIVE, tool_choice={"type": "any"}), "Thinking may not"),
        (NEW, body(temperature=1), "temperature: is not supported"),
        (NEW, body(output_config={"effort": "huge"}), "output_config.effort"),
        (OLD, body(output_config={"effort": "low"}), "output_config.effort"),
        (NEW, body(output_config={"x": 1}), "output_config.x"),
        (
            NEW,
            body(user(TEXT), said({**THOUGHT, "signature": "x"}, TEXT), user(TEXT)),
            "messages.1.content.0: Invalid `signature`",
        ),
        (
            NEW,
            body(user(TEXT), said({"type": "redacted_thinking", "data": "x"}), user(TEXT)),
            "messages.1.content.0: Invalid `data`",
        ),
        (
            OLD,
            body(user(TEXT), said(CALL), user(RESULT), max_tokens=3000, thinking=BUDGET),
            "messages.1.content.0.type: Expected `thinking`",
        ),
        (NEW, body(user(*marks(*[""] * 5))), "A maximum of 4"),
        (NEW, body(user(*marks("1m"))), "messages.0.content.0.cache_control"),
        (OLD, body(user(*marks("1h"))), "messages.0.content.0.cache_control.ttl"),
        (NEW, body(user(*marks("5m", "1h"))), "cache_control: a ttl='1h'"),
        (
            NEW,
            body(system=[{**TEXT, "cache_control": {"type": "ephemeral", "scope": "x"}}]),
            "system.0.cache_control.scope",
        ),
        (NEW, body(tools=[{**BASH, "type": "web_search_20250305"}]), "tools.0: Input tag"),
        (NEW, body(tools=[{**BASH, "custom": {}}]), "tools.0.custom"),
        (NEW, body(tools=[{**BASH, "name": "a b"}]), "tools.0.custom.name"),
        (NEW, body(tools=[{"name": "a"}]), "tools.0.custom.input_schema"),
        (NEW, body(tools=[BASH, DEFERRED]), "tools.1.custom.defer_loading"),
        (OLD, body(tools=[BASH, DEFERRED], anthropic_beta=[TOOL_SEARCH]), "tools.1.custom"),
        (NEW, body(tools=[DEFERRED], anthropic_beta=[TOOL_SEARCH]), "at least one tool"),
        (NEW, body(user(TEXT), said(CALL), user(FOUND), tools=[BASH]), "messages.2.content.0"),
        (
            NEW,
            body(context_management={"edits": [{"type": "clear_thinking_20251015"}]}),
            "context_management",
        ),
        (NEW, body({"role": "system", "content": "x"}), 'messages.0: Unexpected role "system"'),
        (OLD, body(user(TEXT), {"role": "system", "content": "x"}), "messages.1: Unexpected role"),
        (NEW, body({**user(TEXT), "output_config": {}}), "messages.0.output_config"),
        (NEW, body(user(TEXT), said(TEXT)), "This model does not support assistant"),
        (NEW, body(user({**TEXT, "text": " "})), "messages.0.content.0: text content"),
        (NEW, body(user({"type": "server_tool_use"})), "messages.0.content.0: Input tag"),
        (NEW, body(user({"type": "image", "source": URL})), "messages.0.content.0.image.source"),
        (NEW, body(user(TEXT), said(CALL), user(TEXT)), "messages.1: `tool_use` ids"),
        (NEW, body(user(RESULT)), "messages.0: unexpected `tool_use_id`"),
    ],
)
def test_a_broken_rule_is_told(rules: ClaudeRules, given: dict[str, Any], start: str) -> None:
    assert any(problem.startswith(start) for problem in broken_by(given, rules))


@pytest.mark.parametrize(
    ("rules", "given"),
    [
        (NEW, body(thinking=ADAPTIVE, output_config={"effort": "max"})),
        (NEW, body(user(TEXT), said(THOUGHT, CALL), user(RESULT), tools=[BASH])),
        (
            NEW,
            body(
                user(TEXT),
                said(CALL),
                user(FOUND),
                tools=[BASH, DEFERRED],
                anthropic_beta=[TOOL_SEARCH],
            ),
        ),
        (NEW, body(user(*marks("1h", "5m", "", "5m")))),
        (NEW, body(user(TEXT), {"role": "system", "content": "x"})),
        (
            OLD,
            body(
                user(TEXT),
                said(THOUGHT, CALL),
                user(RESULT),
                said(CALL),
                user(RESULT),
                max_tokens=3000,
                thinking=BUDGET,
            ),
        ),
        (
            OLD,
            body(
                user(TEXT),
                said(CALL),
                user(RESULT),
                said(TEXT),
                user(TEXT),
                max_tokens=3000,
                thinking=BUDGET,
            ),
        ),
    ],
)
def test_a_good_body_breaks_none(rules: ClaudeRules, given: dict[str, Any]) -> None:
    assert broken_by(given, rules) == ()


def test_the_cache_knows_what_was_marked_before_and_nothing_else() -> None:
    cache = PromptCache()
    first = body(user(*marks("")))
    longer = body(user(*marks("")), said(TEXT), user(*marks("")))
    other = body(user({**TEXT, "text": "other"}, *marks("")))

    written = [cache.counts(one) for one in (first, first, longer, other)]

    sizes = [
        (one["cache_creation_input_tokens"], one["cache_read_input_tokens"]) for one in written
    ]
    size = sizes[0][0]
    assert sizes[0] == (size, 0)
    assert sizes[1] == (0, size)
    assert sizes[2][1] == size < sizes[2][0] + size
    assert sizes[3][1] == 0
