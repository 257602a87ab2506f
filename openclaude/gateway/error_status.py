"""Error replies that name their own HTTP status, so that it survives the hop to main.

Knows: Anthropic's error shape, and what LiteLLM 1.106.2 makes of it on main: a status that it has
no class for, a 403 or a 402, becomes a 500 there by a TypeError of its own, which claude asks ten
times (measured). Its words arrive whole, with the document in them. Refuses to know: what an error
means.
"""

from __future__ import annotations

import json

from openclaude.gateway.asgi import App, Message, Receive, Scope, Send, without

LENGTH = frozenset({b"content-length"})


def saying_status(app: App) -> App:
    """An application whose error documents hold their HTTP status as `code`."""

    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, ErrorReply(send).send if scope["type"] == "http" else send)

    return pass_on


class ErrorReply:
    """A `send` that keeps an error reply back until it is whole; any other reply passes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on, or keep it."""
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_whole(self._start)

    async def _send_whole(self, start: Message) -> None:
        body = with_code(bytes(self._body), start["status"])
        headers = [*without(start["headers"], LENGTH), (b"content-length", b"%d" % len(body))]
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def with_code(body: bytes, status: int) -> bytes:
    """An error document with its status in it; what is no such document stays as it is."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    match document:
        case {"error": {"message": _} as error}:
            return json.dumps({**document, "error": {**error, "code": status}}).encode()
        case _:
            return body
