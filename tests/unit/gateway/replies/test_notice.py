"""A notice of who answers: once per turn, before everything else, never in structured output."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaude.gateway.replies.notice import NoticeEvents, with_notice
from openclaude.gateway.replies.stream import ReplyStream
from openclaude.gateway.requests.turns import is_asked_by_a_person

RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "x"}


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"messages": [{"role": "user", "content": "hi"}]}, True),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}, True),
        (
            {"messages": [{"role": "user", "content": "hi"}, {"role": "system", "content": "x"}]},
            True,
        ),
        ({"messages": [{"role": "user", "content": [RESULT]}]}, False),
        (
            {
                "messages": [
                    {"role": "user", "content": [RESULT, {"type": "text", "text": "reminder"}]},
                    {"role": "system", "content": "x"},
                ]
            },
            False,
        ),
        (
            {
                "messages": [{"role": "user", "content": "hi"}],
                "output_config": {"format": {"type": "json_schema"}},
            },
            False,
        ),
        ({"messages": [{"role": "user", "content": "hi"}], "output_config": {"effort": "x"}}, True),
        ({}, True),
        ({"messages": ["odd", 5]}, True),
    ],
)
def test_a_turn_that_somebody_reads(body: Any, asked: bool) -> None:
    assert is_asked_by_a_person(body) is asked


def test_a_whole_reply_begins_with_the_line() -> None:
    reply = {"type": "message", "content": [{"type": "tool_use", "id": "t"}]}

    assert with_notice(reply, "who\n\n")["content"] == [
        {"type": "text", "text": "who\n\n"},
        {"type": "tool_use", "id": "t"},
    ]


EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {}},
    {"type": "message_stop"},
]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_stream_begins_with_the_line_however_it_is_cut(size: int) -> None:
    wire = b": comment\n\n" + b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in EVENTS
    )
    stream = ReplyStream(NoticeEvents("who\n\n"))

    parts = [
        part
        for start in range(0, len(wire), size)
        for part in stream.feed(wire[start : start + size])
    ]

    sent = [
        json.loads(line[6:]) for line in b"".join(parts).split(b"\n") if line.startswith(b"data: ")
    ]
    assert [(event["type"], event.get("index")) for event in sent] == [
        ("message_start", None),
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("ping", None),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
        ("content_block_start", 2),
        ("content_block_stop", 2),
        ("message_delta", None),
        ("message_stop", None),
    ]
    assert sent[2]["delta"]["text"] == "who\n\n"
    assert (b"".join(parts)[:11], stream.rest()) == (b": comment\n\n", b"")


def test_events_that_are_no_bytes_yet_stay_none() -> None:
    stream = ReplyStream(NoticeEvents("who"))

    sent = [one for event in EVENTS[:2] for one in stream.feed(event)]

    assert [event.get("index") for event in sent] == [None, 0, 0, 0, 1]


def test_an_interrupted_stream_keeps_its_rest() -> None:
    stream = ReplyStream(NoticeEvents("who"))

    assert list(stream.feed(b"event: message_st")) == []
    assert stream.rest() == b"event: message_st"
