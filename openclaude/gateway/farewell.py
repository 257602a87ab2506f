"""The last words of a reply that ends before its time, so that the client knows it did.

Knows: which reply has begun, SSE's error event. Refuses to know: why it ends.
"""

from __future__ import annotations

import asyncio
import logging

from openclaude.gateway.asgi import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    answer_error,
    error_body,
    header,
)

log = logging.getLogger("openclaude.farewell")

STOPPING = "openclaude: the proxy was stopped; send it again"
FAILED = "openclaude: this request failed inside the proxy"


class Reply:
    """A `send` that remembers how far the reply has come."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False
        self.is_stream = False
        self.is_whole = False

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            kind = header(message["headers"], b"content-type")
            self.is_stream = kind.startswith(b"text/event-stream")
        else:
            self.is_whole = not message.get("more_body", False)
        await self._send(message)

    async def end_early(self) -> None:
        """End a reply whose time is up: claude takes an `overloaded_error` as one to send again.

        A reply that is no stream cannot say so once it has begun.
        """
        if not self.has_begun:
            await answer_error(self.send, 529, STOPPING)
        elif self.is_stream and not self.is_whole:
            event = b"event: error\ndata: " + error_body(529, STOPPING) + b"\n\n"
            await self.send({"type": "http.response.body", "body": b"\n\n" + event})


async def run_to_the_end(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Run `app` on one request; whatever happens, the client learns that something did."""
    reply = Reply(send)
    try:
        await app(scope, receive, reply.send)
    except asyncio.CancelledError:
        # the instance is told to end, and the grace for its streams is over
        await reply.end_early()
        if not reply.is_whole:
            raise
    except Exception:
        if reply.has_begun:
            raise  # uvicorn cuts the connection, which claude takes as an interrupted reply
        log.exception("%s %s failed", scope["method"], scope["path"])
        await answer_error(send, 500, FAILED)
