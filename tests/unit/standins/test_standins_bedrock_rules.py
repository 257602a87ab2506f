"""Each rule of the Bedrock stand-in, broken and kept."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.standins.bedrock.rules import NOTES, REFUSALS, ModelRules, broken

PLAIN = ModelRules(max_output_tokens=8000)
ABLE = ModelRules(max_output_tokens=8000, vision=True, caching=True)
TOOLLESS = ModelRules(max_output_tokens=8000, tools=False)

TEXT = {"text": "hi"}
IMAGE = {"image": {"format": "png", "source": {"bytes": "aGk="}}}
DOCUMENT = {"document": {"format": "pdf", "name": "a", "source": {"bytes": "aGk="}}}
CACHE_POINT = {"cachePoint": {"type": "default"}}
TOOL_CONFIG = {"tools": [{"toolSpec": {"name": "Bash", "inputSchema": {"json": {}}}}]}

FIRST = "A conversation must start with a user message."
ALTERNATE = "A conversation must alternate between user and assistant roles."
CACHING = "You invoked an unsupported model or your request did not allow prompt caching."
UNDECLARED = "The toolConfig field must be defined when using toolUse and toolResult"


def use(key: str) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": key, "name": "Bash", "input": {}}}


def result(key: str, *content: dict[str, Any]) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": key, "content": list(content)}}


def user(*content: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def body(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


def calls(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a body that declares its tools."""
    return body(*messages, toolConfig=TOOL_CONFIG, **more)


@pytest.mark.parametrize(
    ("rules", "given", "start"),
    [
        (PLAIN, body(), FIRST),
        (PLAIN, {}, FIRST),
        (PLAIN, body(assistant(TEXT), user(TEXT)), FIRST),
        (PLAIN, body(user(TEXT), user(TEXT)), ALTERNATE),
        (PLAIN, body(user(TEXT), assistant(TEXT), assistant(TEXT)), ALTERNATE),
        (PLAIN, body(user()), "The content field in the Message object at messages.0 is empty."),
        (
            PLAIN,
            body(user(TEXT, {"text": " \n"})),
            "The text field in the ContentBlock object at messages.0.content.1 is blank.",
        ),
        (
            PLAIN,
            body(user(TEXT), system=[{"text": ""}]),
            "The text field in the SystemContentBlock object at system.0 is blank.",
        ),
        (PLAIN, body(user(TEXT), assistant(use("a")), user(result("a", TEXT))), UNDECLARED),
        (PLAIN, body(user(result("a", TEXT))), UNDECLARED),
        (
            PLAIN,
            calls(user(TEXT), assistant(use("a"), use("b")), user(result("a", TEXT))),
            "Expected toolResult blocks at messages.2.content for the following Ids: b",
        ),
        (
            PLAIN,
            calls(user(TEXT), assistant(use("a"))),
            "Expected toolResult blocks at messages.2.content for the following Ids: a",
        ),
        (TOOLLESS, calls(user(TEXT)), "This model doesn't support tool use."),
        (PLAIN, body(user(TEXT, CACHE_POINT)), CACHING),
        (PLAIN, body(user(TEXT), system=[TEXT, CACHE_POINT]), CACHING),
        (
            PLAIN,
            body(user(TEXT), toolConfig={"tools": [*TOOL_CONFIG["tools"], CACHE_POINT]}),
            CACHING,
        ),
        (PLAIN, body(user(TEXT, IMAGE)), "This model doesn't support the image content block"),
        (
            PLAIN,
            body(user(TEXT, DOCUMENT)),
            "This model doesn't support the document content block",
        ),
        (
            PLAIN,
            calls(user(TEXT), assistant(use("a")), user(result("a", IMAGE))),
            "This model doesn't support the image content block",
        ),
        (
            PLAIN,
            body(user(TEXT), inferenceConfig={"maxTokens": 8001}),
            "The maximum tokens you requested exceeds the model limit of 8000.",
        ),
    ],
)
def test_a_broken_rule_is_refused_in_the_words_of_aws(
    rules: ModelRules, given: dict[str, Any], start: str
) -> None:
    found = broken(REFUSALS, given, rules)

    assert len(found) == 1
    assert found[0].startswith(start)


@pytest.mark.parametrize(
    ("rules", "given"),
    [
        (PLAIN, body(user(TEXT))),
        (PLAIN, body(user(TEXT), assistant(TEXT), user(TEXT), system=[TEXT])),
        (PLAIN, body(user(TEXT), {"role": "system", "content": [TEXT]})),
        (PLAIN, body(user(TEXT), inferenceConfig={"maxTokens": 8000})),
        (PLAIN, body(user(TEXT), inferenceConfig={"temperature": 1})),
        (PLAIN, calls(user(TEXT), assistant(use("a")), user(result("a", TEXT), TEXT))),
        (ABLE, body(user(TEXT, IMAGE, DOCUMENT, CACHE_POINT), system=[TEXT, CACHE_POINT])),
        (ABLE, calls(user(TEXT), assistant(use("a")), user(result("a", IMAGE)))),
        (TOOLLESS, body(user(TEXT))),
    ],
)
def test_what_keeps_the_rules_is_taken_without_a_note(
    rules: ModelRules, given: dict[str, Any]
) -> None:
    assert broken(REFUSALS + NOTES, given, rules) == ()


@pytest.mark.parametrize(
    ("given", "start"),
    [
        (body(user(TEXT), assistant(TEXT)), "the last message is the assistant's (prefill)"),
        (
            calls(user(TEXT), assistant(TEXT), user(result("a", TEXT))),
            "messages.2: toolResult for a toolUse that is not there: a",
        ),
        (calls(user(result("a", TEXT))), "messages.0: toolResult for a toolUse"),
        (
            calls(user(TEXT), assistant(use("a")), user(result("a"))),
            "messages.2.content.0: toolResult without content",
        ),
        (
            calls(user(TEXT), assistant(use("a")), user(result("a", {"text": ""}))),
            "messages.2.content.0: toolResult with a blank text",
        ),
    ],
)
def test_what_nobody_knows_is_noted_and_not_refused(given: dict[str, Any], start: str) -> None:
    notes = broken(NOTES, given, PLAIN)

    assert broken(REFUSALS, given, PLAIN) == ()
    assert len(notes) == 1
    assert notes[0].startswith(start)
