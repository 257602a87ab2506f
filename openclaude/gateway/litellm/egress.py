"""Restricts an instance to the servers of its config, whatever a reply or a request names.

Knows: httpx, which all of LiteLLM's clients share, and the two places where LiteLLM fetches a URL
on behalf of a request. Independent of: which servers those are, what is sent to them.

A redirect sends the whole conversation to its target, and of the credentials httpx removes only
`authorization`: Anthropic's, Gemini's and Azure's keys and AWS's session token were sent along
(measured with LiteLLM 1.108.14).
"""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from openclaude.contracts.anthropic_error import USER_MUST_FIX, AnthropicError

LONGEST_HOST = 100  # characters of foreign text in a message


def keep_to_own_addresses() -> None:
    """Follow no redirects and fetch no URLs in this process; once per process."""
    # httpx asks this before it follows a redirect, for every client and transport
    httpx.Response.has_redirect_location = property(  # type: ignore[method-assign, assignment]
        lambda _response: False
    )
    name_redirects()
    fetch_nothing()


def name_redirects() -> None:
    """Turn a redirect into an error that names both hosts."""
    from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

    original = LiteLLMAiohttpTransport.handle_async_request

    async def handle(self: LiteLLMAiohttpTransport, request: httpx.Request) -> httpx.Response:
        response = await original(self, request)
        if not 300 <= response.status_code < 400 or "location" not in response.headers:
            return response
        await response.aclose()
        error = AnthropicError(USER_MUST_FIX, redirect_sentence(request, response))
        return httpx.Response(
            error.status, headers=error.headers(), content=error.body(), request=request
        )

    LiteLLMAiohttpTransport.handle_async_request = handle  # type: ignore[method-assign]


def redirect_sentence(request: httpx.Request, response: httpx.Response) -> str:
    """Say who redirects to whom. The path is left out because it may contain a key."""
    try:
        target = urlsplit(response.headers["location"]).netloc.rpartition("@")[2]
    except ValueError:
        target = ""
    shown = ascii(target[:LONGEST_HOST])[1:-1] or "another path"
    asked = request.url.netloc.rpartition(b"@")[2].decode("ascii", "replace")
    return (
        f"openclaude: {asked} redirects to {shown} (HTTP {response.status_code}), which is not "
        "followed: it would take your key and conversation there"
    )


def fetch_nothing() -> None:
    """Stop LiteLLM from fetching images, whether to count their tokens or to convert them."""
    from litellm.constants import DEFAULT_IMAGE_HEIGHT, DEFAULT_IMAGE_WIDTH
    from litellm.litellm_core_utils import token_counter, url_utils

    def refuse(url: str) -> tuple[str, str]:  # noqa: ARG001 - called by name, too
        raise url_utils.SSRFError("openclaude fetches no address that a message names")

    measure = token_counter.get_image_dimensions

    def dimensions(data: str) -> tuple[int, int]:
        if data.startswith("data:"):
            return measure(data)
        return DEFAULT_IMAGE_WIDTH, DEFAULT_IMAGE_HEIGHT

    url_utils.validate_url = refuse
    token_counter.get_image_dimensions = dimensions
