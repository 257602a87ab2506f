"""A request that an instance makes of its own application: how it is read, and its reply kept.

Knows: ASGI messages. Independent of: what is asked, LiteLLM.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from openclaude.gateway.http.asgi import Message, Receive
from openclaude.gateway.http.buffered import BufferedReply


class Collected:
    """A `send` that keeps a whole reply."""

    def __init__(self) -> None:
        self._reply: BufferedReply | None = None

    @property
    def status(self) -> int:
        """Its status; 0 if there was none."""
        return self._reply.status if self._reply else 0

    async def send(self, message: Message) -> None:
        """Keep one ASGI message."""
        if self._reply is None:
            self._reply = BufferedReply(message)
        else:
            self._reply.add(message)

    def document(self) -> dict[str, Any]:
        """The reply as a JSON object; an empty one for anything else."""
        try:
            found = json.loads(self._reply.body if self._reply else b"")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def error(self, document: Mapping[str, Any]) -> str:
        """The message of an error, for the log."""
        error = document.get("error")
        said = error.get("message") if isinstance(error, Mapping) else None
        return said if isinstance(said, str) else f"HTTP {self.status}"


def once(body: bytes) -> Receive:
    """Return a `receive` for a request whose client never leaves."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    forever = asyncio.Event()

    async def receive() -> Message:
        if pending:
            return pending.pop()
        await forever.wait()
        return {"type": "http.disconnect"}

    return receive
