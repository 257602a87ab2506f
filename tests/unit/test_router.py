"""The router: which lane a request takes, and what is changed on each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_gate import call

from openclaude.gateway.lanes import Lanes
from openclaude.gateway.router import Router
from openclaude.gateway.slot_errors import Slot

SLOTS = {
    "openclaude-haiku": Slot("qwen", 256000, "openclaude"),
    "claude-mine": Slot("qwen", 256000, "openclaude"),
}
LOGIN = {"authorization": "Bearer sk-ant-oat01-plan", "x-litellm-api-key": "k"}


class Inner:
    """Stands for LiteLLM's application: remembers what it was given, answers as it is told."""

    def __init__(self, status: int = 200, headers: Any = (), chunks: tuple[bytes, ...] = (b"{}",)):
        self.reply = (status, list(headers), chunks)
        self.scope: dict[str, Any] = {}
        self.body = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = dict(scope)
        self.body = (await receive())["body"]
        status, headers, chunks = self.reply
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, chunk in enumerate(chunks, 1):
            more = number < len(chunks)
            await send({"type": "http.response.body", "body": chunk, "more_body": more})

    @property
    def header_names(self) -> set[str]:
        return {name.decode() for name, _ in self.scope["headers"]}


def route(
    inner: Any,
    body: bytes,
    *,
    headers: Any = LOGIN,
    path: str = "/v1/messages",
    lanes: Lanes = Lanes(SLOTS),  # noqa: B008 - frozen
) -> Any:
    router = Router(inner, lanes, raw_body_key="raw")
    return call(router, "POST", path, {"host": "127.0.0.1", **headers}, [body[:5], body[5:]])


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-haiku-4-5-20251001", "claude-"])
def test_a_claude_id_takes_the_raw_lane_with_its_bytes_untouched(model: str, path: str) -> None:
    inner = Inner()
    body = b'{ "metadata":{"a":1},\n"model":"%s", "x":"\\u00e9" }' % model.encode()

    route(inner, body, path=path)

    assert inner.scope["path"] == "/anthropic" + path
    assert inner.scope["raw_path"] == b"/anthropic" + path.encode()
    assert inner.scope["state"] == {"raw": body}
    # all that LiteLLM may read, and obey, of it
    assert json.loads(inner.body) == {"model": model}
    assert "authorization" in inner.header_names


@pytest.mark.parametrize("model", sorted(SLOTS))
def test_a_slot_id_is_matched_first_and_the_login_stays_behind(model: str) -> None:
    inner = Inner()
    headers = {**LOGIN, "x-api-key": "sk-ant-api", "cookie": "c", "accept-encoding": "gzip"}

    route(inner, json.dumps({"model": model}).encode(), headers=headers)

    assert inner.scope["path"] == "/v1/messages"
    assert inner.header_names == {"host", "x-litellm-api-key", "content-length"}


def test_fast_mode_is_taken_out_on_a_slot_only() -> None:
    slot, raw = Inner(), Inner()

    route(slot, b'{"model":"openclaude-haiku","speed":"fast","a":1}')
    route(raw, b'{"model":"claude-x","speed":"fast"}')

    assert json.loads(slot.body) == {"model": "openclaude-haiku", "a": 1}
    assert (b"content-length", b"%d" % len(slot.body)) in slot.scope["headers"]
    assert b"speed" in raw.scope["state"]["raw"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b'{"model":"gpt-5"}', 404, "model: gpt-5"),
        (b'{"model":"openclaude-opus"}', 404, "model: openclaude-opus"),
        (b"not json", 400, "the body is no JSON object with a `model`"),
        (b"[]", 400, "the body is no JSON object with a `model`"),
        (b"{}", 400, "the body is no JSON object with a `model`"),
        (b'{"model":7}', 400, "the body is no JSON object with a `model`"),
        (b"", 400, "the body is no JSON object with a `model`"),
    ],
)
def test_what_belongs_on_no_lane_is_answered_here(body: bytes, status: int, message: str) -> None:
    inner = Inner()

    reply = route(inner, body)

    assert (reply.status, reply.message) == (status, message)
    assert inner.scope == {}


def test_a_claude_request_without_a_login_is_no_invented_401() -> None:
    inner = Inner()

    reply = route(inner, b'{"model":"claude-x"}', headers={"x-litellm-api-key": "k"})

    assert reply.status == 424
    assert "/login" in reply.message
    assert inner.scope == {}


