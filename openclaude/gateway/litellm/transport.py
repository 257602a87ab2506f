"""Inserts our filter at the point where every reply of a provider enters LiteLLM.

Knows: LiteLLM's HTTP transport, which its own clients and those of the `openai` package share
(Bedrock, Gemini, Ollama, Anthropic's API and everything OpenAI-like: measured with 1.108.14),
httpx's responses. Independent of: what a filter does, which replies have one.

The head of a stream waits for the first words of the answer: until then a failure can be reported
as an HTTP status, which LiteLLM, main and claude all understand. Nothing else waits, and there is
no thread or queue: LiteLLM pulls, and each pull reads from the provider's connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol

import httpx

from openclaude.gateway.http.trail import note_reply
from openclaude.gateway.http.upstream_status import note_status
from openclaude.gateway.http.watch import WATCHED, Watch

# LiteLLM answers a 422 of `openai`'s client with a TypeError of its own and loses the provider's
# message (measured with 1.108.14)
UNPROCESSABLE, BAD_REQUEST = 422, 400
# about the provider's content encoding, which is decoded here
CODING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class Filter(Protocol):
    """Filters one reply. It raises `ReplyFailed` if the reply is unusable."""

    has_begun: bool

    @property
    def failed(self) -> type[Exception]:
        """The exception it raises."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Return what LiteLLM gets for a chunk."""

    def close(self) -> Iterator[bytes]:
        """Return what LiteLLM gets at the end."""

    def error(self, failure: Any) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of an error that reports a failure."""


class UpstreamFailed(httpx.ReadError):
    """A reply that failed after it had begun, with the provider's message."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status


def filter_replies(filter_for: Callable[[str, bytes], Filter | None]) -> None:
    """Pass every reply in this process through a filter; once per process.

    `filter_for` gets the path and the body of a request and returns the filter for its reply.
    """
    from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

    original = LiteLLMAiohttpTransport.handle_async_request

    async def handle(self: LiteLLMAiohttpTransport, request: httpx.Request) -> httpx.Response:
        response = await original(self, request)
        # LiteLLM reads an empty 202 as an empty answer (measured with 1.108.14)
        if response.is_success and request.method == "POST":
            found = filter_for(request.url.path, body_of(request))
            response = response if found is None else await filtered(response, found)
        note_status(response.status_code)
        note_reply(response.headers.items())
        if response.status_code == UNPROCESSABLE:
            response.status_code = BAD_REQUEST
        return response

    LiteLLMAiohttpTransport.handle_async_request = handle  # type: ignore[method-assign]


def bound_searches() -> None:
    """Read no more of a search engine's answer than a search wants; once per process."""
    from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

    original = LiteLLMAiohttpTransport.handle_async_request

    async def handle(self: LiteLLMAiohttpTransport, request: httpx.Request) -> httpx.Response:
        response = await original(self, request)
        watch = WATCHED.get()
        return response if watch is None else await bounded(response, watch)

    LiteLLMAiohttpTransport.handle_async_request = handle  # type: ignore[method-assign]


async def bounded(response: httpx.Response, watch: Watch) -> httpx.Response:
    """Return a reply that was read and noted. Raises httpx.ReadError if it is too large."""
    read = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            read += chunk
            if len(read) > watch.most_bytes:
                watch.is_too_large = True
                raise httpx.ReadError("too large", request=response.request)
    finally:
        await response.aclose()
    watch.status, watch.body = response.status_code, bytes(read)
    headers = [pair for pair in response.headers.multi_items() if pair[0] not in CODING]
    return httpx.Response(
        response.status_code, headers=headers, content=watch.body, request=response.request
    )


def body_of(request: httpx.Request) -> bytes:
    """Return a request's body; nothing if it is produced while it is sent, such as an upload."""
    try:
        return request.content
    except httpx.RequestNotRead:
        return b""


async def filtered(response: httpx.Response, found: Filter) -> httpx.Response:
    """Return the response with its body behind the filter, or an error in its place."""
    parts = parts_of(response, found)
    opening: list[bytes] = []
    try:
        async for part in parts:
            opening.append(part)
            if found.has_begun:
                break
    except found.failed as failure:
        await response.aclose()
        status, headers, body = found.error(failure)
        return httpx.Response(status, headers=headers, content=body, request=response.request)
    except BaseException:
        await response.aclose()
        raise
    headers_kept = [pair for pair in response.headers.multi_items() if pair[0] not in CODING]
    return httpx.Response(
        200,
        headers=headers_kept,
        stream=FilteredStream(response, found, opening, parts),
        request=response.request,
    )


async def parts_of(response: httpx.Response, found: Filter) -> AsyncIterator[bytes]:
    """Yield the filter's bytes for a response's."""
    async for chunk in response.aiter_bytes():
        for part in found.feed(chunk):
            yield part
    for part in found.close():
        yield part


class FilteredStream(httpx.AsyncByteStream):
    """The body of a response behind a filter; closing it closes the provider's connection."""

    def __init__(
        self,
        response: httpx.Response,
        found: Filter,
        opening: list[bytes],
        parts: AsyncIterator[bytes],
    ) -> None:
        self._response = response
        self._filter = found
        self._opening = opening
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for part in self._opening:
                yield part
            async for part in self._parts:
                yield part
        except self._filter.failed as failure:
            status, _, _ = self._filter.error(failure)
            raise UpstreamFailed(str(failure), status) from failure
        finally:
            await self._response.aclose()

    async def aclose(self) -> None:
        """Close the provider's connection."""
        await self._response.aclose()
