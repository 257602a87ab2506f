"""Small ASGI helpers that everything in front of LiteLLM shares.

Knows: ASGI messages. Independent of: LiteLLM, routes, models.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from openclaude.contracts.anthropic_error import AnthropicError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

ENDS = ("lifespan.shutdown.complete", "lifespan.shutdown.failed")


async def send_json(
    send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send a whole JSON reply."""
    fixed = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_error(send: Send, status: int, message: str) -> None:
    """Send a whole error reply in Anthropic's format."""
    await send_error(send, AnthropicError(status, message))


async def send_error(send: Send, error: AnthropicError) -> None:
    """Send an error reply that is already assembled."""
    start = {"type": "http.response.start", "status": error.status, "headers": error.headers()}
    await send(start)
    await send({"type": "http.response.body", "body": error.body()})


class BodyTooLarge(Exception):
    """A request body exceeds the limit given to `read_body`."""


async def read_body(receive: Receive, *, limit: int) -> bytes | None:
    """Return the whole request body (bytes), or None if the client left before it was complete.

    Raises BodyTooLarge above `limit` bytes.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise BodyTooLarge
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def own_request(method: str, path: str, headers: Headers) -> Scope:
    """Return the scope of a request that an instance sends to itself."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), *headers],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }


async def no_body() -> Message:
    """A `receive` for a request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


def before_the_end(send: Send, work: Callable[[], Awaitable[object]]) -> Send:
    """Return the `send` of a lifespan that does this work before it says that all is done.

    uvicorn ends the process by the signal that it got as soon as it hears that (measured with
    0.54): what is done later is cut off.
    """

    async def pass_on(message: Message) -> None:
        if message["type"] in ENDS:
            await work()
        await send(message)

    return pass_on


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    """Return the first value of a header (name in lower case, as in ASGI), or b""."""
    return next((value for key, value in headers if key == name), b"")


def without(headers: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]) -> Headers:
    """Return the headers except those named in `names`."""
    return [(key, value) for key, value in headers if key not in names]
