"""How providers word prompts that are too long and quotas, one row for each wording."""

from __future__ import annotations

import json
import re

import pytest

from openclaude.aws import faults
from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.errors import provider_message, quotas, redaction, slot_errors, too_long
from openclaude.gateway.errors.redaction import LOOKED_AT, presentable
from openclaude.gateway.errors.slot_errors import flat_error
from tests.unit.gateway.errors.expressions import ENDLESS, steps

SLOT = SlotRoute(model="m", context_window=100_000)
LONG = "prompt is too long for m"


def numbers(tokens: int, window: int) -> str:
    return f"prompt is too long: {tokens} tokens > {window} maximum"


# 38 messages of providers, by what claude gets for them
TOO_LONG = [
    ("prompt is too long: 213462 tokens > 200000 maximum", numbers(213_462, 200_000)),
    (
        "input length and `max_tokens` exceed context limit: \n 184915 +\n20000 > 200000, decrease",
        numbers(204_915, 200_000),
    ),
    ("Input is too long for requested model.", LONG),
    (
        "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the "
        "input to try again.",
        LONG,
    ),
    (
        "The model returned the following errors: Error code: 400 - {'error': {'message': "
        "\"max_tokens must be at least 1, got -20202.\", 'type': 'BadRequestError'}}",
        numbers(120_202, 100_000),
    ),
    (
        "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
        numbers(1_196_265, 1_048_575),
    ),
    ("Your input exceeds the context window of this model.", LONG),
    (
        "This model's maximum context length is 131072 tokens. However, you requested 131134 "
        "tokens (122942 in the messages, 8192 in the completion).",
        numbers(131_134, 131_072),
    ),
    (
        "This endpoint's maximum context length is 131,072 tokens. However, you requested about "
        "140,001 tokens",
        numbers(140_001, 131_072),
    ),
    (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in "
        "202868 tokens (202767 in the messages, 101 in the functions).",
        numbers(202_868, 128_000),
    ),
    (
        "Requested token count exceeds the model's maximum context length of 262144 tokens. You "
        "requested a total of 270128 tokens: 261936 tokens from the input messages and 8192",
        numbers(270_128, 262_144),
    ),
    (
        "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context "
        "length is 65536 tokens and your request has 57879 input tokens (8192 > 65536 - 57879).",
        numbers(66_071, 65_536),
    ),
    (
        "This model's maximum context length is 32768 tokens. However, your request has 40000 "
        "input tokens. Please reduce the length of the input messages.",
        numbers(40_000, 32_768),
    ),
    (
        "You passed 140001 input tokens and requested 8192 output tokens. However, the model's "
        "context length is only 131072 tokens, resulting in a maximum input length of 122880 "
        "tokens",
        numbers(140_001, 122_880),
    ),
    (
        "The decoder prompt (length 21535) is longer than the maximum model length of 16384",
        numbers(21_535, 16_384),
    ),
    (
        "Prompt length of 5016 is longer than the maximum model length of 4096",
        numbers(5016, 4096),
    ),
    (
        "The input (691,793 tokens) is longer than the model's context length (540000 tokens).",
        numbers(691_793, 540_000),
    ),
    (
        "request (40112 tokens) exceeds the available context size (4096 tokens), try more",
        numbers(40_112, 4096),
    ),
    ("the request exceeds the available context size, try increasing it", LONG),
    ("Requested tokens exceed context window of 512", LONG),
    (
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        numbers(537_812, 131_072),
    ),
    ("prompt token count of 174490 exceeds the limit of 131072", numbers(174_490, 131_072)),
    (
        "Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)",
        numbers(300_000, 262_144),
    ),
    (
        "Prompt contains 140001 tokens and 0 draft tokens, too large for model with 131072 maximum "
        "context length",
        numbers(140_001, 131_072),
    ),
    (
        "Input length 131393 exceeds the maximum allowed input length of 131040 tokens.",
        numbers(131_393, 131_040),
    ),
    (
        "Please reduce the length of the messages or completion. Current length is 42328 while "
        "limit is 40000",
        numbers(42_328, 40_000),
    ),
    ("Please reduce the length of the messages or completion.", LONG),
    (
        "Prompt too long: 132799 tokens exceeds max context window of 131072 tokens",
        numbers(132_799, 131_072),
    ),
    (
        "Trying to keep the first 40112 tokens when context the overflows. However, the model is "
        "loaded with context length of only 4096 tokens, which is not enough.",
        numbers(40_112, 4096),
    ),
    (
        "The number of tokens to keep from the initial prompt is greater than the context length "
        "(n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger context length",
        numbers(13_055, 4096),
    ),
    (
        "The number of tokens to keep from the initial prompt is greater than the context length.",
        LONG,
    ),
    (
        "Requested generation length 8192 is not possible! The provided prompt is 130001 tokens "
        "long, so generating 8192 tokens requires a sequence length of 138193, but the maximum "
        "supported sequence length is just 131072!",
        numbers(138_193, 131_072),
    ),
    (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 1512. Given: 1000 "
        "`inputs` tokens and 1024 `max_new_tokens`",
        numbers(2024, 1512),
    ),
    (
        "too many tokens: total number of tokens (prompt and prediction) cannot exceed 2048 - "
        "received 6354. Try using a shorter prompt or a smaller max_tokens value.",
        numbers(6354, 2048),
    ),
    ("prompt too long; exceeded max context length by 4096 tokens", numbers(104_096, 100_000)),
    ("total message size 10176584 exceeds limit 2097152", numbers(2_544_146, 524_288)),
    (
        "String value length (20054016) exceeds the maximum allowed (20000000, from `Stream`)",
        numbers(5_013_504, 5_000_000),
    ),
    (
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
        LONG,
    ),
    ("Request body too large for gpt model. Max size: 8000 tokens.", numbers(10_000, 8000)),
    ("invalid params, context window exceeds limit", LONG),
    ("Prompt exceeds max length", LONG),
    ("tokens in request more than max tokens allowed", LONG),
    ("exceeds the maximum number of tokens allowed", LONG),
    ("The maximum context length is 8192.", LONG),
    ("Prompt is too large for model with 8192", LONG),
    ("Context overflow: the session is larger than the model", LONG),
    (
        "Unable to submit request because the input token count is 40000 but model only supports "
        "up to 32768. Reduce the input token count and try again.",
        numbers(40_000, 32_768),
    ),
    (
        "The prompt (total length 45000) is too long to fit into the model (context length 40960). "
        "Make sure that `max_model_len` is no smaller than the number of text tokens",
        numbers(45_000, 40_960),
    ),
    ("Requested tokens (70000) exceed context window of 65536", numbers(70_000, 65_536)),
    (
        "The prompt is too long: 140000, model maximum context length: 131071",
        numbers(140_000, 131_071),
    ),
    ("Prompt length (45000) exceeds maximum input length (8192)", numbers(45_000, 8192)),
    (
        "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500",
        numbers(1500, 1024),
    ),
    (
        "Input length 1048826 exceeds the maximum length 1048566. Request id: 0217",
        numbers(1_048_826, 1_048_566),
    ),
    (
        "Maximum request body size 1048576 exceeded, actual body size 1056562",
        numbers(264_140, 262_144),
    ),
    (
        "AiError: This model's maximum context length is 131072 tokens. However, you requested "
        "16000 output tokens and your prompt contains at least 115073 input tokens, for a total of "
        "at least 131073 tokens.",
        numbers(131_073, 131_072),
    ),
    ("Request payload size exceeds the limit: 20971520 bytes.", LONG),
    (
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
        "289650 tokens. Please reduce the length of the messages.",
        numbers(289_650, 272_000),
    ),
    (
        "Prompt tokens limit exceeded: 69120 > 36608. To increase, visit https://openrouter.ai",
        numbers(69_120, 36_608),
    ),
    (
        "Malformed input request: expected maxLength: 400000, actual: 512344, please reformat your "
        "input and try again.",
        numbers(128_086, 100_000),
    ),
    ("Total tokens of image and text exceed max message tokens", LONG),
    (
        "Input length (265330) exceeds model's maximum context length (262144).",
        numbers(265_330, 262_144),
    ),
    ("Error code: 400 - The model's context length is exceeded: 131072", LONG),
]
# In words that no row has
UNKNOWN_WORDS = [
    ("The total number of tokens in the request (140000) exceeds the limit (131072)", 140_000),
    ("This model only supports up to 131072 tokens, your prompt has 140000", 140_000),
    ("Input token length 140,000 is larger than the window 131072", 140_000),
    ("prompt_tokens (140000) + max_tokens (8000) exceeds model context (131072)", 0),
    ("The context window of this model (131072) is smaller than the prompt (140000)", 140_000),
    ("Conversation too long. Please start a new conversation", 0),
    ("Message is too long", 0),
    ("The maximum input length for this model is 131072 tokens; got 140000", 140_000),
    ("The sum of the input (135000) and max_tokens (8192) exceeds the model's length 131072", 0),
    ("max_tokens (32000) + prompt tokens (100000) > 128000", 0),
    ("\u8f93\u5165\u7684Token\u6570\u91cf\u8d85\u8fc7\u9650\u5236", 0),
    ("too many tokens", 0),
    ("tokens limit exceeded: 140000 > 131072", 140_000),
    ("The engine prompt length 45000 exceeds the max_model_len. Please reduce prompt.", 0),
    ("too many tokens: size limit exceeded by 11326 tokens. Try using shorter inputs", 0),
    ("the number of input tokens cannot exceed the total tokens limit for this model", 0),
    ("\u8f93\u5165\u957f\u5ea6\u8d85\u8fc7\u6a21\u578b\u9650\u5236", 0),
]


