"""Each rule of the Gemini stand-in, broken and kept, and the one problem list of Ollama's."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.standins.bedrock.rules import ModelRules
from tests.standins import ollama
from tests.standins.gemini.rules import broken, camel

PLAIN = ModelRules(max_output_tokens=8000)
SEES = ModelRules(max_output_tokens=8000, vision=True)
FLASH, THIRD = "gemini-2.5-flash", "gemini-3-pro"
HI = {"role": "user", "parts": [{"text": "hi"}]}
CALL = {"functionCall": {"name": "Bash", "args": {}}}
RESULT = {"functionResponse": {"name": "Bash", "response": {"content": "files"}}}
IMAGE = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0K"}}


def body(*contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"contents": list(contents) or [HI], **more}


def model(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def tools(**schema: Any) -> list[dict[str, Any]]:
    return [{"functionDeclarations": [{"name": "Bash", "parameters": schema}]}]


@pytest.mark.parametrize(
    ("given", "model_id", "words"),
    [
        (body(thinking={}), FLASH, 'Unknown name "thinking"'),
        ({}, FLASH, "contents is not specified"),
        (body({"role": "assistant", "parts": [{"text": "x"}]}), FLASH, "valid role"),
        (body(user()), FLASH, "must not be empty"),
        (body(user({"words": "x"})), FLASH, "required oneof field"),
        (body(HI, model(CALL)), FLASH, "equal to the number"),
        (body(HI, model(CALL), HI), FLASH, "equal to the number"),
        (body(HI, user(RESULT)), FLASH, "equal to the number"),
        (body(HI, model(CALL), user(RESULT)), THIRD, "is missing a thought_signature"),
        (body(generationConfig={"maxOutputTokens": 8001}), FLASH, "maxOutputTokens value of 8001"),
        (body(user(IMAGE)), FLASH, "Image input modality"),
        (body(tools=tools(type="object", additionalProperties=False)), FLASH, "additionalProp"),
        (body(tools=tools(properties={"a": {"items": {"const": 1}}})), FLASH, '"const"'),
    ],
)
def test_a_broken_rule_is_named(given: dict[str, Any], model_id: str, words: str) -> None:
    assert words in broken(given, model_id, PLAIN)[0]


@pytest.mark.parametrize(
    ("given", "model_id"),
    [
        (body(tools=tools(type="object", properties={"a": {"type": "string"}})), FLASH),
        (body(HI, model(CALL), user(RESULT)), FLASH),
        (body(HI, model(CALL | {"thoughtSignature": "x"}, CALL), user(RESULT, RESULT)), THIRD),
    ],
)
def test_what_keeps_every_rule_passes(given: dict[str, Any], model_id: str) -> None:
    assert broken(given, model_id, PLAIN) == ()


def test_a_model_that_sees_takes_an_image() -> None:
    assert broken(body(user(IMAGE)), FLASH, SEES) == ()


def test_both_ways_of_writing_a_key_are_one_and_arguments_stay_as_they_are() -> None:
    written = {"function_call": {"args": {"file_path": 1}}, "system_instruction": []}

    assert camel(written) == {"functionCall": {"args": {"file_path": 1}}, "systemInstruction": []}


# Ollama -------------------------------------------------------------------------------------------

ASKED = {"role": "user", "content": "hi"}
CALLED = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "Bash"}}]}
ANSWERED = {"role": "tool", "content": "files"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_tokens": 5}, "max_tokens: unknown key"),
        ({"options": {"num_predict": 8001}}, "more than the model can write"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "invalid role"),
        ({"messages": [{"role": "user", "content": []}]}, "cannot unmarshal array"),
        ({"messages": [ASKED | {"images": ["iVBORw0K"]}]}, "missing data required for image"),
        ({"messages": [ASKED, CALLED, ASKED]}, "1 tool calls without an answer"),
    ],
)
def test_what_ollama_would_refuse_is_named(given: dict[str, Any], words: str) -> None:
    assert words in next(ollama.problems(given, PLAIN))


def test_what_ollama_takes_passes() -> None:
    given = {"messages": [ASKED, CALLED, ANSWERED, ASKED | {"images": []}], "think": True}

    assert list(ollama.problems(given, PLAIN)) == []
