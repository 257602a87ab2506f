"""Why a server cannot be reached, in words, from aiohttp's own exceptions."""

from __future__ import annotations

import errno
import socket
import ssl
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.errors.provider_message import ProviderMessage
from openclaude.gateway.errors.slot_errors import classify
from openclaude.gateway.http.way_out import (
    HOPELESS,
    NAMED,
    PASSING,
    Fault,
    fault_of,
    page_in_its_place,
    shown_address,
    unusable,
)

HOST = "api.example:443"
PROXY = "http://me:CANARY@proxy.corp:3128"
KEY = cast("ConnectionKey", SimpleNamespace(host="api.example", port=443, ssl=True))
INFO = cast("aiohttp.RequestInfo", SimpleNamespace(real_url="https://api.example"))


def refused(number: int) -> aiohttp.ClientConnectorError:
    """Return what aiohttp raises for a connection that the system could not make."""
    return aiohttp.ClientConnectorError(KEY, OSError(number, "as the system says it"))


def certificate(code: int, message: str = "") -> aiohttp.ClientConnectorCertificateError:
    """Return what it raises for a certificate that OpenSSL did not accept."""
    error: Any = ssl.SSLCertVerificationError(1, "no")
    error.verify_code, error.verify_message = code, message
    return aiohttp.ClientConnectorCertificateError(KEY, error)


def by_proxy(status: int) -> aiohttp.ClientHttpProxyError:
    """Return what it raises for a proxy that refuses."""
    return aiohttp.ClientHttpProxyError(INFO, (), status=status)


CASES = [
    (aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-3, "x")), "its name cannot be", True),
    (refused(errno.ECONNREFUSED), "it refuses the connection (ECONNREFUSED)", True),
    (refused(errno.ENETUNREACH), "there is no route to it (ENETUNREACH)", True),
    (refused(errno.ECONNRESET), "the connection is cut (ECONNRESET)", True),
    (refused(errno.ETIMEDOUT), "it does not answer (ETIMEDOUT)", True),
    (aiohttp.ConnectionTimeoutError("x"), "the proxy http://proxy.corp:3128 does not", True),
    (certificate(20, "unable to get local issuer"), "not trusted (unable to get local", False),
    (certificate(10), "its certificate has expired", False),
    (certificate(9), "its certificate is not valid yet", False),
    (certificate(62), "its certificate is for another host", False),
    (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "x")), "no encrypted connection", False),
    (aiohttp.ClientProxyConnectionError(KEY, OSError(errno.ECONNREFUSED, "x")), "ECONNREF", True),
    (aiohttp.ClientProxyConnectionError(KEY, socket.gaierror(-2, "x")), "cannot be resolved", True),
    (by_proxy(407), "does not accept the user and the password in HTTPS_PROXY (HTTP 407)", False),
    (by_proxy(401), "does not accept the user and the password in HTTPS_PROXY (HTTP 401)", False),
    (by_proxy(403), "refuses to connect to it (HTTP 403)", False),
    (by_proxy(502), "cannot connect to it (HTTP 502)", True),
]


@pytest.mark.parametrize(("error", "words", "may_pass"), CASES)
def test_each_cause_is_said_as_what_it_is_on_both_lanes(
    error: Exception, words: str, may_pass: bool
) -> None:
    fault = fault_of(error, HOST, PROXY)

    assert fault is not None
    assert words in fault.sentence
    assert fault.may_pass is may_pass
    assert "CANARY" not in fault.sentence
    assert len(fault.sentence) <= 400
    # the same on a slot, out of LiteLLM's wrapping
    wrapped = f"litellm.ServiceUnavailableError: openclaude: {fault.sentence}"
    verdict = classify(503, ProviderMessage(wrapped), SlotRoute())
    assert verdict.sentence == fault.sentence
    assert verdict.status == fault.status == (PASSING if may_pass else HOPELESS)


def test_a_proxy_without_a_login_wants_one() -> None:
    fault = fault_of(by_proxy(407), HOST, "http://proxy.corp:3128")

    assert fault
    assert "the proxy http://proxy.corp:3128 wants a user and a password" in fault.sentence


def test_a_local_server_that_is_not_there_is_to_be_started() -> None:
    fault = fault_of(refused(errno.ECONNREFUSED), "127.0.0.1:11434")

    assert fault == Fault(
        "127.0.0.1:11434",
        "nothing is listening there; start the server that the profile expects",
    )


@pytest.mark.parametrize(
    "error", [aiohttp.ServerDisconnectedError(), aiohttp.SocketTimeoutError(), ValueError("x")]
)
def test_what_happens_after_the_connection_is_another_matter(error: Exception) -> None:
    assert fault_of(error, HOST, PROXY) is None


@pytest.mark.parametrize(
    ("method", "status", "kind", "is_page"),
    [
        ("POST", 200, "text/html; charset=utf-8", True),
        ("POST", 200, "application/xhtml+xml", True),
        ("POST", 511, "", True),
        ("GET", 511, "text/html", True),
        ("POST", 200, "application/json", False),
        ("POST", 200, "text/event-stream", False),
        ("POST", 502, "text/html", False),  # a server's own failure, which is its to tell
        ("HEAD", 200, "text/html", False),
    ],
)
def test_a_page_that_answers_for_an_api_is_called_that(
    method: str, status: int, kind: str, is_page: bool
) -> None:
    found = page_in_its_place(method, status, {"content-type": kind}, HOST)

    assert (found is not None) is is_page


def test_only_http_proxies_can_be_used() -> None:
    assert unusable("", HOST) is None
    assert unusable(PROXY, HOST) is None
    assert unusable("HTTPS://proxy", HOST) is None
    found = unusable("socks5h://me:CANARY@127.0.0.1:1080", HOST)
    assert found
    assert "the proxy socks5h://127.0.0.1:1080 is not one" in found.sentence


def test_a_host_that_is_no_text_breaks_no_sentence() -> None:
    shown = shown_address("a\x1b[2J\nb" + "x" * 500, 443)

    assert shown.isprintable()
    assert NAMED.search(Fault(shown, "it is so").sentence)
    assert shown_address("fd00::5", 443) == "[fd00::5]:443"