def told(text: str, status: int = 400) -> tuple[int, str]:
    """Return what claude gets for a provider's message."""
    error = json.dumps({"error": {"message": f"litellm.BadRequestError: XException - {text}"}})
    flat = flat_error(status, error.encode(), slot=SLOT, request_bytes=40_000)
    return flat.status, flat.message


@pytest.mark.parametrize(("text", "message"), TOO_LONG, ids=lambda value: value[:40])
def test_a_prompt_that_does_not_fit_is_said_in_anthropics_words(text: str, message: str) -> None:
    assert told(text) == (400, message)


@pytest.mark.parametrize(("text", "tokens"), UNKNOWN_WORDS, ids=lambda value: str(value)[:40])
def test_words_that_nobody_has_said_yet_are_understood_in_a_request_that_was_refused(
    text: str, tokens: int
) -> None:
    assert told(text) == (400, numbers(tokens, 131_072) if tokens else LONG)
    assert "too long:" not in told(text, 429)[1]


def test_every_form_of_a_prompt_that_does_not_fit_was_read_somewhere_and_is_tried_here() -> None:
    texts = [text for text, _ in TOO_LONG]
    tried = {
        form.pattern
        for form, pattern in zip(too_long.FORMS, too_long.COMPILED, strict=True)
        if any(pattern.search(text) for text in texts)
    }

    assert {form.pattern for form in too_long.FORMS} == tried
    assert all(form.source for form in too_long.FORMS)


