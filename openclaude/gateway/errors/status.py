"""Error replies of providers that contain their HTTP status, and a mark that they are its own.

Knows: Anthropic's error format. Independent of: what an error means. If LiteLLM changed the
provider's own status, the document also contains that, as `upstream_status`. Main's own errors
about a broken hop do not have the mark.
"""

from __future__ import annotations

import json

from openclaude.gateway.http.asgi import App, Message, Receive, Scope, Send, without
from openclaude.gateway.http.buffered import BufferedReply
from openclaude.gateway.http.upstream_status import UpstreamStatus, noting_status

LENGTH = frozenset({b"content-length"})
OWN = (b"x-openclaude-instance", b"providers")  # the mark


def saying_status(app: App) -> App:
    """An ASGI application whose errors have the mark, and contain their HTTP status as `code`."""

    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        with noting_status() as noted:
            await app(scope, receive, StatusInErrors(send, noted).send)

    return pass_on


class StatusInErrors:
    """A `send` that buffers an error reply until it is complete; other replies pass at once."""

    def __init__(self, send: Send, noted: UpstreamStatus) -> None:
        self._send = send
        self._noted = noted
        self._error: BufferedReply | None = None

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on, or buffer it."""
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._error = BufferedReply(message)
        elif self._error is None:
            await self._send(message)
        else:
            self._error.add(message)
            await self._send_when_whole(self._error)

    async def _send_when_whole(self, error: BufferedReply) -> None:
        if error.is_too_large:  # not an error document, the only thing that would be changed
            self._error = None
            await error.release(self._send)
        elif error.is_whole:
            body = with_code(error.body, error.status, self._noted.last)
            length = (b"content-length", b"%d" % len(body))
            headers = [*without(error.headers, LENGTH), length, OWN]
            await self._send({**error.start, "headers": headers})
            await self._send({"type": "http.response.body", "body": body})


def with_code(body: bytes, status: int, upstream: int = 0) -> bytes:
    """Return an error document with its status added; anything else stays unchanged."""
    own = {"upstream_status": upstream} if upstream >= 400 and upstream != status else {}
    try:
        document = json.loads(body)
    except ValueError:
        return body
    match document:
        case {"error": {"message": _} as error}:
            return json.dumps({**document, "error": {**error, "code": status, **own}}).encode()
        case _:
            return body
