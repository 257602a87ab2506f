"""What each family on Bedrock takes about its thinking: each rule broken, and kept."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.standins.bedrock.thinking import redacted, signature_of, thinking_problems, told

GLM, NOVA, OSS = "us.zai.glm-5.3", "us.amazon.nova-2-lite-v1:0", "openai.gpt-oss-120b-1:0"
GPT, CLAUDE = "us.openai.gpt-6-luna", "us.anthropic.claude-opus-5-5"
KIMI, R1, V3 = "us.moonshotai.kimi-k3", "us.deepseek.r1-v1:0", "deepseek.v3.2"
ARN = f"arn:aws:bedrock:us-west-2:1:inference-profile/{GLM}"


def problems(model: str, *content: Any, role: str = "assistant", **fields: Any) -> list[str]:
    turns = [
        {"role": "user", "content": [{"text": "hi"}]},
        {"role": role, "content": list(content)},
    ]
    limit = {"maxTokens": 100}
    body = {"messages": turns, "additionalModelRequestFields": fields, "inferenceConfig": limit}
    return list(thinking_problems(model, body))


ANTHROPICS: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 4096}}


@pytest.mark.parametrize("model", [GLM, NOVA, OSS, GPT, KIMI, R1, V3, ARN, "qwen.qwen3-32b-v1:0"])
def test_nobody_but_claude_takes_anthropics_object(model: str) -> None:
    (problem,) = problems(model, **ANTHROPICS)

    assert "extraneous key [thinking] is not permitted" in problem
    assert problems(CLAUDE, **ANTHROPICS) == []


@pytest.mark.parametrize(
    ("model", "fields", "problem"),
    [
        (GLM, {"reasoning_config": "high"}, ""),
        (ARN, {"reasoning_config": "low"}, ""),
        (GLM, {"reasoning_config": "max"}, "reasoning_config: 'max' is not valid"),
        (GLM, {"reasoning_effort": "high"}, "extraneous key [reasoning_effort]"),
        (OSS, {"reasoning_effort": "high"}, ""),
        (OSS, {"reasoning_effort": "none"}, "reasoning_effort: 'none' is not valid"),
        (GPT, {"reasoning": {"effort": "max"}}, ""),
        (GPT, {"reasoning": {"effort": "minimal"}}, "is not valid"),
        (GPT, {"reasoning_effort": "high"}, "extraneous key [reasoning_effort]"),
        (NOVA, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}, ""),
        (NOVA, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}, "maxTokens"),
        (NOVA, {"reasoningConfig": "high"}, "is not valid"),
        ("amazon.nova-pro-v1:0", {"reasoningConfig": {"type": "disabled"}}, "extraneous key"),
        (V3, {"reasoning_effort": "high"}, ""),
        (R1, {"reasoning_effort": "high"}, "extraneous key"),
        (KIMI, {"reasoning_effort": "high"}, "extraneous key"),
        (CLAUDE, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, ""),
        (CLAUDE, {"thinking": {"type": "enabled"}}, "budget_tokens"),
        (CLAUDE, {"thinking": {"type": "on"}}, "thinking.type"),
        (CLAUDE, {"reasoning_effort": "high"}, "extraneous key"),
    ],
)
def test_a_family_has_its_own_field(model: str, fields: dict[str, Any], problem: str) -> None:
    found = problems(model, **fields)

    assert len(found) == (1 if problem else 0), found
    assert problem in "".join(found)


def thought(**said: Any) -> dict[str, Any]:
    return {"reasoningContent": {"reasoningText": said}}


PLAIN = thought(text="hm")
SIGNED = thought(text="hm", signature=signature_of(CLAUDE, "hm"))
HIDDEN = {"reasoningContent": redacted("hm")}


@pytest.mark.parametrize(
    ("model", "block", "problem"),
    [
        (GLM, PLAIN, ""),
        (GLM, SIGNED, "with a signature is not supported"),
        (GLM, HIDDEN, "cannot be read"),
        (GPT, HIDDEN, ""),
        (GPT, {"reasoningContent": {"redactedContent": "UkVE"}}, "cannot be read"),
        (CLAUDE, SIGNED, ""),
        (CLAUDE, PLAIN, "signature: Field required"),
        (CLAUDE, thought(text="hm", signature="c2ln"), "Invalid `signature`"),
        (V3, PLAIN, "cannot contain reasoning content"),
        (NOVA, PLAIN, "cannot contain reasoning content"),
    ],
)
def test_a_thought_comes_back_as_its_family_told_it(
    model: str, block: dict[str, Any], problem: str
) -> None:
    found = problems(model, block)

    assert len(found) == (1 if problem else 0), found
    assert problem in "".join(found)
    assert problems(model, block, role="user") != []


def test_claude_with_a_budget_wants_the_thought_before_a_call() -> None:
    call = {"toolUse": {"toolUseId": "a", "name": "Bash", "input": {}}}
    result = {"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": []}}]}

    def asked(*content: Any) -> list[str]:
        turns = [{"role": "assistant", "content": list(content)}, result]
        return list(
            thinking_problems(
                CLAUDE, {"messages": turns, "additionalModelRequestFields": ANTHROPICS}
            )
        )

    assert "Expected `thinking`" in "".join(asked(call))
    assert asked(SIGNED, call) == []


@pytest.mark.parametrize("model", [GLM, GPT, CLAUDE, KIMI])
def test_what_a_family_tells_it_takes_back(model: str) -> None:
    parts = {key: said for part in told(model, "hm") for key, said in part.items()}
    block = parts if "redactedContent" in parts else {"reasoningText": parts}

    assert problems(model, {"reasoningContent": block}) == []
