"""What the guard does to a reply: no reasoning, no empty block, at least one block."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaude.gateway.http.sse import EventReader, read_event, write_event
from openclaude.gateway.replies.reply import StripEvents, strip_reply
from openclaude.gateway.replies.stream import ReplyStream
from openclaude.gateway.replies.whole_reply import as_stream

THINKING = {"type": "thinking", "thinking": "hm", "signature": ""}
REDACTED = {"type": "redacted_thinking", "data": "xyz"}
HELLO = {"type": "text", "text": "Hello"}
EMPTY = {"type": "text", "text": ""}
CALL = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}
SIGNED = {**CALL, "provider_specific_fields": {"signature": "of-gemini"}}
NOTHING = {"type": "text", "text": "(no content)"}

BLOCKS = [
    ([HELLO], [HELLO]),
    ([HELLO, CALL], [HELLO, CALL]),
    ([THINKING, HELLO], [HELLO]),
    ([THINKING, HELLO, CALL], [HELLO, CALL]),
    ([THINKING, REDACTED, EMPTY, CALL], [CALL]),
    ([EMPTY, CALL], [CALL]),
    ([HELLO, THINKING, CALL, THINKING, HELLO], [HELLO, CALL, HELLO]),
    ([SIGNED, HELLO], [CALL, HELLO]),
    ([{**HELLO, "citations": None}], [HELLO]),
    ([THINKING], [NOTHING]),
    ([EMPTY], [NOTHING]),
    ([], [NOTHING]),
]


def message(content: list[Any]) -> dict[str, Any]:
    return {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }


def events(content: list[Any]) -> list[dict[str, Any]]:
    """Return a stream of these blocks as LiteLLM writes one."""
    start = {**message([]), "stop_reason": None}
    stop = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {}}
    blocks = [event for index, block in enumerate(content) for event in parts(index, block)]
    return [
        {"type": "message_start", "message": start},
        *blocks,
        stop,
        {"type": "message_stop"},
    ]


def parts(index: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return start, deltas and stop of a block. LiteLLM repeats reasoning in its start event."""
    start, deltas = block, []
    if block["type"] == "text":
        start = EMPTY
        words = [block["text"][:2], "", block["text"][2:]] if block["text"] else []
        deltas = [{"type": "text_delta", "text": part} for part in words]
    elif block["type"] == "thinking":
        deltas = [
            {"type": "thinking_delta", "thinking": "hm"},
            {"type": "signature_delta", "signature": "s"},
        ]
    elif block["type"] == "tool_use":
        start = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def assembled(stream: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Assemble a stream as a strict client does: blocks in order, opened, filled and closed."""
    blocks: list[dict[str, Any]] = []
    is_open = False
    for event in stream:
        match event["type"]:
            case "content_block_start":
                assert not is_open
                assert event["index"] == len(blocks)
                is_open = True
                blocks.append({**event["content_block"]})
            case "content_block_delta":
                assert is_open
                assert event["index"] == len(blocks) - 1
                delta, block = event["delta"], blocks[-1]
                if delta["type"] == "text_delta":
                    block["text"] += delta["text"]
                else:
                    block["input"] = json.loads(delta["partial_json"])
            case "content_block_stop":
                assert is_open
                assert event["index"] == len(blocks) - 1
                is_open = False
    assert not is_open
    return blocks


def sent(chunks: list[Any]) -> bytes:
    """Return everything claude gets for these chunks."""
    stream = ReplyStream(StripEvents())
    out = b"".join(part for chunk in chunks for part in stream.feed(chunk))
    return out + stream.rest()


def read(raw: bytes) -> list[dict[str, Any]]:
    return [event for frame in EventReader().feed(raw) if (event := read_event(frame))]


@pytest.mark.parametrize(("content", "kept"), BLOCKS)
def test_a_whole_reply_keeps_only_what_claude_may_keep(content: list[Any], kept: list[Any]) -> None:
    assert strip_reply(message(content)) == message(kept)


@pytest.mark.parametrize(("content", "kept"), BLOCKS)
def test_a_streamed_reply_keeps_only_what_claude_may_keep(
    content: list[Any], kept: list[Any]
) -> None:
    raw = b"".join(write_event(event) for event in events(content))

    stream = read(sent([raw]))

    assert assembled(stream) == kept
    untouched = [event for event in stream if "message" in event["type"]]
    assert untouched == [event for event in events(content) if "message" in event["type"]]


@pytest.mark.parametrize("kind", ["thinking_delta", "signature_delta"])
def test_a_thought_inside_a_text_block_is_left_out(kind: str) -> None:
    stream = events([HELLO])
    thought = {"type": "content_block_delta", "index": 0, "delta": {"type": kind, "thinking": "x"}}
    stream[2:2] = [thought]
    stream[4:4] = [thought]

    assert assembled(read(sent([write_event(event) for event in stream]))) == [HELLO]


def test_events_as_dicts_are_stripped_like_bytes() -> None:
    stream = ReplyStream(StripEvents())

    out = [part for event in events([THINKING, HELLO]) for part in stream.feed(event)]

    assert assembled(out) == [HELLO]


def test_events_as_text_are_stripped_like_bytes() -> None:
    chunks = [write_event(event).decode() for event in events([THINKING, HELLO])]

    assert assembled(read(sent(chunks))) == [HELLO]


def test_what_is_no_anthropic_chunk_passes() -> None:
    chunk = object()

    assert list(ReplyStream(StripEvents()).feed(chunk)) == [chunk]


def test_a_stream_with_nothing_to_strip_keeps_its_bytes() -> None:
    raw = b"".join(write_event(event) for event in events([HELLO, CALL]))
    raw = raw.replace(b'"text": "He"', b'"text":"He"').replace(
        write_event(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}
        ),
        b"",
    )

    assert sent([raw]) == raw


@given(cuts=st.lists(st.integers(1, 400), max_size=40), ending=st.sampled_from(["\n", "\r\n"]))
def test_where_the_network_cuts_a_stream_does_not_matter(cuts: list[int], ending: str) -> None:
    content = [THINKING, {"type": "text", "text": "Grüße, 世界"}, CALL]
    raw = b"".join(write_event(event) for event in events(content))
    raw = raw.replace(b"\n", ending.encode())
    chunks, rest = [], raw
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]

    assert assembled(read(sent([*chunks, rest]))) == content[1:]


def test_nothing_is_held_but_the_starts_of_the_message_and_of_an_empty_text() -> None:
    stream = ReplyStream(StripEvents())
    held = []
    for event in events([THINKING, HELLO, CALL]):
        out = list(stream.feed(write_event(event)))
        if not out:
            held.append(event)

    assert [event["type"] for event in held if event.get("index") != 0] == [
        "message_start",
        "content_block_start",
    ]


def test_the_start_of_a_message_leaves_with_whatever_comes_next() -> None:
    start, *_ = [write_event(event) for event in events([])]
    stream = ReplyStream(StripEvents())

    assert sent([start]) == start
    assert list(stream.feed(start)) == []
    assert list(stream.feed(b": ping\n\n")) == [start, b": ping\n\n"]


@pytest.mark.parametrize(
    "frame",
    [
        b": ping\n\n",
        b'event: ping\ndata: {"type": "ping"}\n\n',
        b'event: error\ndata: {"type": "error", "error": {"type": "api_error"}}\n\n',
        b"data: [DONE]\n\n",
        b"data: {broken\n\n",
        b"data: 7\n\n",
        b"event: message_start\ndata: {\n",
    ],
    ids=["comment", "ping", "error", "done", "broken", "number", "cut off"],
)
def test_other_frames_pass_as_they_are(frame: bytes) -> None:
    assert sent([frame]) == frame


@given(st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=5))
def test_a_whole_reply_of_any_content_passes_or_is_stripped(content: list[Any]) -> None:
    assert strip_reply(message(content))["content"] == (content or [NOTHING])


def test_a_reply_without_content_is_left_alone() -> None:
    assert strip_reply({"type": "message"}) == {"type": "message"}


# Whole replies to a request for a stream ----------------------------------------------------------


def test_a_whole_reply_can_be_told_as_events() -> None:
    whole = message([HELLO, CALL]) | {"_hidden_params": {"model_id": "x"}}

    told = [read_event(frame) for frame in EventReader().feed(as_stream(whole))]

    first, *between, ending, last = [event for event in told if event is not None]
    usage = {"input_tokens": 1, "output_tokens": 0}
    assert first["message"].keys() == events([])[0]["message"].keys()
    assert first["message"]["usage"] == usage
    assert [event["type"].removeprefix("content_block_") for event in between] == [
        *("start", "delta", "stop"),
        *("start", "delta", "stop"),
    ]
    assert between[1]["delta"] == {"type": "text_delta", "text": "Hello"}
    assert between[3]["content_block"] == {**CALL, "input": {}}
    assert json.loads(between[4]["delta"]["partial_json"]) == CALL["input"]
    assert ending["delta"] == {"stop_reason": "max_tokens", "stop_sequence": None}
    assert ending["usage"] == whole["usage"]
    assert last == {"type": "message_stop"}


# The stop reason ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "given", "told"),
    [
        ([CALL], "end_turn", "tool_use"),
        ([HELLO, CALL], "end_turn", "tool_use"),
        ([CALL], "max_tokens", "max_tokens"),
        ([CALL], "tool_use", "tool_use"),
        ([HELLO], "end_turn", "end_turn"),
    ],
)
def test_a_reply_that_calls_a_tool_ends_for_that_reason(
    content: list[Any], given: str, told: str
) -> None:
    *begin, ending, stop = events(content)
    ending = ending | {"delta": {"stop_reason": given}}

    streamed = read(sent([write_event(event) for event in (*begin, ending, stop)]))

    assert strip_reply(message(content) | {"stop_reason": given})["stop_reason"] == told
    assert streamed[-2]["delta"] == {"stop_reason": told}