@pytest.mark.parametrize(
    "document",
    [
        {"error": {"message": "no", "code": "context_length_exceeded"}},
        {"error": {"message": "no", "type": "exceed_context_size_error", "n_ctx": 4096}},
        {"error": {"message": "no", "code": "1261"}},
        [{"error": {"message": "no", "status": "context_length_exceeded"}}],
    ],
)
def test_a_code_says_it_too(document: object) -> None:
    message = f"litellm.BadRequestError: XException - {json.dumps(document)}"
    body = json.dumps({"error": {"message": message}}).encode()

    assert flat_error(400, body, slot=SLOT).message == LONG


@pytest.mark.parametrize(("status", "size"), [(413, 0), (400, 500_000)])
def test_an_error_without_a_word_is_one_by_its_status_or_by_the_requests_size(
    status: int, size: int
) -> None:
    said = {"error": {"message": "litellm.APIError: CerebrasException - Error code: 413"}}
    body = b"" if status == 400 else json.dumps(said).encode()

    assert flat_error(status, body, slot=SLOT, request_bytes=size).status == 400
    assert "too long" in flat_error(status, body, slot=SLOT, request_bytes=size).message
    assert "too long" not in flat_error(400, b"", slot=SLOT, request_bytes=4000).message


OTHERS = [
    (400, "max_tokens: must be at most 8192"),
    (400, "Invalid 'messages[3].tool_calls[0].id': string too long. Expected a string with "
          "maximum length 40, but got a string with length 52 instead."),
    (429, "Too many tokens, please wait before trying again."),
    (400, "Malformed input request: #/tools/0/toolSpec/description: expected maxLength: 10000, "
          "actual: 12000, please reformat your input and try again."),
    (400, "Malformed input request: #/messages/0/content/0/text: expected maxLength: 25000, "
          "actual: 30000, please reformat your input and try again."),
    (400, 'The request failed: input must be text and "max_tokens" exceeds 8192'),
    (429, "input tokens limit exceeded: 40000 > 30000"),
    (500, "failed to stop upstream worker, please retry"),
    (500, "database error: insufficient funds of entropy"),
    (500, "credit capacity exhausted: credit caps"),
    (503, "failed to stop upstream worker, please retry"),
    (429, "Rate limit reached on tokens per minute (TPM): Limit 6000, Used 5000, Requested 2000. "
          "Please try again in 9s."),
    (429, "Request too fast: maximum context length is fine, rate limit exceeded"),
    (400, "tools.0.name: too long, at most 64 letters"),
    (400, "The maximum tokens you requested exceeds the model limit of 8192."),
    (400, "max_tokens is too large: 100000. This model supports at most 16384 completion tokens"),
    (400, "Invalid 'tools': array too long. Expected an array with maximum length 128"),
    (400, "messages.4.content.1: image exceeds 5 MB maximum"),
    (429, "Too many requests in the context of this project"),
    (400, "context deadline exceeded"),
    (400, "Invalid JSON: message exceeds nesting limit"),
    (400, "Invalid parameter: max_tokens must be less than the context length"),
    (400, "#/toolConfig/tools/0/toolSpec/name: expected maxLength: 64, actual: 70"),
    (429, "Your quota will reset after 12s."),
]  # fmt: skip


