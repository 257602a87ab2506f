"""What is read off a reply for the ledger: whole and streamed, cut, wrong, or of any size."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from openclaude.contracts.routing import AnthropicAuth, ModelPrices, RoutingTable, StepPrice
from openclaude.gateway.http.asgi import Headers, Message
from openclaude.gateway.http.sse import write_event
from openclaude.gateway.routing.meter import KEPT, Meter, dollars
from openclaude.ledger.entry import RequestEntry, Via

QWEN = "bedrock/qwen"
PRICES = ModelPrices(
    provider="bedrock", region="us-west-2", input=1e-6, output=4e-6, priced_by="profile"
)
TABLE = RoutingTable(slots={}, profile="qwen", models={QWEN: PRICES})
USAGE = {"input_tokens": 1000, "output_tokens": 1}
SSE = [(b"Content-Type", b"text/event-stream; charset=utf-8")]
JSON = [(b"content-type", b"application/json")]


def stream(*texts: str, model: str = QWEN, end: bool = True, **usage: Any) -> bytes:
    """Return a stream with these pieces of text."""
    message = {"type": "message", "model": model, "content": [], "usage": USAGE}
    delta = {"type": "content_block_delta", "index": 0}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    events += [{**delta, "delta": {"type": "text_delta", "text": text}} for text in texts]
    if end:
        ending = {"stop_reason": "end_turn"}
        events.append({"type": "message_delta", "delta": ending, "usage": usage})
        events.append({"type": "message_stop"})
    return b"".join(write_event(event) for event in events)


def metered(
    body: bytes,
    headers: Headers,
    *,
    status: int = 200,
    piece: int = 1000,
    is_whole: bool = True,
    via: Via = Via.SLOT,
    asked: Headers | None = None,
    table: RoutingTable = TABLE,
) -> tuple[RequestEntry, bytes]:
    """Send a reply through a meter; return the entry and what claude got."""
    got: list[Message] = []

    async def send(message: Message) -> None:
        got.append(message)

    async def run() -> RequestEntry:
        meter = Meter(send, table, "claude-haiku-5-5", asked or [])
        meter.via = via
        await meter.send({"type": "http.response.start", "status": status, "headers": headers})
        for at in range(0, len(body), piece):
            await meter.send(
                {"type": "http.response.body", "body": body[at : at + piece], "more_body": True}
            )
        if is_whole:
            await meter.send({"type": "http.response.body", "body": b"", "more_body": False})
        return meter.entry(time.monotonic())

    entry = asyncio.run(run())
    return entry, b"".join(message.get("body", b"") for message in got)


@pytest.mark.parametrize("piece", [1, 7, 1000, 10**9])
@pytest.mark.parametrize("length", [0, 10, KEPT // 2, KEPT, 3 * KEPT])
def test_a_stream_of_any_length_in_any_pieces_says_its_usage_and_passes_unchanged(
    piece: int, length: int
) -> None:
    if piece == 1 and length > KEPT:
        piece = 13  # a byte at a time takes too long
    texts = ['message_delta "usage" ' * 3, *("x" * 500 for _ in range(length // 500))]
    body = stream(*texts, output_tokens=77, cache_read_input_tokens=5, input_tokens=None)

    entry, got = metered(body, SSE, piece=piece)

    assert got == body
    assert (entry.tokens_in, entry.tokens_out, entry.cache_read) == (1000, 77, 5)
    assert entry.cache_write is None
    assert (entry.answered, entry.provider, entry.region) == (QWEN, "bedrock", "us-west-2")
    assert entry.dollars == pytest.approx(1005e-6 + 77 * 4e-6)
    assert (entry.is_cut, entry.error, entry.priced_by) == (0, "", "profile")


def test_a_whole_reply_says_its_usage() -> None:
    document = {"type": "message", "model": QWEN, "usage": {**USAGE, "output_tokens": 9}}

    entry, _ = metered(json.dumps(document).encode(), JSON)

    assert (entry.tokens_in, entry.tokens_out, entry.is_cut) == (1000, 9, 0)
    assert entry.first_ms is not None


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_stream_without_its_end_is_noted_as_cut_with_what_it_has_said(is_whole: bool) -> None:
    entry, _ = metered(stream("hello", end=False), SSE, is_whole=is_whole)

    assert (entry.is_cut, entry.tokens_in, entry.answered) == (1, 1000, QWEN)


@pytest.mark.parametrize(
    "words", ["message_delta", "message_start", "message_stop and error", '{"type": "error"}\n\n']
)
@pytest.mark.parametrize("times", [1, 5000])
def test_a_stream_that_speaks_of_its_own_events_is_read_by_them_all_the_same(
    words: str, times: int
) -> None:
    whole, _ = metered(stream(words * times, output_tokens=200), SSE)
    cut, _ = metered(stream(words * times, end=False), SSE)

    assert (whole.is_cut, whole.error, whole.answered) == (0, "", QWEN)
    assert (whole.tokens_in, whole.tokens_out) == (1000, 200)
    assert (cut.is_cut, cut.error, cut.tokens_in) == (1, "", 1000)


def test_an_error_is_noted_by_its_kind() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "secret words"}}

    plain, _ = metered(json.dumps(error).encode(), JSON, status=529, via=Via.PLAN)
    inside, _ = metered(stream("a", end=False) + write_event(error), SSE)

    assert (plain.status, plain.error, plain.provider) == (529, "overloaded_error", "anthropic")
    assert (inside.status, inside.error, inside.is_cut) == (200, "overloaded_error", 0)
    assert "secret words" not in repr(plain) + repr(inside)


def test_a_request_without_an_answer_is_noted() -> None:
    async def send(_: Message) -> None:
        raise AssertionError

    entry = Meter(send, TABLE, "claude-opus-5-5", []).entry(time.monotonic())

    assert (entry.status, entry.is_cut, entry.first_ms, entry.tier) == (0, 1, None, "opus")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[1]",
        b'{"usage": 7, "model": 5, "error": "x"}',
        b'{"usage": {"input_tokens": -1, "output_tokens": 1e400}}',
        b'{"usage": {"input_tokens": true, "output_tokens": "9"}}',
        b'{"usage": {"input_tokens": 99999999999999999999999}}',
        b"data: {\n\n",
        b'data: {"type": "message_start", "message": 7}\n\n',
        b'data: {"type": "message_delta", "usage": [7]}\n\ndata: {"type": "error", "error": 7}\n\n',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("headers", [SSE, JSON, []])
def test_a_strange_reply_has_an_entry_too(body: bytes, headers: Headers) -> None:
    entry, got = metered(body, headers)

    assert got == body
    assert (entry.tokens_in, entry.tokens_out, entry.dollars) == (None, None, None)


def test_who_asked_is_read_from_claudes_headers_and_bounded() -> None:
    asked = [
        (b"x-claude-code-session-id", b"0f" * 500),
        (b"x-claude-code-agent-id", b"a1"),
        (b"x-claude-code-agent-type", b"Ex\x1b[31mplore"),
        (b"authorization", b"Bearer sk-ant-oat01-secret"),
    ]
    quota = [
        (b"Anthropic-RateLimit-Unified-5h-Utilization", b"0.17"),
        (b"anthropic-ratelimit-unified-7d-utilization", b"nan"),
        (b"anthropic-ratelimit-unified-5h-reset", b"1790000000"),
        (b"request-id", b"req_1"),
    ]

    entry, _ = metered(b"{}", [*JSON, *quota], asked=asked, via=Via.PLAN)

    assert entry.session == "0f" * 100
    assert entry.agent == "Ex[31mplore"
    assert entry.agent_id == "a1"
    assert (entry.used_5h, entry.used_7d, entry.resets_5h) == (0.17, None, 1_790_000_000)
    assert entry.request_id == "req_1"
    assert "secret" not in repr(entry)


def test_who_pays_is_known_without_a_slot() -> None:
    async def send(_: Message) -> None:
        raise AssertionError

    keyed = TABLE._replace(auth=AnthropicAuth.API_KEY)

    assert Meter(send, TABLE, "claude-opus-5-5", []).via is Via.PLAN
    assert Meter(send, keyed, "claude-opus-5-5", []).via is Via.API_KEY


@pytest.mark.parametrize(
    ("prices", "usage", "expected"),
    [
        ({"input": 1.0, "output": 2.0}, (10, 1, None, None), 12.0),
        ({"input": 1.0, "output": 2.0}, (10, 1, 5, 5), 22.0),
        (
            {"input": 1.0, "output": 2.0, "cache_read": 0.1, "cache_write": 1.5},
            (10, 1, 10, 10),
            28.0,
        ),
        ({"input": 1.0, "output": None}, (10, 1, None, None), None),
        ({"input": None, "output": 2.0}, (10, 1, None, None), None),
        ({"input": 0.0, "output": 0.0}, (10, 1, None, None), 0.0),
        ({"input": 1.0, "output": 2.0}, (None, 1, None, None), None),
        ({"input": 1.0, "output": 2.0}, (10, None, None, None), None),
    ],
)
def test_the_price_is_that_of_each_kind_of_token(
    prices: dict[str, Any], usage: Any, expected: float | None
) -> None:
    assert dollars(ModelPrices(provider="p", **prices), *usage) == (
        None if expected is None else pytest.approx(expected)
    )


@pytest.mark.parametrize(("prompt", "expected"), [(100, 100.0), (101, 202.0), (301, 903.0)])
def test_a_longer_prompt_may_cost_more_for_each_token(prompt: int, expected: float) -> None:
    steps = (StepPrice(above=100, input=2.0), StepPrice(above=300, input=3.0))
    prices = ModelPrices(provider="p", input=1.0, output=0.0, steps=steps)

    assert dollars(prices, prompt, 0, None, None) == pytest.approx(expected)


def test_what_providers_and_the_launch_say_is_noted() -> None:
    trail = {
        "attempts": [
            {"model": "bedrock/first", "status": 429, "error": "x", "ms": 5},
            7,
            {"ms": "z"},
        ],
        "changes": ["removed: thinking", 7],
        "request_id": "abc-1",
    }

    async def send(_: Message) -> None:
        pass

    def entry_of(via: Via) -> RequestEntry:
        asked = [(b"x-openclaude-folder", b"/home/u/na%C3%AFve%0A%20x")]
        meter = Meter(send, TABLE, "claude-haiku-5-5", asked)
        meter.via = via
        meter.tried("claude-haiku-5-5", 429)
        meter.heard([(b"X-Openclaude-Trail", json.dumps(trail).encode())])
        return meter.entry(time.monotonic())

    entry = entry_of(Via.ON_LIMIT)

    assert entry.project == "/home/u/na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve x"
    assert (entry.request_id, entry.changes) == ("abc-1", "removed: thinking")
    tried = json.loads(entry.attempts)
    assert [(one["model"], one["status"], one["error"]) for one in tried] == [
        ("claude-haiku-5-5", 429, "rate_limit_error"),
        ("bedrock/first", 429, "x"),
        ("", 0, ""),
        ("", 0, ""),
    ]
    assert entry_of(Via.PLAN).changes == ""  # nobody but `providers` has this to say
