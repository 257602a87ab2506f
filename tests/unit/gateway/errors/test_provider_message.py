"""A provider's own message, out of LiteLLM's wrapping: one row for each kind."""

from __future__ import annotations

import json

import pytest

from openclaude.gateway.errors.provider_message import unwrap

PRETTY = '{\n  "error": {\n    "code": 400,\n    "message": "Two\\nlines"\n  }\n}\n'
INNER = '{"error": {"code": 429, "message": "Slow down, it\'s full", "status": "EXHAUSTED"}}'


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            "litellm.RateLimitError: AzureException RateLimitError - Slow down",
            "Slow down",
        ),
        (
            "litellm.APIError: AzureException APIError - The server had an error",
            "The server had an error",
        ),
        (
            f"litellm.InternalServerError: GeminiException InternalServerError - {INNER}",
            "Slow down, it's full",
        ),
        (
            f"litellm.RateLimitError: litellm.RateLimitError: Vertex_ai_betaException - "
            f"{INNER.encode()!r}",
            "Slow down, it's full",
        ),
        (f"Vertex_ai_betaException - {PRETTY.encode()!r}", "Two\nlines"),
        ("litellm.RateLimitError: X_Exception - b'cut off", "cut off"),
        (
            "litellm.AuthenticationError: BedrockException Invalid Authentication - no",
            "no",
        ),
    ],
)
def test_the_innermost_sentence_is_found(message: str, text: str) -> None:
    body = json.dumps({"type": "error", "error": {"type": "x", "message": message}})

    said = unwrap(body.encode())

    assert said.text == text


# The forms of errors that servers use; each has the reason in it, wherever
REASON = "the prompt does not fit"
FORMS = [
    {"error": {"message": REASON, "type": "x"}},
    {"error": REASON, "error_type": "validation"},
    {"error": {"error": {"message": REASON}}},
    {"error": json.dumps({"error": {"message": REASON}})},
    {"detail": REASON},
    {"detail": [{"loc": ["body"], "msg": REASON}]},
    {"object": "error", "message": {"detail": [{"msg": REASON}]}},
    {"message": [REASON]},
    {"errors": [{"message": REASON, "code": 5021}], "success": False},
    {"base_resp": {"status_code": 2013, "status_msg": REASON}, "choices": None},
    {"error_code": 336007, "error_msg": REASON},
    {"status": "error", "error_message": REASON},
    {"fault": {"faultstring": REASON, "detail": {"errorcode": "x"}}},
    {
        "error": {
            "message": "Provider returned error",
            "metadata": {"raw": {"error": {"message": REASON}}},
        }
    },
]


@pytest.mark.parametrize("document", FORMS, ids=lambda one: json.dumps(one)[:40])
@pytest.mark.parametrize("is_python", [False, True])
def test_the_reason_is_found_in_every_form_of_an_error(document: object, is_python: bool) -> None:
    raw = repr(document) if is_python else json.dumps(document)
    error = {"message": f"litellm.BadRequestError: XException - {raw}", "code": "400"}

    assert unwrap(json.dumps({"error": error}).encode()).text == REASON


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (
            {"error": "invalid_request", "error_description": REASON},
            f"invalid_request: {REASON}",
        ),
        ({"error": {"why": REASON}}, json.dumps({"error": {"why": REASON}})),
        ({"error": {"reason": REASON}}, json.dumps({"error": {"reason": REASON}})),
        ({"error": {"code": 413, "type": "too_large"}}, ""),
        ({"error": {}}, ""),
    ],
)
def test_a_reason_under_another_key_is_shown_with_it_and_codes_alone_are_none(
    document: object, text: str
) -> None:
    assert unwrap(json.dumps(document).encode()).text == text
