"""What both instances let in: loopback, the local key, claude's own routes, and nothing else.

The login in these requests is not the house's own: another test searches the memory of `providers`
for that one, which must never have been there.
"""

from __future__ import annotations

import socket

import psutil
import pytest

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw
from tests.e2e.conftest import ENV_TOKEN
from tests.e2e.house import House, login_headers, question


def test_every_listener_of_ours_is_on_ipv4_loopback(house: House) -> None:
    port = house.record()["port"]
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for pid in house.pids().values()
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }

    assert listening == {("127.0.0.1", port), ("127.0.0.1", port + 1)}
    with pytest.raises(OSError, match=r"refused|unreachable"):
        socket.create_connection(("::1", port), 1.0)


STRANGERS = {
    "no key": ((), ()),
    "a wrong key": ((), ((raw.LOCAL_KEY, b"Bearer sk-openclaude-" + b"0" * 64),)),
    "a browser page": (("key",), ((b"Origin", b"https://example.com"),)),
    "a rebound name": (("key", "host"), ((b"Host", b"example.com:4000"),)),
}


@pytest.mark.parametrize("name", sorted(STRANGERS))
@pytest.mark.parametrize("unit", ["main", "providers"])
def test_a_stranger_gets_nothing_and_nothing_is_asked_of_anybody(
    house: House, anthropic: AnthropicStandin, bedrock: BedrockStandin, name: str, unit: str
) -> None:
    has, more = STRANGERS[name]
    headers = (*login_headers(ENV_TOKEN), *more)
    key = house.keys()[unit]
    port = house.record()["port"] + (unit == "providers")
    model = "openclaude-haiku" if unit == "providers" else "claude-opus-5-5"
    known = raw.with_key(headers, key) if "key" in has else headers

    reply = raw.ask(port, known, question("hi", model=model), own_host="host" in has)

    assert reply.status in {404, 424}
    assert b'"type": "error"' in reply.body
    assert not anthropic.requests
    assert not bedrock.requests


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/health"),
        ("GET", "/openapi.json"),
        ("GET", "/routes"),
        ("GET", "/"),
        ("POST", "/chat/completions"),
        ("POST", "/anthropic/v1/messages"),
        ("POST", "/key/generate"),
        ("POST", "//v1/messages"),
    ],
)
@pytest.mark.parametrize("unit", ["main", "providers"])
def test_a_route_claude_does_not_need_is_closed_even_with_the_key(
    house: House, anthropic: AnthropicStandin, unit: str, method: str, target: str
) -> None:
    headers = raw.with_key(login_headers(ENV_TOKEN), house.keys()[unit])
    port = house.record()["port"] + (unit == "providers")

    reply = raw.ask(port, headers, question("hi"), method=method, target=target)

    assert reply.status == 404
    assert b'"not_found_error"' in reply.body
    assert not anthropic.requests