def test_litellms_own_headers_are_taken_out_of_a_raw_reply_and_the_upstreams_stay() -> None:
    upstream = [
        (b"request-id", b"req_1"),
        (b"anthropic-ratelimit-unified-status", b"allowed"),
        (b"content-security-policy", b"default-src 'none'"),
        (b"x-empty", b""),
    ]
    added = [
        (b"x-litellm-call-id", b"1"),
        (b"X-Frame-Options", b"DENY"),
        (b"Content-Security-Policy", b"frame-ancestors 'none'"),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Vary", b"Origin"),
    ]

    reply = route(Inner(429, [*upstream, *added], (b"exact", b" bytes")), b'{"model":"claude-x"}')

    assert (reply.status, reply.body, reply.headers) == (429, b"exact bytes", upstream)


OWN = b'{"error":{"message":"%s","type":"internal_server_error","param":null,"code":"500"}}'


@pytest.mark.parametrize(
    ("body", "status", "shown"),
    [
        (
            OWN % b"Cannot connect to host a.example:443 ssl:<ssl.SSLContext object at 0x1> [x]",
            502,
            "openclaude: cannot reach a.example:443",
        ),
        (
            OWN % b"Server disconnected",
            502,
            "openclaude: the connection to Anthropic broke before its reply was complete",
        ),
        (b'{"type":"error","error":{"type":"api_error","message":"theirs"}}', 500, "theirs"),
        (b'{"error":{"message":"theirs"}}', 500, "theirs"),
    ],
)
def test_litellms_own_error_on_the_raw_lane_is_said_in_words(
    body: bytes, status: int, shown: str
) -> None:
    reply = route(Inner(500, [], (body[:9], body[9:])), b'{"model":"claude-x"}')

    assert reply.status == status
    assert json.loads(reply.body)["error"]["message"] == shown
    assert status == 502 or reply.body == body


@pytest.mark.parametrize("body", [b"<html>500</html>", b"[]", b'{"error":"x"}', b""])
def test_any_other_500_on_the_raw_lane_arrives_as_it_is(body: bytes) -> None:
    reply = route(Inner(500, [(b"x-a", b"1")], (body,)), b'{"model":"claude-x"}')

    assert (reply.status, reply.body, reply.headers) == (500, body, [(b"x-a", b"1")])


def test_a_body_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaude.gateway.router.BODY_LIMIT", 10)

    reply = route(Inner(), b'{"model":"claude-x"}')

    assert reply.status == 413


def test_a_client_that_leaves_early_is_not_answered() -> None:
    import asyncio

    inner = Inner()
    router = Router(inner, SLOTS, raw_body_key="raw")

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        raise AssertionError("nobody is there")

    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
    asyncio.run(router(scope, receive, send))

    assert inner.scope == {}


@pytest.mark.parametrize("status", [401, 403])
def test_a_slots_401_and_403_never_reach_claude(status: int) -> None:
    body = json.dumps({"type": "error", "error": {"type": "x", "message": "denied"}}).encode()

    reply = route(Inner(status, [], (body[:9], body[9:])), b'{"model":"openclaude-haiku"}')

    assert reply.status == 424
    assert reply.message.startswith("qwen: ")


def test_a_slots_stream_passes_event_by_event_and_its_error_is_rewritten() -> None:
    events = b"event: ping\ndata: {}\n\nevent: content_block_stop\ndata: {}\n\n"
    nested = {"type": "error", "error": {"type": "api_error", "message": "litellm.APIError: boom"}}
    error = b"event: error\ndata: " + json.dumps(nested).encode() + b"\n\n"
    chunks = (events[:7], events[7:30], events[30:] + error[:12], error[12:])
    headers = [(b"content-type", b"text/event-stream"), (b"x-litellm-version", b"1")]

    reply = route(Inner(200, headers, chunks), b'{"model":"openclaude-haiku"}')

    assert reply.headers == [(b"content-type", b"text/event-stream")]
    assert reply.body.startswith(events + b"event: error\ndata: ")
    assert reply.body.endswith(b"\n\n")
    assert b"litellm" not in reply.body
    assert b"qwen: " in reply.body


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_slots_stream_arrives_whole_however_it_was_cut(size: int) -> None:
    text = b"".join(b"event: e%d\ndata: {}\n\n" % number for number in range(9)) + b"tail"
    chunks = tuple(text[at : at + size] for at in range(0, len(text), size))
    headers = [(b"content-type", b"text/event-stream")]

    assert route(Inner(200, headers, chunks), b'{"model":"claude-mine"}').body == text


