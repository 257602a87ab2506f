"""Access control: who is let in, and how everyone else is answered."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest

from openclaude.contracts.worker import ADMIT
from openclaude.gateway.http.access import AccessControl
from openclaude.gateway.http.asgi import App
from openclaude.gateway.http.other_keys import OtherKeys

KEY = "sk-openclaude-1"
GOOD = {"host": "127.0.0.1:4000", "x-litellm-api-key": f"Bearer {KEY}"}
ROUTES = frozenset({("POST", "/v1/messages")})
KEYLESS = frozenset({("HEAD", "/api/hello")})


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]]

    @property
    def message(self) -> str:
        document = json.loads(self.body)
        assert document["type"] == "error"
        assert set(document["error"]) == {"type", "message"}
        return str(document["error"]["message"])


async def inner(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


def gate(app: App = inner, **changes: Any) -> AccessControl:
    return AccessControl(app, **{"key": KEY, "routes": ROUTES, "keyless": KEYLESS, **changes})


def call(
    app: App, method: str, path: str, headers: dict[str, str], body: Iterable[bytes] = (b"",)
) -> Reply:
    """Send one request through an ASGI application."""
    parts = list(body)
    messages = [
        {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
    start = sent[0]
    return Reply(start["status"], b"".join(m.get("body", b"") for m in sent[1:]), start["headers"])


@pytest.mark.parametrize(
    "headers",
    [
        GOOD,
        {**GOOD, "x-litellm-api-key": KEY},
        {**GOOD, "host": "localhost:4000"},
        {**GOOD, "host": "127.0.0.1"},
        {**GOOD, "authorization": "Bearer sk-ant-oat01-plan"},
    ],
)
def test_claudes_own_request_gets_in(headers: dict[str, str]) -> None:
    assert call(gate(), "POST", "/v1/messages", headers).body == b"inside"


@pytest.mark.parametrize(
    "headers",
    [
        {**GOOD, "origin": "https://evil.example"},
        {**GOOD, "origin": "http://127.0.0.1:4000"},
        {**GOOD, "host": "evil.example"},
        {**GOOD, "host": "evil.example:4000"},
        {**GOOD, "host": "127.0.0.1.evil.example"},
        {**GOOD, "host": "127.0.0.1@evil.example"},
        {**GOOD, "host": "[::1]:4000"},
        {**GOOD, "host": ""},
        {"x-litellm-api-key": KEY},
    ],
)
def test_a_browser_page_gets_nothing_even_with_the_key(headers: dict[str, str]) -> None:
    reply = call(gate(), "POST", "/v1/messages", headers)

    assert reply.status == 404
    assert not [name for name, _ in reply.headers if name.startswith(b"access-control")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/messages"),
        ("OPTIONS", "/v1/messages"),
        ("POST", "/v1/messages/"),
        ("POST", "/anthropic/v1/messages"),
        ("GET", "/health"),
        ("GET", "/routes"),
        ("GET", "/openapi.json"),
        ("POST", "/chat/completions"),
        ("POST", "/config/update"),
    ],
)
def test_every_other_route_is_a_404_in_anthropics_shape(method: str, path: str) -> None:
    reply = call(gate(), method, path, GOOD)

    assert reply.status == 404
    assert reply.message == f"openclaude does not serve `{method} {path}`"


@pytest.mark.parametrize(
    "key",
    [None, "", "Bearer ", "sk-openclaude-2", "Bearer sk-openclaude-2", f"{KEY}x", f"Basic {KEY}"],
)
def test_a_missing_or_wrong_key_is_a_424_and_never_a_401(key: str | None) -> None:
    headers = {"host": "127.0.0.1:4000", "authorization": f"Bearer {KEY}"}
    if key is not None:
        headers["x-litellm-api-key"] = key

    reply = call(gate(), "POST", "/v1/messages", headers)

    assert reply.status == 424
    assert "start claude with `openclaude`" in reply.message


def test_a_session_whose_key_was_revoked_is_told_how_to_go_on() -> None:
    headers = {"host": "127.0.0.1:4000", "x-litellm-api-key": "Bearer sk-openclaude-of-before"}

    reply = call(gate(), "POST", "/v1/messages", headers)

    assert "the local key of this session was revoked" in reply.message
    assert "`--continue` brings the conversation back" in reply.message


def test_a_session_of_a_stack_before_is_let_in_by_the_digest_of_its_key() -> None:
    former = frozenset({hashlib.sha256(b"sk-openclaude-0").hexdigest()})

    def status(key: str) -> int:
        headers = {**GOOD, "x-litellm-api-key": key}
        return call(gate(others=OtherKeys(former)), "POST", "/v1/messages", headers).status

    assert status("Bearer sk-openclaude-0") == 200
    assert status(f"Bearer {KEY}") == 200
    assert status("Bearer sk-openclaude-2") == 424
    assert status(f"Bearer {next(iter(former))}") == 424  # the digest is not a key


def test_a_keyless_route_is_answered_here_and_not_passed_on() -> None:
    reply = call(gate(), "HEAD", "/api/hello", {"host": "127.0.0.1:4000"})

    assert (reply.status, reply.body) == (200, b"")


def test_an_instance_proves_its_key_without_telling_it() -> None:
    headers = {"host": "127.0.0.1:4000", "x-openclaude-nonce": "abc"}

    reply = call(gate(), "GET", "/openclaude/who", headers)

    proof = hmac.new(KEY.encode(), b"openclaude abc", "sha256").hexdigest()
    assert (reply.status, reply.body) == (200, proof.encode())
    other = call(gate(key="another"), "GET", "/openclaude/who", headers)
    assert other.body != reply.body
    page = {**headers, "origin": "https://evil.example"}
    assert call(gate(), "GET", "/openclaude/who", page).status == 404


def test_a_further_check_can_refuse() -> None:
    refusing = gate(check=lambda headers: "no" if (b"cookie", b"c") in headers else "")

    assert call(refusing, "POST", "/v1/messages", GOOD).body == b"inside"
    refused = call(refusing, "POST", "/v1/messages", {**GOOD, "cookie": "c"})
    assert (refused.status, refused.message) == (424, "no")


def test_a_failure_inside_is_a_500_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("secret detail")

    reply = call(gate(broken), "POST", "/v1/messages", GOOD)

    assert reply.status == 500
    assert b"secret" not in reply.body
    assert "secret detail" in caplog.text


def test_a_failure_in_the_middle_of_a_reply_cuts_the_connection() -> None:
    async def broken(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("late")

    with pytest.raises(RuntimeError, match="late"):
        call(gate(broken), "POST", "/v1/messages", GOOD)


def test_a_websocket_is_closed() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def run() -> None:
        await gate()({"type": "websocket", "path": "/", "headers": []}, receive, send)

    asyncio.run(run())

    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("headers", "count"),
    [(GOOD, 1), ({**GOOD, "x-litellm-api-key": "no"}, 0), ({**GOOD, "sec-fetch-site": "none"}, 0)],
)
def test_only_who_has_the_key_is_admitted(headers: dict[str, str], count: int) -> None:
    admitted: list[bool] = []

    async def hook(scope: Any, receive: Any, send: Any) -> None:
        await gate()({**scope, ADMIT: lambda: admitted.append(True)}, receive, send)

    call(hook, "POST", "/v1/messages", headers)

    assert len(admitted) == count


def test_the_way_to_admit_goes_no_further() -> None:
    seen: list[Any] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        seen.append(scope)
        await inner(scope, _receive, send)

    call(gate(app), "POST", "/v1/messages", GOOD)

    assert ADMIT not in seen[0]


@pytest.mark.parametrize("site", ["none", "same-origin", "same-site", "cross-site"])
@pytest.mark.parametrize("route", [("POST", "/v1/messages"), ("GET", "/openclaude/who")])
def test_a_browser_that_says_where_it_comes_from_gets_nothing(
    route: tuple[str, str], site: str
) -> None:
    assert call(gate(), *route, {**GOOD, "sec-fetch-site": site}).status == 404
