"""Each rule of the OpenAI stand-in, broken and kept, and what the package's types refuse."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.standins.bedrock.rules import ModelRules
from tests.standins.openai.rules import NOTES, REFUSALS, broken
from tests.standins.openai.shape import violations

PLAIN = ModelRules(max_output_tokens=8000)
SEES = ModelRules(max_output_tokens=8000, vision=True)
USER = {"role": "user", "content": "hi"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}
UNANSWERED = "An assistant message with 'tool_calls' must be followed by tool messages"
ORPHAN = "Invalid parameter: messages with role 'tool' must be a response"


def call(*keys: str) -> dict[str, Any]:
    """Return an assistant's message that calls tools."""
    function = {"name": "Bash", "arguments": "{}"}
    calls = [{"id": key, "type": "function", "function": function} for key in keys]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(key: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": key, "content": "files"}


def body(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "x", "messages": list(messages) or [USER], **more}


def tool(name: str, **parameters: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {}, **parameters}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def said(part: dict[str, Any]) -> dict[str, Any]:
    return body({"role": "user", "content": [part]})


@pytest.mark.parametrize(
    ("given", "start"),
    [
        (body(max_tokens=8001), "max_tokens is too large: 8001."),
        (body(max_completion_tokens=8001), "max_completion_tokens is too large"),
        ({"input": "hi", "max_output_tokens": 8001}, "max_output_tokens is too large"),
        (body(USER, call("a")), UNANSWERED),
        (body(USER, call("a", "b"), result("a")), UNANSWERED),
        (body(USER, call("a"), USER, result("a")), UNANSWERED),
        (body(USER, result("a")), ORPHAN),
        (body(USER, call("a"), result("a"), USER, result("a")), ORPHAN),
        (body({"role": "user", "content": ""}), "Invalid value for 'content': messages.0"),
        (said({"type": "text", "text": " "}), "messages.0: a text part is blank."),
        (said(IMAGE), "Invalid content type."),
        (body(stop=["x"] * 5), "Invalid 'stop': array too long."),
        (body(tools=[tool("a.b")]), "Invalid 'tools[0].function.name'"),
        (body(tools=[tool("a" * 65)]), "Invalid 'tools[0].function.name'"),
        (body(tools=[tool("a"), tool("a")]), "Tool names must be unique."),
        (body(tools=[tool("a", type="array")]), "Invalid schema for function 'a': schema must be"),
        (
            body(tools=[tool("a", properties={"b": {"type": "array"}})]),
            "Invalid schema for function 'a': In context=('properties', 'b'), array schema missing",
        ),
        (body(tools=[tool(f"a{n}") for n in range(129)]), "Invalid 'tools': array too long."),
        (body(tools=[tool("a", defer_loading=True)]), "a: parameters with defer_loading"),
        (
            {"input": [{"type": "function_call", "call_id": "a", "name": "x", "arguments": "{}"}]},
            "No tool output found for function call a.",
        ),
    ],
)
def test_a_broken_rule_is_named(given: dict[str, Any], start: str) -> None:
    assert broken(REFUSALS, given, PLAIN)[0].startswith(start)


@pytest.mark.parametrize(
    "given",
    [
        body(max_tokens=8000, tools=[tool("mcp__a-b_C9")]),
        body(USER, call("a", "b"), result("b"), result("a"), USER),
        {"input": "hi"},
    ],
)
def test_what_keeps_every_rule_passes(given: dict[str, Any]) -> None:
    assert broken(REFUSALS, given, PLAIN) == ()


def test_a_model_that_sees_takes_an_image_and_nothing_else_in_its_place() -> None:
    pdf = {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,JVBERi0"}}

    assert broken(REFUSALS, said(IMAGE), SEES) == ()
    assert broken(REFUSALS, said(pdf), SEES)[0].startswith("Invalid MIME type.")


def test_two_messages_of_one_speaker_are_noted_but_results_are_not() -> None:
    assert broken(NOTES, body(USER, USER), PLAIN) == ("two user messages in a row",)
    assert broken(NOTES, body(USER, call("a", "b"), result("a"), result("b")), PLAIN) == ()


# Types --------------------------------------------------------------------------------------------

CHAT = "chat.completions"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "given", "found"),
    [
        (CHAT, [], "list found, object expected"),
        (CHAT, body(thinking={}), "thinking: unknown key"),
        (CHAT, body(max_tokens="many"), "max_tokens: Input should be a valid integer"),
        (CHAT, body({"role": "narrator", "content": "x"}), "role: Input should be"),
        (CHAT, said({"type": "picture"}), "Field required"),
        (CHAT, {"messages": [USER]}, "model: Field required"),
        ("responses", {"model": "x", "input": [{"type": "function_call"}]}, "input."),
        ("responses", {"model": "x", "input": "hi", "messages": []}, "messages: unknown key"),
    ],
)
def test_what_the_types_do_not_have_is_found(operation: str, given: Any, found: str) -> None:
    assert found in next(violations(operation, given))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "given"),
    [
        (CHAT, body(USER, call("a"), result("a"), tools=[tool("a", type="object")])),
        (CHAT, body(stream=True, stream_options={"include_usage": True})),
        (CHAT, body(stream=False)),
        (
            "responses",
            {
                "model": "x",
                "input": [
                    {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                    {"role": "assistant", "content": [{"type": "output_text", "text": "ok"}]},
                ],
            },
        ),
    ],
)
def test_what_fits_the_types_passes(operation: str, given: dict[str, Any]) -> None:
    assert list(violations(operation, given)) == []


def test_a_provider_may_have_keys_of_its_own() -> None:
    assert list(violations(CHAT, body(usage={"include": True}), frozenset({"usage"}))) == []
