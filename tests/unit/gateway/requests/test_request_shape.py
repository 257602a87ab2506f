"""A body that no model could be asked is refused, with its place; what claude sends is not."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.contracts.anthropic_error import AnthropicError
from openclaude.gateway.guard import Guard
from openclaude.gateway.requests.shape import find_mistake, read_object

TURN = {"role": "user", "content": "hi"}
BODY: dict[str, Any] = {
    "model": "openclaude-haiku",
    "max_tokens": 100,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "made_up", "x": 1}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "tool_use", "id": "i", "name": "Bash", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "i"},
                {"type": "tool_result", "tool_use_id": "i", "content": "c", "is_error": True},
                {"type": "image", "source": {"type": "base64", "media_type": "m", "data": "d"}},
            ],
        },
        {"role": "system", "content": "a reminder"},
    ],
    "tools": [
        {"name": "Bash", "description": "d", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search"},
    ],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "adaptive"},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["x"],
    "temperature": 1,
    "stream": True,
    "a field of tomorrow": [1],
}


def test_what_claude_sends_has_no_mistake() -> None:
    assert find_mistake(BODY) == ""
    assert find_mistake({"messages": [TURN]}) == ""
    assert find_mistake({"messages": [TURN], "system": "s", "tools": [], "thinking": None}) == ""


def block(**fields: Any) -> dict[str, Any]:
    """Return a body with one content block."""
    return {"messages": [{"role": "user", "content": [fields]}]}


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ({}, "messages: must be a list of at least one message"),
        ({"messages": []}, "messages: must be a list of at least one message"),
        ({"messages": {"a": None}}, "messages: must be a list of at least one message"),
        ({"messages": ["x"]}, "messages.0: must be an object"),
        (
            {"messages": [TURN, {"role": 7, "content": "x"}]},
            "messages.1.role: must be one of user, assistant, system",
        ),
        (
            {"messages": [{"role": "user", "content": None}]},
            "messages.0.content: must be text or a list of content blocks",
        ),
        (block(), "messages.0.content.0: must be an object with a `type`"),
        (block(type="text", text=None), "messages.0.content.0.text: must be text"),
        (
            block(type="tool_use", id="i", name="n", input="x"),
            "messages.0.content.0.input: must be an object",
        ),
        (
            block(type="tool_result", tool_use_id="i", content=7),
            "messages.0.content.0.content: must be text or a list of content blocks",
        ),
        ({"messages": [TURN], "system": 7}, "system: must be text or a list of content blocks"),
        ({"messages": [TURN], "tools": "x"}, "tools: must be a list"),
        ({"messages": [TURN], "tools": [{}]}, "tools.0: must be an object with a `name`"),
        (
            {"messages": [TURN], "tools": [{"name": "n", "input_schema": []}]},
            "tools.0.input_schema: must be an object",
        ),
        ({"messages": [TURN], "tool_choice": "auto"}, "tool_choice: must be an object"),
        (
            {"messages": [TURN], "tool_choice": {"type": None}},
            "tool_choice.type: must be one of auto, any, tool, none",
        ),
        ({"messages": [TURN], "stream": "x"}, "stream: must be true or false"),
        ({"messages": [TURN], "temperature": True}, "temperature: must be a number"),
        ({"messages": [TURN], "stop_sequences": "x"}, "stop_sequences: must be a list of texts"),
    ],
)
def test_a_mistake_is_named_with_its_place(body: dict[str, Any], mistake: str) -> None:
    assert find_mistake(body) == mistake
    assert Guard().fit(body) == AnthropicError(400, mistake)


@pytest.mark.parametrize("before", ["", '"half": "\\ud800", '])
def test_a_body_that_is_nested_too_deeply_is_no_object(before: str) -> None:
    deep = "[" * 100_000 + "]" * 100_000

    assert read_object(f'{{{before}"model": "m", "x": {deep}}}'.encode()) is None
    assert read_object(f'{{{before}"model": "m"}}'.encode()) is not None
