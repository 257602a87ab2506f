"""A slot's limits, from the deployments of LiteLLM's router."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.gateway.guard_limits import Limits, slot_limits


def deployment(name: str, cap: object = 8000, **flags: object) -> dict[str, Any]:
    return {"model_name": name, "model_info": {"max_output_tokens": cap, **flags}}


BEDROCK = {"litellm_params": {"model": "bedrock/converse/x"}}
SEEING = deployment("seeing", supports_vision=True, supports_pdf_input=True) | BEDROCK
WORDY = deployment("wordy", 16000, supports_vision=True, supports_reasoning=True)
DEPLOYMENTS = [SEEING, WORDY, deployment("terse", 64), {"model_name": "bare"}]


@pytest.mark.parametrize(
    ("slot_id", "fallbacks", "limits"),
    [
        ("seeing", [], Limits(max_output_tokens=8000, vision=True, pdf=True)),
        ("wordy", [], Limits(max_output_tokens=16000, vision=True, reasoning=True)),
        (
            "wordy",
            [{"other": ["terse"]}],
            Limits(max_output_tokens=16000, vision=True, reasoning=1),
        ),
        ("wordy", [{"wordy": ["seeing"]}], Limits(max_output_tokens=8000, vision=True)),
        ("wordy", [{"wordy": ["seeing", "terse"]}], Limits(max_output_tokens=64)),
        ("bare", [], Limits(max_output_tokens=4096)),
        ("unknown", [], Limits(max_output_tokens=4096)),
        (None, [], Limits(max_output_tokens=4096)),
    ],
)
def test_a_request_must_suit_every_model_that_may_get_it(
    slot_id: object, fallbacks: list[dict[str, list[str]]], limits: Limits
) -> None:
    assert slot_limits(slot_id, DEPLOYMENTS, fallbacks) == limits


@pytest.mark.parametrize("cap", [None, 0, -1, "8000"])
def test_a_cap_that_is_none_falls_back_to_what_any_model_can(cap: object) -> None:
    assert slot_limits("x", [deployment("x", cap)], []).max_output_tokens == 4096


def served_by(name: str, model: object, **info: object) -> dict[str, Any]:
    return deployment(name, **info) | {"litellm_params": {"model": model}}


@pytest.mark.parametrize(
    ("model", "info", "special"),
    [
        ("bedrock/converse/qwen.qwen3-next-80b-a3b", {}, ()),
        ("openrouter/anthropic/claude-opus-5-5", {}, ()),
        ("zai/glm-4.7", {}, ("formatless",)),
        ("gemini/gemini-3.8-flash", {}, ("stores_marked",)),
        ("anthropic/glm-4.7", {}, ("native", "formatless")),
        ("anthropic/claude-haiku-4-5", {}, ("native",)),
        ("minimax/MiniMax-M2", {}, ("native", "formatless")),
        ("deepseek/deepseek-chat", {}, ("native", "thoughts_due", "formatless")),
        ("hosted_vllm/q", {"supported_endpoints": ["/v1/messages"]}, ("native", "formatless")),
        (None, {"supported_endpoints": None}, ()),
    ],
)
def test_the_provider_of_a_deployment_tells_which_api_it_speaks(
    model: object, info: dict[str, Any], special: tuple[str, ...]
) -> None:
    limits = slot_limits("x", [served_by("x", model, **info)], [])

    assert limits == Limits(max_output_tokens=8000, **dict.fromkeys(special, True))


@pytest.mark.parametrize(
    ("model", "is_sent"),
    [
        ("bedrock/converse/qwen.qwen3-vl", True),
        ("gemini/gemini-3.8-flash", True),
        ("anthropic/claude-haiku-4-5", True),
        ("openai/gpt-4.1", False),
        ("openrouter/openai/gpt-4.1", False),
        ("ollama_chat/qwen3-vl", False),
    ],
)
def test_a_pdf_goes_only_where_it_arrives_as_one(model: str, is_sent: bool) -> None:
    deployments = [served_by("x", model, supports_pdf_input=True)]

    assert slot_limits("x", deployments, []).pdf is is_sent


@pytest.mark.parametrize(("provider", "sees"), [("sambanova", False), ("groq", True)])
def test_an_image_goes_only_where_it_arrives(provider: str, sees: bool) -> None:
    deployments = [served_by("x", f"{provider}/x", supports_vision=True)]

    assert slot_limits("x", deployments, []).vision is sees


def test_one_fallback_that_speaks_anthropics_api_is_enough_to_speak_it() -> None:
    deployments = [served_by("x", "openai/gpt-x"), served_by("y", "deepseek/deepseek-chat")]

    limits = slot_limits("x", deployments, [{"x": ["y"]}])

    assert (limits.native, limits.thoughts_due, limits.formatless) == (True, True, True)
