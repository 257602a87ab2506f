"""What a slot can take, from the deployments of LiteLLM's router."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.contracts.capabilities import Capabilities
from openclaude.contracts.decode import Malformed
from openclaude.gateway.requests.capabilities import (
    UNKNOWN,
    Deployments,
    declared_markup,
    slot_notice,
)
from openclaude.gateway.requests.capabilities import slot_capabilities as read_capabilities


def deployment(name: str, cap: object = 8000, **flags: object) -> dict[str, Any]:
    return {"model_name": name, "model_info": {"max_output_tokens": cap, **flags}}


BEDROCK = {"litellm_params": {"model": "bedrock/converse/x"}}
SEEING = deployment("seeing", supports_vision=True, supports_pdf_input=True) | BEDROCK
WORDY = deployment("wordy", 16000, supports_vision=True, supports_reasoning=True)
SEEING_TAKES = {
    "max_output_tokens": 8000,
    "supports_vision": True,
    "supports_pdf_input": True,
}
WORDY_TAKES = {
    "max_output_tokens": 16000,
    "supports_vision": True,
    "supports_reasoning": True,
}
# the defaults for an unknown provider
LIKE_OPENAI = {"takes_cache_marks": False, "wants_strings": True, "max_call_id": 40}
BOTH = [{**SEEING, "model_name": "both"}, {**WORDY, "model_name": "both"}]


def slot_capabilities(slot_id: object, deployments: Deployments) -> Capabilities:
    """Return what a slot can take, without the two that are tested for each model."""
    return read_capabilities(slot_id, deployments)._replace(thinking=None, thoughts=None)


DEPLOYMENTS = [SEEING, WORDY, *BOTH, {"model_name": "bare"}]


@pytest.mark.parametrize(
    ("slot_id", "changes"),
    [
        ("seeing", SEEING_TAKES),
        ("wordy", WORDY_TAKES),
        ("both", {"max_output_tokens": 8000, "supports_vision": True}),
        ("bare", {}),
        ("unknown", {}),
        (None, {}),
    ],
)
def test_a_request_must_suit_every_deployment_that_may_get_it(
    slot_id: object, changes: dict[str, Any]
) -> None:
    also = LIKE_OPENAI if slot_id in {"wordy", "both", "bare"} else {}  # `seeing` is Bedrock's
    assert slot_capabilities(slot_id, DEPLOYMENTS) == UNKNOWN._replace(**changes, **also)


def test_a_cap_that_is_not_known_is_what_any_model_can() -> None:
    assert slot_capabilities("x", [deployment("x", None)]).max_output_tokens == 4096


@pytest.mark.parametrize(
    ("info", "problem"),
    [
        ({"max_output_tokens": 0}, "`max_output_tokens` must be 1 or more"),
        ({"max_output_tokens": -1}, "`max_output_tokens` must be 1 or more"),
        ({"max_output_tokens": "8000"}, "`max_output_tokens` must be a whole number, not text"),
        ({"max_output_tokens": True}, "`max_output_tokens` must be a whole number, not true or"),
        ({"supports_vision": "yes"}, "`supports_vision` must be true or false, not text"),
        ({"supports_reasoning": 1}, "`supports_reasoning` must be true or false, not a whole numb"),
        ({"supported_endpoints": "/v1"}, "`supported_endpoints` must be a list, not text"),
        ({"supported_endpoints": [1]}, "`supported_endpoints[0]` must be text, not a whole num"),
        ({"openclaude_notice": 1}, "`openclaude_notice` must be text, not a whole number"),
    ],
)
def test_a_config_that_compile_cannot_have_written_is_refused(
    info: dict[str, Any], problem: str
) -> None:
    broken = [{"model_name": "x", "model_info": info}]

    with pytest.raises(Malformed) as refused:
        slot_capabilities("x", broken)

    assert str(refused.value).startswith(f"providers.yaml: the model_info of `x`: {problem}")


def test_what_litellm_adds_to_a_model_is_passed_over() -> None:
    added = {"id": "abc", "db_model": False, "max_tokens": "many", "supports_vision": None}

    assert slot_capabilities("x", [{"model_name": "x", "model_info": added}]) == UNKNOWN._replace(
        **LIKE_OPENAI
    )
    with pytest.raises(Malformed, match="model_info of `x` must be an object, not text"):
        slot_capabilities("x", [{"model_name": "x", "model_info": "abc"}])


def test_a_notice_is_of_the_slot_that_was_asked() -> None:
    deployments = [deployment("a", openclaude_notice="of a"), deployment("b")]

    assert [slot_notice(name, deployments) for name in ("a", "b", "c")] == ["of a", "", ""]


def served_by(name: str, model: object, **info: object) -> dict[str, Any]:
    return deployment(name, **info) | {"litellm_params": {"model": model}}


@pytest.mark.parametrize(
    ("model", "info", "special"),
    [
        ("bedrock/converse/qwen.qwen3-next-80b-a3b", {}, ()),
        ("openrouter/anthropic/claude-opus-5-5", {}, ("max_tools", "wants_strings", "max_call_id")),
        ("zai/glm-4.7", {}, ("supports_json_schema", *LIKE_OPENAI)),
        (
            "gemini/gemini-3.8-flash",
            {},
            ("takes_cache_marks", "max_tools", "max_schema_depth", "takes_full_schema"),
        ),
        ("anthropic/glm-4.7", {}, ("speaks_anthropic", "supports_json_schema")),
        ("anthropic/claude-haiku-4-5", {}, ("speaks_anthropic",)),
        ("minimax/MiniMax-M2", {}, ("speaks_anthropic", "supports_json_schema")),
        (
            "deepseek/deepseek-chat",
            {},
            ("speaks_anthropic", "requires_reasoning_echo", "supports_json_schema"),
        ),
        (
            "hosted_vllm/q",
            {"supported_endpoints": ["/v1/messages"]},
            ("speaks_anthropic", "supports_json_schema", *LIKE_OPENAI),
        ),
        ("mistral/m", {}, ("wants_nine_letters", *LIKE_OPENAI)),
        ("moonshot/kimi-k3", {}, ("wants_kimi_ids", *LIKE_OPENAI)),
        (None, {"supported_endpoints": None}, tuple(LIKE_OPENAI)),
    ],
)
def test_the_provider_of_a_deployment_tells_which_api_it_speaks(
    model: object, info: dict[str, Any], special: tuple[str, ...]
) -> None:
    taken = slot_capabilities("x", [served_by("x", model, **info)])

    usual = Capabilities()._asdict()
    limits = {"max_tools": 128, "max_schema_depth": 20, "max_call_id": 40}
    changes = {name: limits.get(name, not usual[name]) for name in special}
    assert taken == UNKNOWN._replace(max_output_tokens=8000, **changes)


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

    assert slot_capabilities("x", deployments).supports_pdf_input is is_sent


@pytest.mark.parametrize(("provider", "sees"), [("sambanova", False), ("groq", True)])
def test_an_image_goes_only_where_it_arrives(provider: str, sees: bool) -> None:
    deployments = [served_by("x", f"{provider}/x", supports_vision=True)]

    assert slot_capabilities("x", deployments).supports_vision is sees


def test_one_deployment_that_speaks_anthropics_api_is_enough_to_speak_it() -> None:
    deployments = [served_by("x", "openai/gpt-x"), served_by("x", "deepseek/deepseek-chat")]

    taken = slot_capabilities("x", deployments)

    assert taken.speaks_anthropic
    assert taken.requires_reasoning_echo
    assert not taken.supports_json_schema


def test_a_declared_markup_is_found_by_the_name_that_the_provider_has_for_the_model() -> None:
    deployments = [
        served_by("x", "openai/vendor/m", openclaude_markup="hermes"),
        served_by("y", "bedrock/converse/qwen.q", openclaude_markup="qwen"),
        served_by("z", "openai/other"),
    ]

    found = {name: declared_markup(name, deployments) for name in ("vendor/m", "qwen.q", "other")}

    assert found == {"vendor/m": "hermes", "qwen.q": "qwen", "other": ""}
