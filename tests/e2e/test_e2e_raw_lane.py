"""claude's own models through main: the same bytes reach Anthropic, the same bytes reach claude."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base import script
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.house import House, question

COUNT = "/v1/messages/count_tokens?beta=true"
# Of one connection, not of the message (RFC 9110, 7.6.1), or made anew for it
OWN = frozenset({b"connection", b"keep-alive", b"transfer-encoding"})
# A server sends its name and its time; LiteLLM drops both
DROPPED = frozenset({b"server", b"date"})
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def captured(house: House, anthropic_upstream: AnthropicStandin) -> Recorded:
    """A request as plain claude sends it."""
    anthropic_upstream.clear()
    assert house.claude("-p", "a question of some length", "--model", "opus").code == 0
    return anthropic_upstream.requests[0]


def through(
    house: House, headers: raw.Headers, body: bytes, *, target: str = raw.MESSAGES
) -> raw.RawReply:
    """Send a request to main, with its local key."""
    record = house.record()
    keyed = raw.with_key(headers, record["main_key"])
    return raw.ask(record["port"], keyed, body, target=target)


def host_and_key(record: dict[str, Any], captured: Recorded) -> raw.Headers:
    """Return claude's headers for another connection to main."""
    host = (b"Host", b"127.0.0.1:%d" % record["port"])
    return raw.with_key((host, *raw.client_headers(captured)), record["main_key"])


def essential(headers: Sequence[tuple[bytes, bytes]], but: frozenset[bytes]) -> Counter[object]:
    """Return a message's headers with their values and multiplicity, except those named."""
    pairs = [(name.lower(), value) for name, value in headers]
    return Counter(pair for pair in pairs if pair[0] not in but | OWN)


ODD = {
    "keys in no order and unknown ones": (
        b'{"zeta":{"b":1,"a":[]},"stream":false,"max_tokens":9,"alpha":null,'
        b'"model":"claude-opus-5-5","messages":[{"content":"x","role":"user"}]}'
    ),
    "blanks between": (
        b' {  "model" :\t"claude-opus-5-5" ,\r\n "max_tokens":  9 , "messages" :\n'
        b'[ { "role" : "user" , "content" : "a  b" } ] }  \n'
    ),
    "escapes and letters": (
        '{"model":"claude-opus-5-5","max_tokens":9,"messages":[{"role":"user",'
        '"content":"\\u00e9 é \\/ / \\ud83d\\ude00 😀 \\u0000 \u2028"}]}'.encode()
    ),
    "half of a pair": (
        b'{"model":"claude-opus-5-5","max_tokens":9,"messages":[{"role":"user",'
        b'"content":"cut \\ud83d here"}]}'
    ),
    "numbers as they were written": (
        b'{"model":"claude-opus-5-5","max_tokens":9,"temperature":1.0E0,"top_p":0.10,'
        b'"big":12345678901234567890123,"messages":[{"role":"user","content":"x"}]}'
    ),
    "one key twice": (
        b'{"model":"claude-opus-5-5","max_tokens":9,"x":1,"x":2,'
        b'"messages":[{"role":"user","content":"x"}]}'
    ),
    "names that are LiteLLM's": (
        b'{"model":"claude-opus-5-5","max_tokens":9,"metadata":{"user_id":"{\\"a\\":1}"},'
        b'"fallbacks":["claude-sonnet-5-5"],"service_tier":"auto","betas":["x"],"user":"me",'
        b'"timeout":1,"num_retries":3,"mock_response":"no","litellm_metadata":{"a":1},'
        b'"api_key":"sk-none","api_base":"http://127.0.0.1:1","base_url":"http://127.0.0.1:1",'
        b'"custom_llm_provider":"openai","guardrails":["x"],"tags":["t"],"cache":{"no-cache":true},'
        b'"messages":[{"role":"user","content":[{"type":"text","text":"x",'
        b'"cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}'
    ),
}


@pytest.mark.parametrize("name", sorted(ODD))
def test_an_odd_body_arrives_byte_for_byte(
    house: House, anthropic: AnthropicStandin, captured: Recorded, name: str
) -> None:
    headers = raw.client_headers(captured)

    plain = raw.ask(anthropic.port, headers, ODD[name])
    ours = through(house, headers, ODD[name])

    assert ours.status == plain.status
    assert [request.body for request in anthropic.requests] == [ODD[name]] * 2


def test_a_request_of_claude_arrives_as_it_was_sent(
    house: House, anthropic: AnthropicStandin, captured: Recorded
) -> None:
    assert len(captured.body) > 40_000
    assert b"cache_control" in captured.body

    through(house, raw.client_headers(captured), captured.body)

    (arrived,) = anthropic.requests
    assert arrived.body == captured.body
    assert (arrived.method, arrived.target) == (captured.method, captured.target)
    hop = frozenset({b"host", b"accept-encoding"})
    assert essential(arrived.headers, hop) == essential(captured.headers, hop)
    assert arrived.header("host") == f"127.0.0.1:{anthropic.port}"
    assert arrived.header("accept-encoding") == "gzip, deflate"


