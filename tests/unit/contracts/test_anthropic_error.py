"""All our replies have Anthropic's error in the same format."""

from __future__ import annotations

import json

import pytest

from openclaude.contracts.anthropic_error import AnthropicError, error_type, status_of
from openclaude.run.supervisor.unavailable import failed_reply, slow_reply

INVALID, INTERNAL, TIMEOUT = "invalid_request_error", "api_error", "timeout_error"
TYPES = [
    (400, INVALID),
    (401, "authentication_error"),
    (402, "billing_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (405, INVALID),
    (408, TIMEOUT),
    (409, INVALID),
    (413, "request_too_large"),
    (422, INVALID),
    (424, INVALID),
    (429, "rate_limit_error"),
    (500, INTERNAL),
    (501, INTERNAL),
    (502, INTERNAL),
    (503, INTERNAL),
    (504, TIMEOUT),
    (529, "overloaded_error"),
    (599, INTERNAL),
]


@pytest.mark.parametrize(("status", "kind"), TYPES)
def test_the_type_of_each_status(status: int, kind: str) -> None:
    error = AnthropicError(status, "what is wrong")

    assert json.loads(error.body()) == {
        "type": "error",
        "error": {"type": kind, "message": "what is wrong"},
    }


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 429, 500, 504, 529])
def test_a_type_tells_the_status_that_anthropic_gives_it(status: int) -> None:
    assert status_of(error_type(status)) == status


def test_an_unknown_type_is_an_internal_error() -> None:
    assert status_of("new_error") == 500


@pytest.mark.parametrize(("retry_after", "more"), [(None, []), ("7", [(b"retry-after", b"7")])])
def test_the_headers_of_an_error(retry_after: str | None, more: list[tuple[bytes, bytes]]) -> None:
    error = AnthropicError(503, "ü", retry_after)

    assert error.headers() == [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(error.body())),
        *more,
    ]


def test_the_supervisors_answers_have_the_same_form() -> None:
    for reply, error in (
        (failed_reply("why"), AnthropicError(424, "why")),
        (slow_reply("why", retry_after_s=5), AnthropicError(503, "why", "5")),
    ):
        head, _, body = reply.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")

        assert body == error.body()
        assert first.startswith(b"HTTP/1.1 %d " % error.status)
        headers = [tuple(line.split(b": ")) for line in lines]
        assert headers == [*error.headers(), (b"connection", b"close")]
