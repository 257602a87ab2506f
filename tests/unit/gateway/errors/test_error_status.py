"""Providers' errors contain their status, and the mark by which main recognises them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from openclaude.gateway.errors.status import OWN, saying_status, with_code
from openclaude.gateway.http.upstream_status import note_status

ERROR = {"type": "error", "error": {"type": "permission_error", "message": "no"}}


def reply(status: int, *parts: bytes, kind: str = "http") -> list[dict[str, Any]]:
    """Return what is sent if an application answers like this."""
    sent: list[dict[str, Any]] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        length = b"%d" % sum(map(len, parts))
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": f"{kind}.response.start", "status": status, "headers": headers})
        for left, part in reversed(list(enumerate(reversed(parts)))):
            body = {"type": f"{kind}.response.body", "body": part, "more_body": left > 0}
            await send(body)

    async def keep(message: Any) -> None:
        sent.append(message)

    asyncio.run(saying_status(app)({"type": kind}, None, keep))  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize("status", [402, 403, 500])
def test_an_error_document_in_parts_gets_its_status_and_its_new_length(status: int) -> None:
    whole = json.dumps(ERROR).encode()

    start, body = reply(status, whole[:10], whole[10:])

    assert start["status"] == status
    assert json.loads(body["body"])["error"] == {**ERROR["error"], "code": status}  # type: ignore[dict-item]
    assert dict(start["headers"])[b"content-length"] == b"%d" % len(body["body"])
    assert dict(start["headers"])[b"content-type"] == b"application/json"
    assert OWN in start["headers"]


def test_a_good_reply_passes_part_by_part_as_it_is() -> None:
    _, first, second = reply(200, b'{"error": {"message"', b': "a model said this"}}')

    assert (first["body"], second["body"]) == (b'{"error": {"message"', b': "a model said this"}}')


def test_what_is_no_request_passes() -> None:
    assert [message["type"] for message in reply(500, b"{}", kind="lifespan")] == [
        "lifespan.response.start",
        "lifespan.response.body",
    ]


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b'"error"', b'{"error": "text"}', b'{"detail": "no"}']
)
def test_what_is_no_error_document_stays_as_it_is(body: bytes) -> None:
    assert with_code(body, 403) == body


@pytest.mark.parametrize(
    ("upstream", "said"), [(413, {"upstream_status": 413}), (400, {}), (200, {})]
)
def test_a_status_that_litellm_has_changed_is_said_beside_its_own(
    upstream: int, said: dict[str, int]
) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await asyncio.create_task(ask())
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(ERROR).encode()})

    async def ask() -> None:
        note_status(upstream)

    sent: list[Any] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    asyncio.run(saying_status(app)({"type": "http"}, None, keep))  # type: ignore[arg-type]

    error = json.loads(sent[1]["body"])["error"]
    assert error == {**ERROR["error"], "code": 400, **said}  # type: ignore[dict-item]
