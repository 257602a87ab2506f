"""What is said about the changes in a request, for its trail: never its text."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.contracts.capabilities import ModelInfo
from openclaude.gateway.requests.changes import changes
from openclaude.gateway.requests.request import fit_request

IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
TEXT = {"type": "text", "text": "a secret word"}


def told(**body: Any) -> list[str]:
    """Return what is said of a request to a model that reads nothing but text."""
    asked = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}], **body}
    return list(changes(asked, fit_request(asked, ModelInfo().capabilities())))


def test_what_needs_no_change_is_not_named() -> None:
    assert (
        told(metadata={"user_id": "account"}, system="x-anthropic-billing-header: 7\nhello") == []
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"max_tokens": 10**9}, "max_tokens 1000000000 -> "),
        ({"max_tokens": "many"}, "max_tokens missing -> "),
        ({"thinking": {"type": "enabled"}, "top_k": 3}, "removed: thinking, top_k"),
        ({"safeguards": {"x": 1}}, "removed: safeguards"),
        (
            {"tools": [{"name": "Ex\N{SNOWMAN}", "input_schema": {"type": "object"}}]},
            "tools not offered: Ex\N{SNOWMAN}",
        ),
        (
            {"messages": [{"role": "user", "content": [TEXT, IMAGE, IMAGE]}]},
            "2 image blocks replaced or left out",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": "x"},
                    {
                        "role": "assistant",
                        "content": [{"type": "tool_use", "id": "a", "name": "R", "input": {}}],
                    },
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": "a", "content": [IMAGE]}
                        ],
                    },
                ]
            },
            "1 image block replaced or left out",
        ),
    ],
)
def test_each_kind_of_change_is_named(body: dict[str, Any], said: str) -> None:
    found = told(**body)

    assert [one for one in found if one.startswith(said)], found
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "body", [{}, {"messages": 7, "tools": 7}, {"messages": [7, {"content": [7]}]}]
)
def test_a_strange_request_has_no_changes_to_name(body: dict[str, Any]) -> None:
    assert list(changes(body, body)) == []