@pytest.mark.parametrize(("status", "text"), OTHERS, ids=lambda value: str(value)[:30])
def test_what_only_resembles_it_keeps_its_status_and_says_its_reason(
    status: int, text: str
) -> None:
    body = json.dumps({"error": {"message": f"litellm.RateLimitError: X_Exception - {text}"}})

    flat = flat_error(status, body.encode(), slot=SLOT)

    assert (flat.status, flat.message) == (status, f"m: {text}")


NO_CREDIT, USED_UP = "has no credit", "is used up"
QUOTAS = [
    (429, "Insufficient Balance", NO_CREDIT),
    (503, "the provider's answer is not a valid reply: {'msg': 'insufficient balance'}", NO_CREDIT),
    (503, "Open api daily request limit reached", USED_UP),
    (400, "Your credit balance is too low to access the API", NO_CREDIT),
    (429, "Your account is in arrears, please recharge and try again.", NO_CREDIT),
    (400, "Access denied, please make sure your account is in good standing.", NO_CREDIT),
    (429, "\u4f59\u989d\u4e0d\u8db3\u6216\u65e0\u53ef\u7528\u8d44\u6e90\u5305", NO_CREDIT),
    (
        403,
        "Your team x has either used all available credits or reached its monthly spending limit.",
        NO_CREDIT,
    ),
    (400, "The free tier of the model has been exhausted. If you wish to continue", NO_CREDIT),
    (429, "You exceeded your current quota, please check your plan and billing", NO_CREDIT),
    (429, "Too many tokens per day, please wait before trying again.", USED_UP),
    (429, "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000", USED_UP),
    (429, "Rate limit reached on tokens per day (TPD): Limit 100000, Used 99000", USED_UP),
    (429, "Weekly/Monthly Limit Exhausted", USED_UP),
    (
        429,
        "You have exhausted your capacity on this model. Your quota will reset after 8h44m7s.",
        USED_UP,
    ),
    (429, "The quota of 5 hours is exhausted. Resets at 2026-08-07T05:00:00Z", USED_UP),
    (403, "You've reached your weekly (7-day) usage limit. Your quota will reset when", USED_UP),
    (429, "you (x) have reached your session usage limit, please wait or upgrade", USED_UP),
    (429, "Your account is not active, please check your billing details", NO_CREDIT),
    (403, "your subscription payment is past due. update your payment method: x", NO_CREDIT),
    (
        412,
        "Account x is suspended, possibly due to reaching the monthly spending limit or failure",
        NO_CREDIT,
    ),
    (
        400,
        "You have reached your specified API usage limits. You will regain access on 2026-04-01",
        NO_CREDIT,
    ),
    (500, "insufficient balance", NO_CREDIT),
    (429, "Usage limit reached for 5 hour. Your limit will reset at 2026-09-09 05:38:28", USED_UP),
    (
        429,
        "Quota exceeded for metric: generativelanguage.googleapis.com/x, limit: 0, model: y\n"
        "Please retry in 20.04466179s.",
        USED_UP,
    ),
    (
        413,
        "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 30412",
        "larger than what the provider allows",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("status", "text", "words"), QUOTAS, ids=lambda value: str(value)[:30])
def test_a_quota_that_waiting_does_not_mend_is_said_at_once(
    status: int, text: str, words: str
) -> None:
    got, message = told(text, status)

    assert got == 424
    assert words in message
    assert text.split("\n")[0] in message


def gemini(*quota_ids: str) -> bytes:
    """Return a 429 of Gemini's, as LiteLLM passes it on."""
    violations = [{"quotaId": one, "quotaMetric": "g/free_tier_requests"} for one in quota_ids]
    error = {
        "code": 429,
        "message": "You exceeded your current quota, please check your plan and billing details.\n"
        "Please retry in 34.07s.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "google.rpc.QuotaFailure", "violations": violations}],
    }
    message = f"litellm.RateLimitError: GeminiException - {json.dumps({'error': error})}"
    return json.dumps({"error": {"message": message}}).encode()


def test_geminis_limits_of_a_minute_pass_and_those_of_a_day_do_not() -> None:
    minute = flat_error(
        429, gemini("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"), slot=SLOT
    )
    day = flat_error(429, gemini("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), slot=SLOT)

    assert (minute.status, day.status) == (429, 424)


def test_every_form_of_a_quota_was_read_somewhere_and_is_tried_here() -> None:
    texts = [text for _, text, _ in QUOTAS] + ["exceeded_current_quota_error"]
    tried = {
        form.pattern
        for form, (_, pattern) in zip(quotas.QUOTAS, quotas.COMPILED, strict=True)
        if any(pattern.search(text) for text in texts)
    }

    assert {form.pattern for form in quotas.QUOTAS} == tried
    assert all(form.source for form in quotas.QUOTAS)


def test_the_reason_inside_what_openrouter_passes_on_is_said() -> None:
    raw = json.dumps({"error": {"message": "the reason", "type": "x"}})
    error = {"message": "Error from provider: Provider returned error", "metadata": {"raw": raw}}

    assert told(json.dumps({"error": error}), 503) == (503, "m: the reason")


@pytest.mark.parametrize(
    "name",
    [
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        "generate_content_free_tier_input_token_count",
        "Llama-4-Maverick-17B-128E-Instruct-FP8-long-context",
    ],
)
def test_the_name_of_a_quota_or_model_is_no_secret(name: str) -> None:
    assert presentable(f"limit: 50, {name} x") == f"limit: 50, {name} x"


@pytest.mark.parametrize(
    "secret",
    [
        "0123456789abcdef" * 4,
        "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        "Xk3-9fQz_Lm2-Tt8vB-aa71Zq_00pLwKx93hdjQx1Aa2Bb3",
        "sk-proj-Secret-Words-Only-Words-And-Nothing-But-Words",
    ],
)
def test_a_secret_is_removed_however_it_is_made(secret: str) -> None:
    assert secret not in presentable(f"the key {secret} was refused")
    assert secret[:20] not in presentable("x" * (LOOKED_AT - 30) + f" {secret} was refused")


# At one character, as if every choice had to be combined with every other: far too high
MOST_STEPS = 20_000
EXPRESSIONS = [
    *too_long.COMPILED,
    too_long.ANOTHER,
    *(pattern for _, pattern in quotas.COMPILED),
    *(quotas.OPENAI, quotas.PASSES, quotas.ASKED),
    *(redaction.SECRETS, redaction.HTML, redaction.WORDS),
    *(provider_message.WRAPPER, slot_errors.DELAY),
    *(re.compile(pattern) for pattern, _ in (*slot_errors.RULES, *faults.RULES)),
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda one: one.pattern.strip()[:40])
def test_no_text_keeps_an_expression_busy(expression: re.Pattern[str]) -> None:
    assert steps(expression) <= MOST_STEPS


@pytest.mark.parametrize(
    ("pattern", "is_endless"),
    [
        ("(a+)+b", True),
        ("a.*b", True),
        (r"\s*x", True),
        ("a++b", True),
        ("a.{0,9}b", False),
        ("ab+", False),
        ("a[bc]*c?", False),
    ],
)
def test_what_counts_the_steps_knows_an_expression_that_has_no_bound(
    pattern: str, is_endless: bool
) -> None:
    assert (steps(re.compile(pattern)) >= ENDLESS) is is_endless


@pytest.mark.parametrize(
    "worst",
    ["x", " ", "\n", "1", "message:", "Authorization: ", "eyJ", "token=", "You passed 1 input",
     "tokens", "{", '{"error":', "b'", "(1 tokens)", "LiteLLM: model group '", "a_",
     "Error code: 4"],
)  # fmt: skip
def test_an_error_of_a_hundred_kilobytes_is_cut_before_anything_looks_at_it(
    worst: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = worst * (100_000 // len(worst))
    seen: list[int] = []
    looked_at = redaction.looked_at

    def look(text: str) -> str:
        seen.append(len(looked_at(text)))
        return looked_at(text)

    for module in (redaction, provider_message):
        monkeypatch.setattr(module, "looked_at", look)

    flat = flat_error(503, text.encode(), slot=SLOT)

    assert len(flat.message) < 1000
    assert max(seen) <= LOOKED_AT