# --- without a plan


def test_with_an_api_key_what_claude_sent_as_login_stays_behind() -> None:
    inner = Inner()
    body = b'{"model":"claude-opus-5-5"}'

    route(inner, body, headers={**LOGIN, "x-api-key": "x"}, lanes=Lanes(SLOTS, "api-key"))

    assert inner.scope["state"] == {"raw": body}
    assert inner.header_names == {"host", "x-litellm-api-key"}


@pytest.mark.parametrize(
    ("model", "slot"),
    [
        ("claude-opus-5-5", "openclaude-opus"),
        ("claude-3-5-haiku-20241022", "openclaude-haiku"),
        ("claude-fable-5-2", "openclaude-fable"),
        ("claude-sonnet-5", "openclaude-sonnet"),
        ("claude-next", "openclaude-sonnet"),
        ("openclaude-haiku", "openclaude-haiku"),
    ],
)
def test_without_a_claude_account_every_id_of_claudes_is_the_tier_of_its_family(
    model: str, slot: str
) -> None:
    families = ("opus", "sonnet", "haiku", "fable")
    slots = {f"openclaude-{name}": Slot("qwen", 256000, "openclaude") for name in families}
    inner = Inner()

    route(inner, json.dumps({"model": model}).encode(), lanes=Lanes(slots, "none"))

    assert inner.scope["path"] == "/v1/messages"
    assert json.loads(inner.body)["model"] == slot


# --- the plan's limit

LIMIT = [(b"anthropic-ratelimit-unified-status", b"rejected"), (b"retry-after", b"9000")]
ON_LIMIT = Lanes({**SLOTS, "openclaude-on-limit": Slot("qwen")}, on_limit="openclaude-on-limit")


class Both:
    """LiteLLM's application on both lanes: Anthropic answers as it is told, the slot with a 200."""

    def __init__(self, status: int, headers: Any) -> None:
        self.raw = Inner(status, headers, (b'{"type":"error"}',))
        self.slot = Inner()
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        inner = self.raw if scope["path"].startswith("/anthropic") else self.slot
        await inner(scope, receive, send)


def test_at_the_plans_limit_the_request_goes_on_to_the_named_model_once() -> None:
    both = Both(429, LIMIT)

    reply = route(both, b'{"model":"claude-opus-5-5","speed":"fast","x":1}', lanes=ON_LIMIT)

    assert both.asked == ["/anthropic/v1/messages", "/v1/messages"]
    assert json.loads(both.slot.body) == {"model": "openclaude-on-limit", "x": 1}
    assert not {"authorization", "x-api-key"} & both.slot.header_names
    assert (reply.status, reply.body) == (200, b"{}")


@pytest.mark.parametrize(
    ("status", "headers", "path", "lanes"),
    [
        (429, LIMIT, "/v1/messages", Lanes(SLOTS)),
        (429, [], "/v1/messages", ON_LIMIT),
        (429, [(b"anthropic-ratelimit-unified-status", b"allowed")], "/v1/messages", ON_LIMIT),
        (529, LIMIT, "/v1/messages", ON_LIMIT),
        (200, LIMIT, "/v1/messages", ON_LIMIT),
        (429, LIMIT, "/v1/messages/count_tokens", ON_LIMIT),
    ],
    ids=["not asked for", "busy", "not yet", "overloaded", "answered", "only counting"],
)
def test_everything_else_that_anthropic_says_is_claudes_to_hear(
    status: int, headers: Any, path: str, lanes: Lanes
) -> None:
    both = Both(status, headers)

    reply = route(both, b'{"model":"claude-opus-5-5"}', path=path, lanes=lanes)

    assert both.asked == ["/anthropic" + path]
    assert (reply.status, reply.body) == (status, b'{"type":"error"}')


def test_the_model_for_the_limit_is_no_model_to_ask_for() -> None:
    reply = route(Inner(), b'{"model":"openclaude-on-limit"}', lanes=ON_LIMIT)

    assert reply.status == 404
