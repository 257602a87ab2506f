"""Ends a reply before it is complete, so that the client learns that it is incomplete.

Knows: which reply has begun, the error event of a stream. Independent of: why it ends.
"""

from __future__ import annotations

import asyncio
import logging

from openclaude.contracts.anthropic_error import AnthropicError
from openclaude.gateway.http.asgi import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    answer_error,
    header,
    send_error,
)
from openclaude.gateway.http.sse import write_event

log = logging.getLogger("openclaude.shutdown")

STOPPING = AnthropicError(529, "openclaude: the proxy was stopped; send the request again")
FAILED = "openclaude: this request failed inside the proxy"
TOO_DEEP = "openclaude: the request body is nested too deeply"


class StartedReply:
    """A `send` that tracks how far the reply has come."""

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
        """End a reply that ran out of time: claude retries after an `overloaded_error`.

        A reply that is not a stream cannot report an error once it has begun.
        """
        if not self.has_begun:
            await send_error(self.send, STOPPING)
        elif self.is_stream and not self.is_whole:
            # an event may be incomplete: the blank line ends it
            event = b"\n\n" + write_event(STOPPING.document())
            await self.send({"type": "http.response.body", "body": event})


async def run_until_answered(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Run `app` on one request, and report to the client whatever goes wrong."""
    reply = StartedReply(send)
    try:
        await app(scope, receive, reply.send)
    except asyncio.CancelledError:
        # the instance is stopping, and the grace period for its streams is over
        await reply.end_early()
        if not reply.is_whole:
            raise
    except Exception as error:
        if reply.has_begun:
            raise  # uvicorn cuts the connection, which claude takes as an interrupted reply
        log.exception("%s %s failed", scope["method"], scope["path"])
        if isinstance(error, RecursionError):  # while a body was parsed, copied or written
            await answer_error(send, 400, TOO_DEEP)
        else:
            await answer_error(send, 500, FAILED)