def test_a_header_that_is_sent_twice_arrives_with_both_values(
    house: House, anthropic: AnthropicStandin, captured: Recorded
) -> None:
    twice = (*raw.client_headers(captured), (b"x-twice", b"one"), (b"X-Twice", b"two"))

    through(house, twice, question("x"))

    values = [value for name, value in anthropic.requests[0].headers if name.lower() == b"x-twice"]
    assert b", ".join(values) == b"one, two"  # the same in two lines (RFC 9110, 5.3)


REPLIES = {
    "an answer": "x",
    "a long answer": script.big(300_000),
    "a tool call": script.tool("Bash", {"command": "ls é"}),
    "reasoning": script.reasoning("hm"),
    "a plan's limit": script.limit(),
    **{f"status {code}": script.error(code) for code in (400, 401, 403, 404, 413, 429, 500, 529)},
    "retry-after": script.error(429, headers={"retry-after": "7", "x-should-retry": "false"}),
    "headers of its own": script.error(
        503,
        headers={
            "vary": "Accept-Encoding",
            "content-security-policy": "default-src 'none'",
            "x-envoy-upstream-service-time": "12",
            "set-cookie": "__cf_bm=abc; path=/; HttpOnly",
        },
    ),
    # what LiteLLM's application adds to the replies of its own routes
    "headers like LiteLLM's": script.error(
        503,
        headers={
            "vary": "Origin, Accept-Encoding",
            "x-frame-options": "DENY",
            "content-security-policy": "frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
        },
    ),
    "an error in mid-stream": script.midstream(3),
}


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("name", sorted(REPLIES))
def test_a_reply_arrives_as_anthropic_sent_it(
    house: House, anthropic: AnthropicStandin, captured: Recorded, name: str, stream: bool
) -> None:
    body = question(REPLIES[name], stream=stream)

    ours = through(house, raw.client_headers(captured), body)

    (sent,) = anthropic.replies
    assert (ours.status, ours.is_whole) == (sent.status, True)
    assert ours.body == sent.content
    given = [(name.encode(), value.encode()) for name, value in sent.headers]
    but = DROPPED | {b"content-length"}
    assert essential(ours.headers, but) == essential(given, but)


@pytest.mark.parametrize("events", [1, 4])
def test_a_stream_that_breaks_off_breaks_off_at_claude(
    house: House, anthropic: AnthropicStandin, captured: Recorded, events: int
) -> None:
    body = question(script.abort(events), stream=True)

    ours = through(house, raw.client_headers(captured), body)

    assert (ours.status, ours.is_whole) == (200, False)
    assert ours.body == anthropic.replies[0].content


def test_events_of_a_stream_arrive_while_it_lasts(
    house: House, anthropic: AnthropicStandin, captured: Recorded
) -> None:
    record = house.record()
    headers = host_and_key(record, captured)
    body = question(script.slow(4, 30.0), stream=True)
    with raw.connect(record["port"]) as connection:
        raw.begin(connection, headers, body)

        seen = raw.read_until(connection, b"event: ping", timeout_s=25.0)

    assert b"content_block_start" not in seen.partition(b"event: ping")[0]
    assert anthropic.wait_until(lambda standin: standin.disconnects == 1), (
        "a client that leaves must end the request at Anthropic"
    )


def test_a_client_that_leaves_before_the_first_byte_ends_the_request_at_anthropic(
    house: House, anthropic: AnthropicStandin, captured: Recorded
) -> None:
    record = house.record()
    headers = host_and_key(record, captured)
    with raw.connect(record["port"]) as connection:
        raw.begin(connection, headers, question(script.wait(120), stream=True))
        assert anthropic.wait_until(lambda standin: bool(standin.requests))

    assert anthropic.wait_until(lambda standin: standin.disconnects == 1)


def test_tokens_are_counted_by_anthropic(
    house: House, anthropic: AnthropicStandin, captured: Recorded
) -> None:
    headers, body = raw.client_headers(captured), question("count me", tools=[])

    plain = raw.ask(anthropic.port, headers, body, target=COUNT)
    ours = through(house, headers, body, target=COUNT)

    assert (ours.status, ours.body) == (plain.status, plain.body) == (200, b'{"input_tokens":4242}')
    assert [(r.target, r.body) for r in anthropic.requests] == [(COUNT, body)] * 2


@pytest.mark.parametrize("model", ["claude-haiku-3-5", "claude-sonnet-5", "claude-future-9[1m]"])
def test_every_claude_id_that_is_no_slot_goes_to_anthropic(
    house: House,
    anthropic: AnthropicStandin,
    bedrock: BedrockStandin,
    captured: Recorded,
    model: str,
) -> None:
    body = question("x", model=model)

    assert through(house, raw.client_headers(captured), body).status == 200
    assert [request.body for request in anthropic.requests] == [body]
    assert not bedrock.requests


def test_claude_itself_sends_through_openclaude_what_it_sends_without(
    house: House, anthropic: AnthropicStandin
) -> None:
    assert house.claude("-p", "the same", "--model", "opus").code == 0
    assert house.openclaude("-p", "the same", "--model", "opus").code == 0

    plain, ours = anthropic.requests
    assert UUID.sub(b"ID", ours.body) == UUID.sub(b"ID", plain.body)
    own = frozenset({b"host", b"accept-encoding", b"x-claude-code-session-id"})
    assert essential(ours.headers, own) == essential(plain.headers, own)
