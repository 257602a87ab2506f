"""Each tier reaches its upstream, and the user sees what claude itself would print."""

from __future__ import annotations

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e.house import House

QWEN = "qwen.qwen3-next-80b-a3b"


@pytest.mark.parametrize(
    ("tier", "model"), [("opus", "claude-opus-5-5"), ("sonnet", "claude-sonnet-5-5")]
)
def test_opus_and_sonnet_are_answered_by_anthropic_and_print_what_plain_claude_prints(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tier: str, model: str
) -> None:
    plain = house.claude("-p", "hi", "--model", tier)
    ours = house.openclaude("-p", "hi", "--model", tier)

    assert ours == plain == (0, f"anthropic stand-in: {model}\n", "")
    assert [request.json()["model"] for request in anthropic.requests] == [model, model]
    assert not bedrock.requests


def test_haiku_is_answered_by_bedrock_with_a_valid_signature_and_nothing_else_printed(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    ran = house.openclaude("-p", "hi", "--model", "haiku")

    assert ran == (0, f"bedrock stand-in: {QWEN}\n", "")
    assert not anthropic.requests
    (request,) = bedrock.requests
    assert request.signed_by == house.canaries.aws_id
    assert (request.model_id, request.operation) == (QWEN, "ConverseStream")
    assert not request.problems


@pytest.mark.parametrize("tier", ["opus", "haiku"])
def test_json_output_has_the_keys_of_plain_claude(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, tier: str
) -> None:
    plain = house.claude("-p", "hi", "--model", "opus", "--output-format", "json")
    ours = house.openclaude("-p", "hi", "--model", tier, "--output-format", "json")

    assert (ours.code, ours.err) == (0, "")
    assert ours.json().keys() == plain.json().keys()
    assert ours.json()["is_error"] is False
    upstream = "anthropic" if tier == "opus" else "bedrock"
    assert ours.json()["result"].startswith(f"{upstream} stand-in")


def test_the_tiers_of_one_conversation_may_change(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin
) -> None:
    first = house.openclaude("-p", "one", "--model", "haiku", "--output-format", "json").json()
    again = house.openclaude("-p", "two", "--model", "opus", "--resume", first["session_id"])

    assert again == (0, "anthropic stand-in: claude-opus-5-5\n", "")
    (sent,) = anthropic.requests
    said = [m["content"] for m in sent.json()["messages"] if m["role"] == "assistant"]
    assert f"bedrock stand-in: {QWEN}" in str(said)
