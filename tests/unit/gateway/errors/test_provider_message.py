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
