"""Requests whose tokens LiteLLM can count, whatever their tools' schemas say."""

from __future__ import annotations

from typing import Any

import litellm
import pytest

from openclaude.gateway.requests.shape import countable

ODD: list[Any] = [7, None, "x", [], True, ["x"], {"enum": 7}, {"items": 7}, {"required": 7}]
MESSAGES = [{"role": "user", "content": "hi"}]


def count(document: dict[str, Any]) -> int:
    """Count as the proxy does."""
    tools = document.get("tools")
    return int(litellm.token_counter(model="openai/x", messages=MESSAGES, tools=tools))


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("place", ["schema", "properties", "property", "items", "required", "type"])
def test_an_odd_schema_is_counted(place: str, odd: Any) -> None:
    schemas = {
        "schema": odd,
        "properties": {"type": "object", "properties": odd},
        "property": {"type": "object", "properties": {"command": odd}},
        "items": {"properties": {"command": {"type": "array", "items": odd}}},
        "required": {"required": odd, "properties": {"command": {"type": "string"}}},
        "type": {"type": odd, "properties": {"command": {"type": odd}}},
    }
    tool = {"name": "Bash", "description": "d", "input_schema": schemas[place]}

    assert count(countable({"tools": [tool]})) > count({})


@pytest.mark.slow
def test_without_it_the_counter_fails() -> None:
    """Then this module can go."""
    tool = {"name": "Bash", "input_schema": {"type": "object", "properties": {"command": 7}}}

    with pytest.raises(AttributeError):
        count({"tools": [tool]})


def test_a_request_without_tools_is_the_same_one() -> None:
    document = {"messages": MESSAGES}

    assert countable(document) is document
    assert countable({"tools": [7, None, {"type": "web_search_20250305"}]}) == {
        "tools": [{"type": "web_search_20250305"}]
    }
