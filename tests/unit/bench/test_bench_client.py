"""The benchmark's client, upstream and bodies: what is a reply, a request, a size."""

from __future__ import annotations

import json

import pytest

from tests.bench import upstream
from tests.bench.bodies import make_body
from tests.bench.client import WORDS, NoAnswer, Reply
from tests.bench.upstream import Parts, anthropic_parts, bedrock_parts, pieces_wanted

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
PIECE = b'event: content_block_delta\ndata: {"delta":{"text":"word and "}}\n\n'


@pytest.mark.parametrize("size", [5_000, 50_000, 500_000, 2_000_000])
def test_a_body_is_as_long_as_it_was_wanted_and_says_how_many_pieces_it_wants(size: int) -> None:
    body = make_body(size, model="claude-opus-5-5", events=20)

    assert abs(len(body) - size) < size * 0.02
    assert pieces_wanted(body) == json.loads(body)["max_tokens"] == 20


def test_turns_take_each_other_and_every_result_answers_a_call() -> None:
    messages = json.loads(make_body(50_000, model="m", events=1))["messages"]

    assert [turn["role"] for turn in messages] == ["user", "assistant"] * 15 + ["user"]
    calls = [block["id"] for turn in messages[1::2] for block in turn["content"][1:]]
    assert calls == [turn["content"][0]["tool_use_id"] for turn in messages[2::2]]


def test_the_first_byte_is_that_after_the_head() -> None:
    reply = Reply()

    assert not reply.feed(HEAD[:20], 1.0)
    assert not reply.feed(HEAD[20:], 2.0)
    assert not reply.feed(b"3\r\nabc\r\n", 3.0)
    assert reply.feed(b"0\r\n\r\n", 4.0)
    assert reply.first_at == 3.0


def test_a_reply_of_a_known_length_ends_with_it() -> None:
    reply = Reply()

    assert not reply.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc", 1.0)
    assert reply.feed(b"def", 2.0)


def test_words_are_counted_however_the_reply_is_cut() -> None:
    reply = Reply()
    for byte in HEAD + PIECE + PIECE:
        reply.feed(bytes((byte,)), 1.0)

    assert reply.count_words() == 4


def test_the_words_are_those_of_the_upstream() -> None:
    assert tuple(word.encode() for word in upstream.WORDS) == WORDS


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 429 Too Many Requests\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n",
    ],
)
def test_what_is_no_plain_answer_is_none(head: bytes) -> None:
    with pytest.raises(NoAnswer):
        Reply().feed(head, 1.0)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"max_tokens": 7}', 7),
        (b'{"messages":[],"inferenceConfig":{"maxTokens":12}}', 12),
        (b'{"messages":[{"content":"max_tokens"}]}', 1),
    ],
)
def test_the_upstream_reads_the_count_in_either_dialect(body: bytes, count: int) -> None:
    assert pieces_wanted(body) == count


@pytest.mark.parametrize("parts", [anthropic_parts(), bedrock_parts()])
def test_an_answer_ends_once_and_its_pieces_differ(parts: Parts) -> None:
    first, pieces, last = parts

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert last.endswith(b"\r\n0\r\n\r\n")
    assert len(set(pieces)) == len(pieces) > 1  # LiteLLM ends a stream of equal ones
