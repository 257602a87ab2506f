"""Detects that the plan's limit is reached, before claude sees Anthropic's reply.

Knows: the one header that distinguishes a plan's limit from a busy server (measured with Claude
Code 2.1.330, which shows "You've hit your 5-hour limit" for it). Independent of: what happens then.
"""

from __future__ import annotations

from openclaude.gateway.http.asgi import Message, Send, header

LIMIT_STATUS = 429
STATUS_HEADER = b"anthropic-ratelimit-unified-status"
REJECTED = b"rejected"


class LimitWatch:
    """A `send` that holds back a reply which says that the plan's limit is reached."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_limit = False

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on, unless it belongs to such a reply."""
        if message["type"] == "http.response.start":
            self.is_limit = is_limit(message)
        if not self.is_limit:
            await self._send(message)


def is_limit(start: Message) -> bool:
    """Tell by the start of a reply whether it refuses the request because of the plan's limit."""
    headers = [(name.lower(), value) for name, value in start["headers"]]
    return start["status"] == LIMIT_STATUS and header(headers, STATUS_HEADER) == REJECTED
