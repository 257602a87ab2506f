"""Bodies against AWS's own service model."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.standins.bedrock.shape import input_shape, violations, without_nulls

TURN = {"role": "user", "content": [{"text": "hi"}]}
TOOL = {"toolSpec": {"name": "Bash", "inputSchema": {"json": {"any": [1, None, {"x": "y"}]}}}}
FITTING = {
    "messages": [
        TURN,
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                {"toolUse": {"toolUseId": "a", "name": "Bash", "input": {"deep": [None]}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "a", "content": [{"json": {"x": 1}}]}},
                {"image": {"format": "png", "source": {"bytes": "aGk="}}},
            ],
        },
    ],
    "system": [{"text": "be brief"}],
    "inferenceConfig": {"maxTokens": 10, "temperature": 1, "topP": 0.5, "stopSequences": ["x"]},
    "toolConfig": {"tools": [TOOL], "toolChoice": {"auto": {}}},
    "additionalModelRequestFields": {"anything": [{"goes": None}]},
    "requestMetadata": {"team": "a"},
}


def found(operation: str, **members: Any) -> list[str]:
    return list(violations({"messages": [TURN], **members}, input_shape(operation)))


def content(*blocks: Any) -> list[Any]:
    return [{"role": "user", "content": list(blocks)}]


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
def test_a_full_body_fits(operation: str) -> None:
    assert found(operation, **FITTING) == []


def test_the_guardrail_of_a_stream_has_one_member_more() -> None:
    guardrail = {"guardrailIdentifier": "a", "streamProcessingMode": "sync"}

    assert found("ConverseStream", guardrailConfig=guardrail) == []
    assert found("Converse", guardrailConfig=guardrail) == [
        "guardrailConfig.streamProcessingMode: unknown member"
    ]


@pytest.mark.parametrize(
    ("members", "violation"),
    [
        ({"max_tokens": 1}, "max_tokens: unknown member"),
        ({"modelId": "x"}, "modelId: unknown member"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: required member is missing"),
        (
            {"messages": [{"role": "user", "content": None}]},
            "messages.0.content: required member is missing",
        ),
        ({"messages": [TURN | {"role": "tool"}]}, "messages.0.role: `tool` is not one of user,"),
        ({"messages": "hi"}, "messages: str found, list expected"),
        ({"messages": ["hi"]}, "messages.0: str found, structure expected"),
        ({"messages": content({})}, "messages.0.content.0: exactly one of text, "),
        (
            {"messages": content({"text": "a", "cachePoint": {"type": "default"}})},
            "messages.0.content.0: exactly one of text, ",
        ),
        ({"messages": content({"txt": "a"})}, "messages.0.content.0.txt: unknown member"),
        ({"messages": content({"text": 1})}, "messages.0.content.0.text: int found, string"),
        (
            {"messages": content({"image": {"format": "bmp", "source": {"bytes": "aGk="}}})},
            "messages.0.content.0.image.format: `bmp` is not one of png,",
        ),
        (
            {"messages": content({"image": {"format": "png", "source": {"bytes": "a b"}}})},
            "messages.0.content.0.image.source.bytes: not base64",
        ),
        (
            {"messages": content({"toolResult": {"toolUseId": "a b", "content": []}})},
            "messages.0.content.0.toolResult.toolUseId: `a b` does not match",
        ),
        (
            {"messages": content({"toolResult": {"toolUseId": "a" * 65, "content": []}})},
            "messages.0.content.0.toolResult.toolUseId: 65 is above the maximum of 64",
        ),
        (
            {"inferenceConfig": {"maxTokens": 0}},
            "inferenceConfig.maxTokens: 0 is below the minimum",
        ),
        ({"inferenceConfig": {"maxTokens": 1.5}}, "inferenceConfig.maxTokens: float found"),
        ({"inferenceConfig": {"maxTokens": True}}, "inferenceConfig.maxTokens: bool found"),
        ({"inferenceConfig": {"temperature": 1.1}}, "inferenceConfig.temperature: 1.1 is above"),
        ({"toolConfig": {"tools": []}}, "toolConfig.tools: 0 is below the minimum of 1"),
        (
            {"toolConfig": {"tools": [{"toolSpec": TOOL["toolSpec"] | {"name": "a.b"}}]}},
            "toolConfig.tools.0.toolSpec.name: `a.b` does not match",
        ),
        ({"requestMetadata": {"team": "?"}}, "requestMetadata.team: `?` does not match"),
        ({"requestMetadata": {"?": "team"}}, "requestMetadata.?: `?` does not match"),
    ],
)
def test_a_misfit_is_named_with_its_place(members: dict[str, Any], violation: str) -> None:
    assert any(text.startswith(violation) for text in found("Converse", **members))


def test_a_body_that_is_no_object_is_a_misfit() -> None:
    assert list(violations([], input_shape("Converse"))) == ["body: list found, structure expected"]


def test_null_members_are_absent_but_for_free_documents() -> None:
    config = {"maxTokens": 1, "topP": None}
    given = FITTING | {"system": None, "inferenceConfig": config}

    assert found("Converse", **given) == []
    pruned = without_nulls(given, input_shape("Converse"))
    assert "system" not in pruned
    assert pruned["inferenceConfig"] == {"maxTokens": 1}
    assert pruned["messages"] == FITTING["messages"]
    assert pruned["additionalModelRequestFields"] == {"anything": [{"goes": None}]}
