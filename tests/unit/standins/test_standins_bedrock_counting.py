"""The stand-in's counts: it takes what InvokeModel would take, of models that AWS counts there."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from openclaude.standins.bedrock.claude_rules import VERSION
from openclaude.standins.bedrock.counting import (
    UNCOUNTED,
    invoked,
    judge_count,
    judge_count_at_mantle,
    tokens_of,
)
from openclaude.standins.bedrock.standin import EXAMPLE_CLAUDES

OPUS = "anthropic.claude-opus-5-5"
SAID = {"messages": [{"role": "user", "content": "hi"}]}
BODY = {"anthropic_version": VERSION, "max_tokens": 10, **SAID}


def in_form(body: Any) -> dict[str, Any]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {"input": {"invokeModel": {"body": base64.b64encode(text).decode()}}}


def count(body: Any, model: str = OPUS, uncounted: frozenset[str] = frozenset()) -> str:
    return "".join(judge_count(json.dumps(body).encode(), model, EXAMPLE_CLAUDES, uncounted)[:1])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (in_form(BODY), ""),
        (in_form(SAID), "anthropic_version: Field required"),
        (in_form({**BODY, "model": OPUS}), "model: Extra inputs"),
        (in_form({**BODY, "stream": True}), "stream: Extra inputs"),
        ({}, "input: required member is missing"),
        ({"input": {}}, "input: exactly one of"),
        ({"input": {"converse": SAID}}, "input.converse.messages.0.content: str found"),
        ({"input": {"invokeModel": {"body": "-"}}}, "input.invokeModel.body: not base64"),
    ],
)
def test_a_body_of_count_tokens_has_invoke_models_inside(body: Any, said: str) -> None:
    assert count(body)[: len(said) or None] == said


def test_an_inference_profile_and_a_model_that_only_mantle_has_are_not_counted() -> None:
    assert count(in_form(BODY), f"us.{OPUS}") == UNCOUNTED
    assert count(in_form(BODY), OPUS, frozenset({OPUS})) == UNCOUNTED
    assert count(in_form(BODY), "qwen.qwen3-next-80b-a3b") == UNCOUNTED


@pytest.mark.parametrize(
    ("body", "version", "said"),
    [
        ({"model": OPUS, **SAID}, "2023-06-01", ""),
        ({"model": OPUS, **SAID}, None, "anthropic-version: header is required"),
        ({"model": f"us.{OPUS}", **SAID}, "2023-06-01", f"model: us.{OPUS}"),
        ({"model": OPUS, **BODY}, "2023-06-01", "anthropic_version: Extra inputs"),
        ({"model": OPUS, "messages": []}, "2023-06-01", "messages: at least one"),
    ],
)
def test_the_other_address_takes_anthropics_own_body(
    body: Any, version: str | None, said: str
) -> None:
    found = judge_count_at_mantle(json.dumps(body).encode(), EXAMPLE_CLAUDES, version)

    assert "".join(found[:1])[: len(said) or None] == said


def test_both_count_the_same() -> None:
    assert tokens_of(invoked(in_form(BODY))) == tokens_of({"model": OPUS, **SAID}) > 0
    with pytest.raises(ValueError, match=r"."):
        invoked({"input": {"invokeModel": {"body": "a"}}})
