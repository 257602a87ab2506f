"""How a slot's model is asked to think, family by family, and which thoughts it gets back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.contracts.capabilities import ModelInfo
from openclaude.gateway.requests.request import fit_request
from openclaude.gateway.requests.signatures import (
    CALLS,
    MARK,
    marked,
    signer_for,
    without_marked,
)
from openclaude.providers.families import capabilities_of
from openclaude.providers.thinking import EFFORTS, ROWS, nearest_effort

REASONS = ModelInfo(supports_reasoning=True, max_output_tokens=8000)
ASKED = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}
GLM, GEMINI = "bedrock/converse/us.zai.glm-5.3", "gemini/gemini-3.8-flash"
DEEPSEEK = "deepseek/deepseek-v4-pro"


def body(*turns: Any, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hi"}, *turns]
    return {"model": "slot", "max_tokens": 100, "messages": messages, **more}


def asked(model: str, info: ModelInfo = REASONS, **more: Any) -> dict[str, Any]:
    """Return what of a request asks the model to think."""
    sent = fit_request(body(**{**ASKED, **more}), capabilities_of(model, info))
    return {key: value for key, value in sent.items() if key not in body()}


def by(effort: str) -> dict[str, Any]:
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("bedrock/converse/us.amazon.nova-2-lite-v1:0", by("medium")),
        ("bedrock/converse/amazon.nova-pro-v1:0", {}),
        ("bedrock/converse/openai.gpt-oss-120b-1:0", by("high")),
        ("bedrock/converse/openai.gpt-oss-safeguard-20b", {}),
        ("bedrock/converse/us.openai.gpt-5.4", by("xhigh")),
        ("bedrock/converse/us.openai.gpt-5.6-luna", by("max")),
        ("bedrock/converse/us.openai.gpt-6-luna", by("max")),
        (GLM, {"reasoning_config": "high"}),
        ("bedrock/converse/zai.glm-4.7", {"reasoning_config": "high"}),
        ("bedrock/converse/moonshotai.kimi-k2.5", {"reasoning_config": "high"}),
        ("bedrock/converse/us.moonshotai.kimi-k3", {}),
        ("bedrock/converse/moonshot.kimi-k2-thinking", {}),
        ("bedrock/converse/deepseek.v3.2", by("high")),
        ("bedrock/converse/us.deepseek.r1-v1:0", {}),
        ("bedrock/converse/qwen.qwen3-32b-v1:0", {}),
        ("bedrock/converse/minimax.minimax-m2.5", {}),
        ("bedrock/converse/us.xai.grok-4.7", {}),
        ("bedrock/converse/nvidia.nemotron-super-3-120b", {}),
        ("openai/gpt-6.1-sol", by("max")),
        ("openai/o3", by("high")),
        (GEMINI, by("high")),
        ("openrouter/z-ai/glm-5", by("high")),
        ("moonshot/kimi-k3", by("max")),
        ("moonshot/kimi-k2.5", {}),
        ("zai/glm-4.7", {}),
        ("mistral/mistral-large-latest", {}),
        ("groq/openai/gpt-oss-120b", by("high")),
        ("groq/qwen/qwen3-32b", {}),
        ("minimax/MiniMax-M2", {}),
        ("made_up/model", by("high")),
    ],
)
def test_a_model_is_asked_in_its_familys_own_form(model: str, sent: dict[str, Any]) -> None:
    assert asked(model) == sent
    assert asked(model, ModelInfo()) == {}, "a model that does not reason"
    off = asked(model, thinking={"type": "disabled"})
    assert off in ({}, {"thinking": {"type": "disabled"}})


@pytest.mark.parametrize(
    ("thinking", "config", "effort"),
    [
        ({"type": "adaptive"}, {"effort": "low"}, "low"),
        ({"type": "adaptive"}, {"effort": "xhigh"}, "high"),
        ({"type": "adaptive"}, {}, "high"),
        ({"type": "adaptive"}, {"effort": 7}, "high"),
        ({"type": "adaptive"}, {"effort": "enormous"}, "high"),
        ({"type": "enabled", "budget_tokens": 1024}, {}, "low"),
        ({"type": "enabled", "budget_tokens": 2048}, {}, "medium"),
        ({"type": "enabled", "budget_tokens": 31999}, {}, "high"),
        ({"type": "enabled"}, {}, "high"),
        ({"type": "enabled", "budget_tokens": "many"}, {}, "high"),
    ],
)
def test_claudes_efforts_become_the_models(
    thinking: dict[str, Any], config: dict[str, Any], effort: str
) -> None:
    sent = asked(GLM, thinking=thinking, output_config=config)

    assert sent == {"reasoning_config": effort}


@pytest.mark.parametrize(
    ("wanted", "taken", "nearest"),
    [
        ("max", ("low", "medium"), "medium"),
        ("medium", ("low", "high", "max"), "low"),
        ("low", ("high",), "high"),
        ("xhigh", ("low", "high", "max"), "high"),
    ],
)
def test_the_nearest_effort_is_not_above_the_one_that_was_asked(
    wanted: str, taken: tuple[str, ...], nearest: str
) -> None:
    assert nearest_effort(wanted, taken) == nearest


def test_a_wish_for_a_format_stays_beside_an_effort() -> None:
    wish = {"type": "json_schema", "schema": {}}

    sent = asked(GEMINI, output_config={"effort": "low", "format": wish})

    assert sent["output_config"] == {"effort": "low", "format": wish}
    assert asked("zai/glm-5.3", output_config={"effort": "low", "format": wish})[
        "output_config"
    ] == {"effort": "low"}, "its format is said in words"


def test_nobody_can_ask_for_what_only_the_guard_may_send() -> None:
    assert asked("bedrock/converse/qwen.qwen3-32b-v1:0", reasoning_config="high") == {}
    assert asked(GLM, thinking=None, reasoning_config={"a": 1}) == {}


def test_every_row_has_efforts_in_order_and_a_source() -> None:
    for row in ROWS:
        known = [EFFORTS.index(effort) for effort in row.thinking.efforts]
        assert known == sorted(known), row
        assert row.source, row


# Thoughts that come back --------------------------------------------------------------------------

CALL = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}
SAID = {"type": "text", "text": "so"}
USER = {"role": "user", "content": "go on"}


def thought(model: str, proof: str = "", words: str = "hm") -> dict[str, Any]:
    return {"type": "thinking", "thinking": words, "signature": marked(signer_for(model), proof)}


def turn(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def back(model: str, *blocks: Any, info: ModelInfo = REASONS) -> Any:
    """Return what a model gets of its own turn with these blocks."""
    sent = fit_request(body(turn(*blocks), USER), capabilities_of(model, info))
    return sent["messages"][1]["content"]


def test_a_thought_goes_back_to_the_model_that_had_it_with_its_own_signature() -> None:
    redacted = {"type": "redacted_thinking", "data": marked(signer_for(GLM), "UkVE")}

    assert back(GLM, thought(GLM, "SIG=="), redacted, SAID) == [
        {"type": "thinking", "thinking": "hm", "signature": "SIG=="},
        {"type": "redacted_thinking", "data": "UkVE"},
        SAID,
    ]


@pytest.mark.parametrize(
    "other",
    [
        thought("bedrock/converse/zai.glm-5"),
        {"type": "thinking", "thinking": "hm", "signature": "ErUBAnthropic"},
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "thinking", "thinking": "hm"},
        {"type": "thinking", "thinking": "hm", "signature": f"{MARK}x"},
        {"type": "redacted_thinking", "data": "ErUBAnthropic"},
    ],
    ids=["another model", "anthropic", "empty", "none", "cut mark", "redacted"],
)
def test_anyone_elses_thought_is_kept_from_a_model(other: dict[str, Any]) -> None:
    assert back(GLM, other, SAID) == [SAID]
    assert back(GLM, other) == [{"type": "text", "text": "(no content)"}]


@pytest.mark.parametrize(
    ("model", "info"),
    [
        ("bedrock/converse/us.deepseek.r1-v1:0", REASONS),
        ("mistral/mistral-medium-latest", REASONS),
        ("made_up/model", REASONS),
        (GLM, REASONS._replace(openclaude_thinking="off")),
    ],
)
def test_a_model_that_takes_no_thoughts_back_gets_none(model: str, info: ModelInfo) -> None:
    assert back(model, thought(model), SAID, info=info) == [SAID]


def test_what_proves_a_call_goes_back_in_the_call() -> None:
    proof = marked(signer_for(GEMINI) + CALLS, "U0lH")
    before = {"type": "thinking", "thinking": "", "signature": proof}

    assert back(GEMINI, before, CALL) == [
        {**CALL, "provider_specific_fields": {"signature": "U0lH"}}
    ]
    assert back(GLM, before, CALL) == [CALL]
    assert back(GEMINI, before, SAID, CALL) == [SAID, CALL], "it belongs to the call behind it"


@pytest.mark.parametrize(
    ("turns", "thinking"),
    [
        ([], None),
        ([turn(thought(DEEPSEEK), CALL), USER], None),
        ([turn(thought(DEEPSEEK), CALL), USER, turn(CALL), USER], {"type": "disabled"}),
        ([turn(thought(GLM), SAID), USER], {"type": "disabled"}),
        ([{"role": "assistant", "content": "so"}, USER], {"type": "disabled"}),
    ],
)
def test_a_model_that_wants_all_of_its_thoughts_back_thinks_only_where_all_are_there(
    turns: list[Any], thinking: Any
) -> None:
    takes = capabilities_of(DEEPSEEK, REASONS)

    assert fit_request(body(*turns, **ASKED), takes).get("thinking") == thinking
    assert fit_request(body(*turns), takes)["thinking"] == {"type": "disabled"}, "not asked"


# To Anthropic -------------------------------------------------------------------------------------


def raw(*content: Any, text: str = "hi") -> bytes:
    """A body with the whitespace, escapes and numbers of nobody's serialiser."""
    messages = [
        {"role": "user", "content": text},
        {"role": "assistant", "content": list(content)},
        {"role": "user", "content": [{"type": "text", "text": "\ud83d ü"}]},
    ]
    said = json.dumps(messages, ensure_ascii=True)
    return (
        b'{ "model":"claude-x",\n "n": 1.0e2,"big":123456789012345678901234, "messages" : %s\n}'
        % (said.encode())
    )


