"""Sends each request the way that claude would take, and names what is in the way.

Knows: LiteLLM's HTTP transport and how it chooses a proxy, botocore's choice of one. Independent
of: what is in the way (`http.way_out`), which proxy is whose (`http.proxies`).

An instance answers in the server's place: LiteLLM would make one sentence of every cause.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx

from openclaude.contracts.anthropic_error import AnthropicError
from openclaude.gateway.http.proxies import is_exempt, proxy_for
from openclaude.gateway.http.way_out import (
    Fault,
    fault_of,
    page_in_its_place,
    shown_address,
    unusable,
)
from openclaude.gateway.litellm.resend import url_origin

SendRequest = Callable[[httpx.Request], Awaitable[httpx.Response]]
# A host that answers nothing at all: the system would wait for two minutes
CONNECT_TIMEOUT_S = 30.0
FALLBACK_STATUS = 503  # of providers: another model may be reached


def take_the_way_out(hop: str = "", *, is_providers: bool = False) -> None:
    """Choose proxies as claude does, and answer for servers out of reach; once per process.

    `hop` is the address of an instance of ours, for which nobody answers. `is_providers` leaves
    the verdict to main, which reads the sentence, so that fallbacks are asked first.
    """
    from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

    original = LiteLLMAiohttpTransport.handle_async_request
    ours = urlsplit(hop).netloc

    def proxy_of(_self: LiteLLMAiohttpTransport, url: httpx.URL) -> str | None:
        return proxy_for(url.scheme, url.host, url.port, os.environ) or None

    async def handle(self: LiteLLMAiohttpTransport, request: httpx.Request) -> httpx.Response:
        if ours and request.url.netloc.decode("ascii", "replace") == ours:
            return await original(self, request)
        bound_connecting(request)
        address = shown_address(request.url.host, request.url.port or default_port(request.url))
        proxy = proxy_of(self, request.url) or ""
        if found := unusable(proxy, address):
            return answer_fault(found, request, is_providers=is_providers)
        try:
            response = await original(self, request)
        except httpx.RequestError as error:
            # a gateway of the user's own, between us and Anthropic, may be starting again
            fault = fault_of(
                error.__cause__ or error, address, proxy, local_may_start=not is_providers
            )
            if fault is None:
                raise
            return answer_fault(fault, request, is_providers=is_providers)
        found = page_in_its_place(request.method, response.status_code, response.headers, address)
        if found is None:
            return response
        await response.aclose()
        return answer_fault(found, request, is_providers=is_providers)

    LiteLLMAiohttpTransport._proxy_from_env = proxy_of  # type: ignore[method-assign, assignment]
    LiteLLMAiohttpTransport.handle_async_request = handle  # type: ignore[method-assign]
    if is_providers:
        bypass_in_botocore(lambda url: not goes_through_proxy(url))


def take_own_way(
    url: str,
    context: Callable[[], ssl.SSLContext],
    around: Callable[[httpx.Request, SendRequest], Awaitable[httpx.Response]],
) -> None:
    """Send every request for `url` by `around`, to a server that `context` trusts; once.

    Another server's requests are sent as they were.
    """
    from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

    handle, make = (
        LiteLLMAiohttpTransport.handle_async_request,
        LiteLLMAiohttpTransport._make_aiohttp_request,
    )
    ours = url_origin(httpx.URL(url))

    async def make_verified(
        self: LiteLLMAiohttpTransport, *arguments: Any, **named: Any
    ) -> aiohttp.ClientResponse:
        if url_origin(named["request"].url) == ours:
            named["ssl_verify"] = context()
        return await make(self, *arguments, **named)

    async def handle_own(self: LiteLLMAiohttpTransport, request: httpx.Request) -> httpx.Response:
        if url_origin(request.url) != ours:
            return await handle(self, request)
        return await around(request, partial(handle, self))

    LiteLLMAiohttpTransport._make_aiohttp_request = make_verified  # type: ignore[method-assign]
    LiteLLMAiohttpTransport.handle_async_request = handle_own  # type: ignore[method-assign]


def goes_through_proxy(url: str) -> bool:
    """Whether a request of botocore's goes through the proxy, where there is one."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80}.get(parts.scheme, 443)
    return parts.scheme == "https" and not is_exempt(parts.hostname or "", port, os.environ)


def bypass_in_botocore(bypass: Callable[[str], bool]) -> None:
    """Let credentials be fetched by the same way."""
    from botocore import utils

    utils.should_bypass_proxies = bypass


def bound_connecting(request: httpx.Request) -> None:
    """Wait for a connection no longer than that."""
    timeout = request.extensions.get("timeout")
    if isinstance(timeout, dict):
        asked = timeout.get("connect")
        bounded = CONNECT_TIMEOUT_S if asked is None else min(asked, CONNECT_TIMEOUT_S)
        request.extensions = {**request.extensions, "timeout": {**timeout, "connect": bounded}}


def default_port(url: httpx.URL) -> int:
    """The port of an address that names none."""
    return 80 if url.scheme == "http" else 443


def answer_fault(fault: Fault, request: httpx.Request, *, is_providers: bool) -> httpx.Response:
    """The reply in the server's place."""
    status = FALLBACK_STATUS if is_providers else fault.status
    return answer_in_place(status, fault.sentence, request)


def answer_in_place(status: int, sentence: str, request: httpx.Request) -> httpx.Response:
    """The reply of this instance, as if a server had sent it."""
    error = AnthropicError(status, f"openclaude: {sentence}")
    return httpx.Response(
        error.status, headers=error.headers(), content=error.body(), request=request
    )
