"""Server-sent events: every rule of the specification, wherever the network cuts."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaude.gateway.http.sse import (
    BOM,
    EventReader,
    EventTooLarge,
    ServerSentEvent,
    parse_frame,
    read_event,
    write_event,
)

# what Python's `str.splitlines` takes for a line end, but the specification does not
NO_LINE_ENDS = "\u2028\u2029\u0085\x0b\x0c\x1c\x1d\x1e"
# bytes that matter to a parser, and some that might
BYTES = st.lists(
    st.sampled_from([b"\r", b"\n", b":", b" ", b"data", b"event", b"id: 1", BOM, b"a", b"\xe4"]),
    max_size=40,
).map(b"".join)


def frames(chunks: Iterable[bytes], *, limit: int = 1000) -> list[bytes]:
    reader = EventReader(limit=limit)
    return [*(frame for chunk in chunks for frame in reader.feed(chunk)), reader.rest()]


def events(*chunks: bytes) -> list[tuple[str, str]]:
    """Return name and data of each event, even of an incomplete one."""
    return [(event.name, event.data) for frame in frames(chunks) if (event := parse_frame(frame))]


def cut(raw: bytes, places: list[int]) -> list[bytes]:
    """Cut a stream into pieces; a repeated position makes an empty piece."""
    ends = sorted(place % (len(raw) + 1) for place in places)
    return [raw[start:end] for start, end in zip([0, *ends], [*ends, len(raw)], strict=True)]


@given(BYTES, st.lists(st.integers(0, 1000), max_size=20))
def test_a_stream_is_the_same_wherever_it_is_cut(raw: bytes, places: list[int]) -> None:
    assert frames(cut(raw, places)) == frames([raw])
    assert b"".join(frames(cut(raw, places))) == raw.removeprefix(BOM)


@given(BYTES)
def test_an_event_is_told_as_soon_as_its_last_byte_is_there(raw: bytes) -> None:
    reader = EventReader()
    for number in range(len(raw)):
        told = list(reader.feed(raw[number : number + 1]))
        assert told == [] or raw[: number + 1].endswith(told[0])
        assert len(told) < 2


@pytest.mark.parametrize(
    ("before", "chunk", "passes"),
    [
        (b"data: 1\n\n", b"data: 2\n\n", True),
        (b"data: 1\n\n", b"data: 2\n\ndata: 3\n\n", True),
        (b"data: 1\n\n", b"data: 2\n\ndata: 3", False),
        (b"data: 1\n\n", b"data: 2\r\n\r\n", False),
        (b"data: 1\n\n", b"", False),
        (b"data: 1\n\n", b"data: " + b"x" * 100 + b"\n\n", False),
        (b"data: 1\n\ndata", b": 2\n\n", False),
        (b"", b"data: 2\n\n", False),
    ],
)
def test_a_chunk_of_whole_events_may_pass_uncut(before: bytes, chunk: bytes, passes: bool) -> None:
    reader = EventReader(limit=50)
    for _ in reader.feed(before):
        pass

    assert reader.may_pass(chunk) is passes


@given(BYTES, st.lists(st.integers(0, 1000), max_size=20))
def test_what_passes_uncut_is_what_would_have_been_cut(raw: bytes, places: list[int]) -> None:
    cutting, passing = EventReader(), EventReader()
    for chunk in cut(raw, places):
        expected = b"".join(cutting.feed(chunk))
        assert expected == (chunk if passing.may_pass(chunk) else b"".join(passing.feed(chunk)))


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n") | st.sampled_from("\u2028"))


@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=3), max_size=4),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 1000), max_size=20),
)
def test_what_is_written_is_read(written: list[list[str]], ending: str, places: list[int]) -> None:
    raw = "".join(
        "".join(f"data: {line}{ending}" for line in lines) + ending for lines in written
    ).encode()

    assert events(*cut(raw, places)) == [("message", "\n".join(lines)) for lines in written]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_a_line_ends_in_three_ways(ending: str) -> None:
    raw = f"event: x{ending}data: one{ending}data: two{ending}{ending}data: 3{ending}{ending}"

    assert events(raw.encode()) == [("x", "one\ntwo"), ("message", "3")]


@pytest.mark.parametrize("sign", NO_LINE_ENDS, ids=lambda sign: f"U+{ord(sign):04X}")
def test_no_other_sign_ends_a_line(sign: str) -> None:
    assert events(f"data: a{sign}b{sign}{sign}c\n\n".encode()) == [
        ("message", f"a{sign}b{sign}{sign}c")
    ]


@pytest.mark.parametrize("number", range(1, 4))
def test_a_letter_that_is_split_over_packets_survives(number: int) -> None:
    raw = "data: 😀\n\n".encode()
    place = raw.index("😀".encode()) + number

    assert events(raw[:place], raw[place:]) == [("message", "😀")]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b": comment\n\n", []),
        (b":\n\n", []),
        (b"event: ping\n\n", []),
        (b"retry: 10\n\n", []),
        (b"id: 1\n\n", []),
        (b"id\n\n", []),
        (b"\n\n\n", []),
        (b"datax: 1\n\n", []),
        (b" data: 1\n\n", []),
        (b"data\n\n", [("message", "")]),
        (b"data:\n\n", [("message", "")]),
        (b"data:\ndata:\n\n", [("message", "\n")]),
        (b"data:1\n\n", [("message", "1")]),
        (b"data:  1 \n\n", [("message", " 1 ")]),
        (b"data: a: b\n\n", [("message", "a: b")]),
        (b"id: 1\nretry: 5\n: c\nevent: x\ndata: 1\n\n", [("x", "1")]),
        (b"event: x\nevent:y\ndata: 1\n\n", [("y", "1")]),
        (b"event: x\n\ndata: 1\n\n", [("message", "1")]),
        (b"data: \xff\n\n", [("message", "\ufffd")]),
    ],
)
def test_the_fields_of_an_event(raw: bytes, told: list[tuple[str, str]]) -> None:
    assert events(raw) == told


def test_a_byte_order_mark_is_one_at_the_beginning_only() -> None:
    raw = BOM + b"data: 1\n\n" + BOM + b"data: 2\n\ndata: 3\n\n"

    assert events(raw) == [("message", "1"), ("message", "3")]
    assert events(*(raw[place : place + 1] for place in range(len(raw)))) == events(raw)
    assert frames([BOM[:2]]) == [BOM[:2]]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_event_that_is_too_large_ends_the_stream_after_those_before_it(size: int) -> None:
    raw = b"data: 1\n\n" + b"data: " + b"x" * 100
    for ended in (raw, raw + b"\n\n"):
        reader = EventReader(limit=50)
        chunks = [ended[place : place + size] for place in range(0, len(ended), size)]
        told = (frame for chunk in chunks for frame in reader.feed(chunk))

        assert next(told) == b"data: 1\n\n"
        with pytest.raises(EventTooLarge, match="longer than 50 bytes"):
            next(told)


def test_the_json_of_an_event() -> None:
    event = {"type": "ping", "text": "\u2028 ü \n"}

    assert read_event(write_event(event)) == event
    assert parse_frame(write_event(event)) == ServerSentEvent("ping", json.dumps(event))


@pytest.mark.parametrize(
    "frame", [b": x\n\n", b"data:\n\n", b"data: {\n\n", b"data: 7\n\n", b"data: [DONE]\n\n", b""]
)
def test_a_frame_without_a_json_object(frame: bytes) -> None:
    assert read_event(frame) is None
