"""Errors that providers really sent, byte for byte, through a real providers instance to claude.

The files are replies from public bug reports; each folder's README says which. Each is sent by
every provider that LiteLLM parses differently, and passed on as main does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from openclaude.contracts.anthropic_error import AnthropicError
from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.errors.slot_errors import flat_error
from tests.process.replay import QUIRKS, SERVED, Replayer, replayer, slots

SLOT = SlotRoute(model="m", context_window=30_000)
NO_FIT, QUOTAS = "19-prompts-that-do-not-fit", "20-quotas-asked-again"
NO_NUMBERS = "prompt is too long for m"
ERRORS: dict[str, tuple[int, str]] = {
    f"{NO_FIT}/Azure_AI_model_error_413": (400, "10000 tokens > 8000 maximum"),
    f"{NO_FIT}/Bedrock_Nova": (400, NO_NUMBERS),
    f"{NO_FIT}/Bedrock_gpt_oss": (400, "50202 tokens > 30000 maximum"),
    f"{NO_FIT}/Cerebras_no_body": (400, NO_NUMBERS),
    f"{NO_FIT}/Copilot_copilot_api_210_": (400, "174490 tokens > 131072 maximum"),
    f"{NO_FIT}/LM_Studio_a": (400, NO_NUMBERS),
    f"{NO_FIT}/LM_Studio_b": (400, "40112 tokens > 4096 maximum"),
    f"{NO_FIT}/Ollama": (400, "34096 tokens > 30000 maximum"),
    f"{NO_FIT}/Poolside_pi_4943_": (400, "131393 tokens > 131040 maximum"),
    f"{NO_FIT}/SambaNova": (400, "138193 tokens > 131072 maximum"),
    f"{NO_FIT}/byte_limit_kimi_code_476_": (400, "2544146 tokens > 524288 maximum"),
    f"{NO_FIT}/omlx_omlx_26_": (400, "132799 tokens > 131072 maximum"),
    f"{NO_FIT}/vLLM_b_Empryo_52_": (400, "140001 tokens > 122880 maximum"),
    f"{QUOTAS}/Bedrock_tokens_per_day": (424, "is used up, for longer"),
    f"{QUOTAS}/DeepSeek_balance": (402, "m: Insufficient Balance"),
    f"{QUOTAS}/GLM_arrears": (424, "has no credit"),
    f"{QUOTAS}/Gemini_per_day_as_OpenAI_like_": (424, "GenerateRequestsPerDayPerProjectPerModel"),
    f"{QUOTAS}/Groq_TPM_above_the_tier_413_": (424, "larger than what the provider allows"),
    f"{QUOTAS}/OpenAI_insufficient_quota": (424, "has no credit"),
    f"{QUOTAS}/OpenRouter_free_models_per_day": (424, "free-models-per-day"),
}
STATUSES = (402, 409, 413, 422, 429, 500, 502, 529)
# claude sends a request once for a 424; in Anthropic's API a prompt that is too long is a 400
TOLD = {413: 400, 422: 424}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayer]:
    with replayer(tmp_path_factory.mktemp("errors")) as started:
        yield started


def told(instance: Replayer, slot: str, raw: bytes, **more: Any) -> AnthropicError:
    """Return what main tells claude."""
    answer = instance.ask(slot, raw, **more)
    return flat_error(answer.status, answer.body, slot=SLOT, request_bytes=40_000)


CASES = [(name, slot, True) for name in ERRORS for slot in slots(name)]
CASES += [(name, slots(name)[0], False) for name in ERRORS]


@pytest.mark.parametrize(("name", "slot", "stream"), CASES)
def test_an_error_says_what_claude_has_to_do(
    instance: Replayer, name: str, slot: str, *, stream: bool
) -> None:
    raw = (QUIRKS / f"{name}.upstream-reply").read_bytes()

    error = told(instance, slot, raw, stream=stream)

    status, words = ERRORS[name]
    assert error.status == status
    assert words in error.message


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("slot", SERVED)
def test_any_other_error_keeps_its_status_and_says_its_reason(
    instance: Replayer, slot: str, status: int
) -> None:
    said = {"message": "the reason of it", "type": "x"}
    document = said if slot == "bedrock" else {"error": said}
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n\r\n"

    error = told(instance, slot, head.encode() + json.dumps(document).encode())

    assert error.status == TOLD.get(status, status)
    assert "the reason of it" in error.message or status == 413
