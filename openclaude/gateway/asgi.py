"""Small ASGI parts that router, gate and reply filter share.

Knows: ASGI messages and Anthropic's error shape. Refuses to know: LiteLLM, routes, models.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# Anthropic's own names for its statuses (its API documentation, "Errors")
ERROR_TYPES = {
    400: "invalid_request_error",
    404: "not_found_error",
    413: "request_too_large",
    424: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    529: "overloaded_error",
}


def error_body(status: int, message: str) -> bytes:
    """An error in Anthropic's shape: claude shows `message` and nothing around it."""
    kind = ERROR_TYPES.get(status, "api_error")
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()


async def answer(
    send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """A whole JSON reply."""
    fixed = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_error(send: Send, status: int, message: str) -> None:
    """A whole error reply in Anthropic's shape.

    424 is for what the user must mend: claude asks once and shows the text as it is. Never 401,
    which makes it rotate the plan's login, nor 403, which reads "Failed to authenticate"
    (measured with Claude Code 2.1.330).
    """
    await answer(send, status, error_body(status, message))


class BodyTooLarge(Exception):
    """A request body over the limit that `read_body` was given."""


async def read_body(receive: Receive, *, limit: int) -> bytes | None:
    """The whole request body (bytes), or None when the client left before it was complete.

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
    """The scope of a request that an instance makes of itself."""
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
    """The body of a request that has none."""
    return {"type": "http.request", "body": b"", "more_body": False}


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The first value of a header (name in lower case, as ASGI has it), or b""."""
    return next((value for key, value in headers if key == name), b"")


def without(headers: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]) -> Headers:
    """The headers but for those called `names`."""
    return [(key, value) for key, value in headers if key not in names]