def without(body: bytes) -> bytes:
    return without_marked({}, body)[1]


def test_a_slots_thoughts_do_not_reach_anthropic_and_every_other_byte_is_as_it_was() -> None:
    real = {"type": "thinking", "thinking": "hm", "signature": "ErUBAnthropic"}
    ours = [thought(GLM, "SIG=="), {"type": "redacted_thinking", "data": f"{MARK}x:y"}]

    assert without(raw(real, *ours, SAID, CALL)) == raw(real, SAID, CALL)
    assert without(raw(*ours, SAID)) == raw(SAID)


def test_a_turn_of_nothing_but_thoughts_is_not_empty_at_anthropic() -> None:
    sent = json.loads(without(raw(thought(GLM))))

    assert sent["messages"][1]["content"] == [{"type": "text", "text": "(no content)"}]


@pytest.mark.parametrize(
    "request_body",
    [
        raw(SAID),
        raw(SAID, text=f"what is {MARK}abc: about?"),
        raw({"type": "text", "text": json.dumps(thought(GLM))}),
        raw({**CALL, "input": {"thinking": thought(GLM)}}),
        raw({"type": "tool_result", "tool_use_id": "x", "content": [thought(GLM)]}),
        raw({"type": "thinking", "thinking": MARK, "signature": "ErUBAnthropic"}),
        raw({"type": "thinking", "thinking": "hm", "signature": f" {MARK}abc:"}),
        b'{"messages": [' + MARK.encode(),
        MARK.encode(),
        b"\xff" + MARK.encode(),
        b'{"messages": "' + MARK.encode() + b'"}',
        b'{"messages": ["' + MARK.encode() + b'", 1, null, {"content": null}]}',
        b'{"messages": ' + b"[" * 100_000 + MARK.encode(),
    ],
)
def test_any_other_body_is_the_very_same_bytes(request_body: bytes) -> None:
    assert without(request_body) is request_body
