"""A slot's errors: what claude gets, for every error recorded from two real instances.

`slot_errors/NAME.STATUS.json` are bodies that main's LiteLLM 1.106.2 sent for a Bedrock or an
OpenAI-like stand-in behind providers; only tracebacks, paths and addresses are shortened.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaude.contracts.anthropic_error import AnthropicError, error_type
from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.errors.slot_errors import flat_error, flatten_event
from openclaude.gateway.http.sse import write_event

SAMPLES = sorted((Path(__file__).parent / "slot_errors").glob("*.json"))
MODEL = "qwen.qwen3-next-80b-a3b"
SLOT = SlotRoute(model=MODEL, context_window=256_000, aws_profile="work", profile="mine")
IAM = (
    "User: arn:aws:iam::123456789012:user/x is not authorized to perform: bedrock:InvokeModel on "
    "resource: arn:aws:bedrock:us-west-2::foundation-model/qwen.qwen3-next-80b-a3b because no "
    "identity-based policy allows the bedrock:InvokeModel action"
)
POLICY = "attach the policy that `openclaude aws policy --profile mine` prints"
NO_MODEL = "Could not resolve the foundation model from the provided model identifier."

TABLE = {
    "clock": (424, "this machine's clock is off; correct the clock"),
    "expired": (
        424,
        "the credentials of AWS profile `work` have expired; "
        "run `aws sso login --profile work` or `openclaude aws setup --name work`",
    ),
    "internal": (503, "The system encountered an unexpected error"),
    "model-error": (502, "The system encountered an error"),
    "model-not-found": (
        424,
        f"the provider does not have this model ({NO_MODEL}); "
        "run `openclaude profiles validate --profile mine`",
    ),
    "no-aws-profile": (
        424,
        "AWS profile `missing-one` does not exist on this machine; "
        "run `openclaude aws setup --name missing-one`",
    ),
    "no-credentials": (
        424,
        "AWS profile `work` has no complete credentials; run `openclaude aws setup --name work`",
    ),
    "no-model-access": (
        424,
        "the AWS account has no access to this model; request access in the Amazon Bedrock console",
    ),
    "no-sso-login": (
        424,
        "AWS profile `work` is not logged in to SSO; run `aws sso login --profile work`",
    ),
    "not-allowed": (424, f"AWS profile `work` may not call this model ({IAM}); {POLICY}"),
    "openai-auth": (
        424,
        "the provider rejected this slot's credentials (No auth credentials found); "
        "run `openclaude logs providers --profile mine`",
    ),
    "openai-bad-gateway": (502, "Provider returned error"),
    "openai-credits": (402, "Insufficient credits. Add more at https://openrouter.ai"),
    "openai-not-found": (
        424,
        "the provider does not have this model (No endpoints found for qwen/x.); "
        "run `openclaude profiles validate --profile mine`",
    ),
    "openai-rate": (
        424,
        "a limit of the provider is used up, for longer than claude would wait "
        "(Rate limit exceeded: free-models-per-day); "
        "ask again when it resets, or choose another model with `/model`",
    ),
    "server-tool": (
        424,
        "the server tool `web_search` runs at Anthropic only; use a Claude model for it",
    ),
    "signature": (
        424,
        "AWS rejects the access key of AWS profile `work`; run `openclaude aws setup --name work`",
    ),
    "throttled": (429, "Too many tokens, please wait before trying again."),
    "timeout": (408, "The model took too long"),
    "unauthorized": (
        424,
        "the provider rejected this slot's credentials (no); "
        "run `openclaude logs providers --profile mine`",
    ),
    "unavailable": (503, "Bedrock is unable to process your request."),
    "unknown-key": (
        424,
        "AWS rejects the access key of AWS profile `work`; run `openclaude aws setup --name work`",
    ),
    "unknown-slot": (
        424,
        "the providers instance does not belong to this stack; "
        "run `openclaude restart --profile mine`",
    ),
    "upstream-refused": (
        424,
        "nothing is listening on 127.0.0.1:11434; start the server that the profile expects there",
    ),
    "validation": (400, "The text field in the ContentBlock object is blank."),
}
TOO_LONG = {"too-long", "openai-too-long"}  # claude compares these words


def sample(name: str) -> tuple[int, bytes]:
    """Return a recorded reply: status and body."""
    (path,) = (path for path in SAMPLES if path.name.startswith(f"{name}."))
    return int(path.name.split(".")[1]), path.read_bytes()


def said(message: str, *, kind: str = "api_error") -> bytes:
    """Return an error as providers sends it."""
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()


def test_every_recorded_error_is_in_the_table() -> None:
    assert {path.name.split(".")[0] for path in SAMPLES} == TABLE.keys() | TOO_LONG


@pytest.mark.parametrize("name", TABLE)
def test_a_recorded_error_becomes_one_sentence_that_says_what_to_do(name: str) -> None:
    status, sentence = TABLE[name]

    flat = flat_error(*sample(name), slot=SLOT)

    assert flat.message == f"{MODEL}: {sentence}"
    assert (flat.status, flat.type) == (status, error_type(status))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("slot", [SlotRoute(), SLOT], ids=["unknown slot", "known slot"])
def test_no_recorded_error_brings_a_traceback_or_litellms_noise(
    path: Path, slot: SlotRoute
) -> None:
    flat = flat_error(int(path.name.split(".")[1]), path.read_bytes(), slot=slot)

    lower = flat.message.lower()
    assert not any(noise in lower for noise in ("litellm", "traceback", "exception", "{", "\n"))
    assert flat.message.startswith(("openclaude-haiku: ", f"{MODEL}: ", "prompt is too long"))


@pytest.mark.parametrize(
    ("slot", "command"),
    [
        (SlotRoute(), "`aws sso login --sso-session corp`"),
        (SlotRoute(aws_profile="my work"), "`aws sso login --profile 'my work'`"),
    ],
)
def test_an_sso_login_is_named_by_what_is_known(slot: SlotRoute, command: str) -> None:
    flat = flat_error(*sample("no-sso-login"), slot=slot)

    assert flat.message.endswith(f"run {command}")


@pytest.mark.parametrize(
    ("message", "command"),
    [
        (
            "Error loading SSO Token: Token for https://corp.awsapps.com/start does not exist",
            "aws sso login",
        ),
        ("Error when retrieving token from sso: Token has expired and refresh failed", "sso login"),
        (
            "The SSO session associated with this profile has expired or is otherwise invalid.",
            "aws sso login",
        ),
        ("Please reauthenticate using 'aws login'.", "aws login --profile work"),
        ("Partial credentials found in shared-credentials-file, missing: x", "aws setup"),
        (
            "Error when retrieving credentials from custom-process: hunter2",
            "aws sts get-caller-identity --profile work",
        ),
    ],
)
def test_what_botocore_says_names_the_command_that_mends_it(message: str, command: str) -> None:
    flat = flat_error(500, said(f"litellm.APIConnectionError: {message}\nTraceback x"), slot=SLOT)

    assert flat.status == 424
    assert command in flat.message
    assert "hunter2" not in flat.message


# Prompts that are too long ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("prompt is too long: 210000 tokens > 200000 maximum", "210000 tokens > 200000 maximum"),
        (
            "The input token count (1200000) exceeds the maximum number of tokens allowed "
            "(1048576).",
            "1200000 tokens > 1048576 maximum",
        ),
        (
            "This model's maximum context length is 131072 tokens. However, you requested 140001 "
            "tokens (132001 in the messages, 8000 in the completion).",
            "140001 tokens > 131072 maximum",
        ),
        (
            "This model's maximum context length is 32768 tokens. However, your request has 40000 "
            "input tokens.",
            "40000 tokens > 32768 maximum",
        ),
    ],
)
def test_a_prompt_too_long_keeps_the_providers_own_numbers(message: str, expected: str) -> None:
    flat = flat_error(400, said(f"litellm.BadRequestError: {message}"), slot=SLOT)

    assert flat == AnthropicError(400, f"prompt is too long: {expected}")


@pytest.mark.parametrize(
    ("slot", "request_bytes", "message"),
    [
        (SLOT, 1_200_000, "prompt is too long: 300000 tokens > 256000 maximum"),
        (SLOT, 1_000_000, f"prompt is too long for {MODEL}"),
        (SLOT, 0, f"prompt is too long for {MODEL}"),
        (SlotRoute(), 1_200_000, "prompt is too long for openclaude-haiku"),
    ],
    ids=["estimate over the window", "estimate under it", "no size", "no window"],
)
def test_a_prompt_too_long_without_numbers_gets_an_estimate_or_none(
    slot: SlotRoute, request_bytes: int, message: str
) -> None:
    flat = flat_error(*sample("too-long"), slot=slot, request_bytes=request_bytes)

    assert (flat.status, flat.message) == (400, message)


def test_a_prompt_too_long_is_recognised_by_litellms_class_too() -> None:
    body = said("litellm.ContextWindowExceededError: litellm.BadRequestError: XException - Too big")

    assert flat_error(400, body, slot=SLOT).message == f"prompt is too long for {MODEL}"


def test_an_openai_likes_prompt_too_long_is_recognised_too() -> None:
    flat = flat_error(*sample("openai-too-long"), slot=SLOT)

    assert flat.message == "prompt is too long: 300000 tokens > 262144 maximum"


# Events, headers, anything ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "message", "expected"),
    [
        (
            "rate_limit_error",
            "litellm.RateLimitError: BedrockException: Rate Limit Error - throttlingException "
            '{"message": "Too many tokens, please wait before trying again."}',
            ("rate_limit_error", "Too many tokens, please wait before trying again."),
        ),
        (
            "api_error",
            "litellm.BadRequestError: BedrockException - modelStreamErrorException "
            '{"message": "The model produced an error"}',
            ("api_error", "The model produced an error"),
        ),
        (
            "api_error",
            "Response payload is not completed: <TransferEncodingError: 400, message='Not enough "
            "data to satisfy transfer length header.'>",
            ("api_error", "the connection broke before the reply was complete"),
        ),
        (
            "api_error",
            "Connection closed.",  # aiohttp's message when `providers` is killed between two pieces
            ("api_error", "the connection broke before the reply was complete"),
        ),
        (
            "permission_error",
            "litellm.PermissionDeniedError: BedrockException - accessDeniedException "
            '{"message": "no"}',
            (
                "invalid_request_error",
                "the provider rejected this slot's credentials (no); "
                "run `openclaude logs providers --profile mine`",
            ),
        ),
        ("overloaded_error", "Overloaded", ("overloaded_error", "Overloaded")),
    ],
)
def test_an_error_inside_a_stream_is_flat_too(
    kind: str, message: str, expected: tuple[str, str]
) -> None:
    flat = flatten_event(said(message, kind=kind).decode(), slot=SLOT)

    error = {"type": expected[0], "message": f"{MODEL}: {expected[1]}"}
    data = json.dumps({"type": "error", "error": error}).encode()
    assert write_event(flat.document()) == b"event: error\ndata: " + data + b"\n\n"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, "7"),
        ({"llm_provider-retry-after": "2.5"}, "2.5"),
        ({"retry-after": "Sun, 22 Nov 2026 16:22:48 GMT"}, "Sun, 22 Nov 2026 16:22:48 GMT"),
        ({"retry-after": "7\r\nset-cookie: x"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_kept_where_it_is_one(headers: dict[str, str], expected: str | None) -> None:
    flat = flat_error(*sample("throttled"), headers=headers)

    assert flat.retry_after == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "HTTP 503 without an error message"),
        (b"<html><body>Bad gateway</body></html>", "HTTP 503 without an error message"),
        (b"upstream connect error", "upstream connect error"),
        (b'{"detail": "busy"}', "busy"),
        (b'{"error": "busy"}', "busy"),
        (b'{"message": "busy", "cut', "busy"),
        (b"Error code: 503 - {'error': {'message': 'busy', 'type': 'x'}}", "busy"),
        (b"busy " * 400, None),
        (b'{"a":' * 50_000, None),
    ],
)
def test_a_body_of_another_shape_still_becomes_a_short_sentence(
    body: bytes, expected: str | None
) -> None:
    flat = flat_error(503, body, slot=SLOT)

    assert len(flat.message) < 600
    assert expected is None or flat.message == f"{MODEL}: {expected}"


@pytest.mark.parametrize(
    "tail",
    [
        "\n\nLiteLLM: model group 'x' failed with the error above. Fallback to y also failed: z",
        '\nTraceback (most recent call last):\n  File "/opt/x.py", line 1, in f\nKeyError: 1',
        "\n\nThis looks like a bug in LiteLLM rather than in your request. File it",
        "\nmodel=x. context_window_fallbacks=None.\n\nSet 'context_window_fallback'",
    ],
)
def test_what_litellm_adds_behind_plain_words_is_cut(tail: str) -> None:
    body = said(f"litellm.BadRequestError: OpenAIException - Plain words.{tail}")

    assert flat_error(400, body, slot=SLOT).message == f"{MODEL}: Plain words."


@pytest.mark.parametrize(
    "words",
    [
        "The maximum tokens you requested exceeds the model limit of 8192.",
        "The basic plan has no key-value store, see https://openrouter.ai/docs/errors",
        "toolConfig.tools.0.member.toolSpec.inputSchema: required key [json] not found",
    ],
)
def test_what_is_no_credential_passes(words: str) -> None:
    assert flat_error(400, said(words), slot=SLOT).message == f"{MODEL}: {words}"


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("AKIAIOSFODNN7EXAMPLE", "the key {} is not active"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key={} is wrong"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "credential {} is wrong"),
        ("sk-or-v1-0123456789abcdef", "Incorrect API key provided: {}"),
        ("sk-ant-oat01-abcdefgh", "Authorization: Bearer {} was refused"),
        ("hunter2hunter2", 'token="{}" has no access'),
        ("FwoGZXIvYXdzEXAMPLETOKEN", "host:x x-amz-security-token:{} signed"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "jwt {} expired"),
        ("0123456789abcdef" * 4, "local key {} does not match"),
    ],
)
def test_no_credential_passes_in_a_message(secret: str, sentence: str) -> None:
    body = said(f"litellm.BadRequestError: XException - {sentence.format(secret)}")

    message = flat_error(400, body).message

    assert secret not in message
    assert "(removed)" in message


def test_what_aws_quotes_of_a_signed_request_does_not_pass() -> None:
    body = said(
        "litellm.BadRequestError: BedrockException - Something is off. The Canonical String for "
        "this request should have been 'POST x-amz-date:20261122 FwoGZXIv'"
    )

    assert flat_error(400, body).message == "this slot: Something is off."


@given(
    status=st.integers(-1, 999),
    body=st.binary(max_size=200)
    | st.text().map(said)
    | st.text().map(lambda group: f"LiteLLM: model group '{group}'".encode(errors="replace")),
    slot=st.sampled_from([SlotRoute(), SLOT]),
)
def test_any_reply_becomes_an_error_claude_does_not_log_out_for(
    status: int, body: bytes, slot: SlotRoute
) -> None:
    flat = flat_error(status, body, slot=slot)

    assert 400 <= flat.status < 600
    assert flat.status not in (401, 403, 404)
    assert flat.message.isprintable()
    document = json.loads(flat.body())
    assert document == {"type": "error", "error": {"type": flat.type, "message": flat.message}}
    assert flat.type not in ("authentication_error", "permission_error")


@pytest.mark.parametrize(
    ("slot", "status", "sentence"),
    [
        (
            SlotRoute(model="m", address="http://127.0.0.1:8000/v1"),
            424,
            "m: nothing is listening on http://127.0.0.1:8000/v1; "
            "start the server that the profile expects there",
        ),
        (
            SlotRoute(model="m", address="https://third.example"),
            503,
            "m: cannot reach https://third.example",
        ),
        (SlotRoute(model="m"), 503, "m: cannot reach the provider"),
    ],
)
def test_openais_client_does_not_say_whom_it_cannot_reach_and_we_do(
    slot: SlotRoute, status: int, sentence: str
) -> None:
    message = (
        "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error."
    )
    body = json.dumps({"type": "error", "error": {"type": "api_error", "message": message}})

    error = flat_error(500, body.encode(), slot=slot)

    assert (error.status, error.message) == (status, sentence)


def test_a_refused_key_is_named_by_where_it_is() -> None:
    body = json.dumps({"type": "error", "error": {"type": "x", "message": "bad key"}})

    slot = SlotRoute(model="m", key="env:OPENROUTER_API_KEY", profile="mine")

    error = flat_error(401, body.encode(), slot=slot)

    assert error.message == (
        "m: the provider rejected the API key from `env:OPENROUTER_API_KEY` (bad key); "
        "put a valid key there, then run `openclaude restart --profile mine`"
    )


def test_a_request_that_litellm_cannot_copy_is_not_asked_again() -> None:
    said = (
        "litellm.APIConnectionError: maximum recursion depth exceeded while calling a Python object"
    )
    body = json.dumps({"error": {"message": said}}).encode()

    assert flat_error(500, body, slot=SLOT).status == 400
    assert "nested too deeply" in flat_error(500, body, slot=SLOT).message


@pytest.mark.parametrize(
    "said",
    [
        "litellm.InternalServerError: InternalServerError: OpenAIException - {}",
        "litellm.APIConnectionError: OllamaException - {}",
        "the server failed: {}",
    ],
)
def test_a_server_that_fails_with_these_words_is_asked_again(said: str) -> None:
    words = said.format("maximum recursion depth exceeded while calling a Python object")
    body = json.dumps({"error": {"message": words}}).encode()

    assert flat_error(500, body, slot=SLOT).status == 500
    assert "maximum recursion depth" in flat_error(500, body, slot=SLOT).message


@pytest.mark.parametrize(
    ("provider", "sentence"),
    [
        ("bedrock", "the identity behind the API key from `env:KEY` lacks the permission"),
        ("openrouter", "the provider rejected the API key from `env:KEY` ("),
    ],
)
def test_who_is_denied_access_with_a_key_is_told_of_the_key(provider: str, sentence: str) -> None:
    slot = SlotRoute(model="m", key="env:KEY", profile="mine", provider=provider)
    said = "AccessDeniedException: User: x is not authorized to perform: bedrock:InvokeModel"
    body = json.dumps({"error": {"message": said, "code": "403"}}).encode()

    error = flat_error(403, body, slot=slot)

    assert error.status == 424
    assert sentence in error.message
    assert "AWS profile" not in error.message
