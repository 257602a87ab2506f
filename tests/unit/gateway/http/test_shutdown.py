"""A reply that ends too early says so."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from openclaude.gateway.http.shutdown import STOPPING, run_until_answered

SCOPE = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
STREAM = [(b"content-type", b"text/event-stream; charset=utf-8")]


async def nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}


def cut(
    headers: list[tuple[bytes, bytes]] | None, sent: bytes, *, is_whole: bool = False
) -> list[dict[str, Any]]:
    """Return the messages of a reply that had sent `sent` when its instance was stopped."""
    said: list[dict[str, Any]] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        if headers is not None:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": sent, "more_body": not is_whole})
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        said.append(dict(message))

    async def run() -> None:
        task = asyncio.ensure_future(run_until_answered(app, SCOPE, nothing, send))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        ends_whole = not said[-1].get("more_body", False)
        assert task.cancelled() is not ends_whole  # uvicorn cuts what was not ended

    asyncio.run(run())
    return said


def test_a_stream_that_is_cut_ends_with_an_error_event_claude_sends_again_for() -> None:
    said = cut(STREAM, b"event: ping\ndata: {}\n\nevent: content_bl")

    events = b"".join(message.get("body", b"") for message in said).split(b"\n\n")
    name, _, data = events[-2].partition(b"\ndata: ")
    assert name == b"event: error"
    assert json.loads(data)["error"] == {"type": "overloaded_error", "message": STOPPING.message}
    assert not said[-1].get("more_body")


def test_a_reply_that_had_not_begun_is_one_claude_sends_again_for() -> None:
    said = cut(None, b"")

    assert said[0]["status"] == 529
    assert json.loads(said[1]["body"])["error"]["message"] == STOPPING.message


def test_a_whole_reply_that_is_cut_is_not_made_to_look_complete() -> None:
    said = cut([(b"content-type", b"application/json")], b'{"a":')

    assert [message.get("body") for message in said[1:]] == [b'{"a":']


def test_a_reply_that_is_whole_already_gets_no_further_word() -> None:
    said = cut(STREAM, b"event: message_stop\ndata: {}\n\n", is_whole=True)

    assert [message.get("body") for message in said[1:]] == [b"event: message_stop\ndata: {}\n\n"]


def test_a_body_that_is_nested_too_deeply_is_a_mistake_of_the_request_not_a_fault_of_ours() -> None:
    said: list[dict[str, Any]] = []

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RecursionError  # of whoever parses, copies or writes a body

    async def send(message: Any) -> None:
        said.append(dict(message))

    asyncio.run(run_until_answered(app, SCOPE, nothing, send))

    assert said[0]["status"] == 400
    assert b"nested too deeply" in said[1]["body"]
