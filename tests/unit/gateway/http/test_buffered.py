"""A reply that is buffered: whole, or passed on when it is too long to buffer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.errors.status import StatusInErrors
from openclaude.gateway.http import buffered, sse
from openclaude.gateway.http.buffered import BufferedReply
from openclaude.gateway.http.upstream_status import UpstreamStatus
from openclaude.gateway.routing.passthrough_reply import PassthroughReply
from openclaude.gateway.routing.slot_reply import SlotReply

START = {"type": "http.response.start", "status": 500, "headers": [(b"x-a", b"1")]}
EVENTS = [(b"content-type", b"text/event-stream")]


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def sent_by(make: Any, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a reply's messages become."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def run() -> None:
        reply = make(send)
        for message in messages:
            await reply.send(message)

    asyncio.run(run())
    return sent


def test_a_reply_is_kept_until_it_is_whole() -> None:
    reply = BufferedReply(START)
    reply.add(part(b"one ", more=True))
    was_whole = reply.is_whole
    reply.add(part(b"two"))

    assert (was_whole, reply.is_whole, reply.is_too_large) == (False, True, False)
    assert (reply.status, reply.headers, reply.body) == (500, [(b"x-a", b"1")], b"one two")


def test_of_a_reply_that_is_too_large_no_more_is_kept() -> None:
    reply = BufferedReply(START, limit=3)
    for number in range(5):
        reply.add(part(b"ab", more=number < 4))

    assert (reply.is_whole, reply.is_too_large, reply.body) == (True, True, b"abab")


def with_status(send: Any) -> StatusInErrors:
    return StatusInErrors(send, UpstreamStatus())


@pytest.mark.parametrize("make", [PassthroughReply, with_status])
def test_what_is_too_large_for_an_error_of_litellms_passes_as_it_came(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffered.BufferedReply.__init__, "__kwdefaults__", {"limit": 3})
    parts = [part(b"ab", more=True), part(b"cd", more=True), part(b"ef", more=True), part(b"g")]

    sent = sent_by(make, START, *parts)

    assert sent[0] == START
    assert b"".join(message["body"] for message in sent[1:]) == b"abcdefg"
    assert [message["more_body"] for message in sent[1:]] == [True, True, False]


def test_an_error_of_a_slot_is_told_however_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffered.BufferedReply.__init__, "__kwdefaults__", {"limit": 30})

    sent = sent_by(
        lambda send: SlotReply(send, SlotRoute(model="m"), request_bytes=0),
        {**START, "status": 503},
        part(b'{"message": "busy", "more": "' + b"x" * 100, more=True),
        part(b"x" * 100),
    )

    assert sent[0]["status"] == 503
    assert json.loads(sent[1]["body"])["error"]["message"] == "m: busy"


def test_an_event_that_is_too_large_ends_a_slots_reply_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sse.EventReader.__init__, "__kwdefaults__", {"limit": 20})

    start, body = sent_by(
        lambda send: SlotReply(send, SlotRoute(model="m"), request_bytes=0),
        {**START, "status": 200, "headers": EVENTS},
        part(b"data: 1\n\ndata: " + b"x" * 100, more=True),
        part(b"x"),
    )

    first, error = sse.EventReader(limit=1000).feed(body["body"])
    assert start["status"] == 200
    assert first == b"data: 1\n\n"
    assert (sse.read_event(error) or {})["error"]["type"] == "api_error"
    assert body["more_body"] is False


@pytest.mark.parametrize("name", ["event: error", "event:error", "event: error\r"])
def test_an_error_event_is_known_by_its_name_however_it_is_written(name: str) -> None:
    data = json.dumps({"type": "error", "error": {"type": "api_error", "message": "boom"}})
    event = f"{name}\ndata: {data}\n\n".encode()
    others = b'event: x\ndata: {"text": "event: error"}\n\n'

    _, body = sent_by(
        lambda send: SlotReply(send, SlotRoute(model="m"), request_bytes=0),
        {**START, "status": 200, "headers": EVENTS},
        part(others + event),
    )

    first, error = sse.EventReader().feed(body["body"])
    assert first == others
    assert (sse.read_event(error) or {})["error"]["message"] == "m: boom"
