"""Anthropic's reply on its way to claude: as it was sent, without what LiteLLM adds to it.

Knows: LiteLLM's additions, and its own error for a reply that never arrived. Independent of: what a
reply says.
"""

from __future__ import annotations

import json
import re

from openclaude.gateway.errors.reach import UNTRUSTED, untrusted_sentence
from openclaude.gateway.http.asgi import Headers, Message, Send, answer_error, header
from openclaude.gateway.http.buffered import BufferedReply

ADDED = b"x-litellm-"  # how the headers begin that LiteLLM adds to every reply
# LiteLLM's own message for an unreachable upstream (measured); TLS objects follow it
UNREACHABLE = re.compile(r"Cannot connect to host (?P<address>\S+)")
NO_LOGIN = (
    "claude is not logged in to Anthropic: run `claude`, log in with `/login`, then try again"
)
OWN_ERROR = frozenset({"message", "type", "param", "code"})


class PassthroughReply:
    """The `send` for one request that is passed through to Anthropic."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: BufferedReply | None = None  # what may be LiteLLM's own error

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on; buffer a 500 without Anthropic's id until its end."""
        if message["type"] == "http.response.start":
            message = {**message, "headers": without_additions(message["headers"])}
            if message["status"] == 500 and not header(message["headers"], b"request-id"):
                self._held = BufferedReply(message)
                return
        elif self._held is not None:
            self._held.add(message)
            await self._send_when_known(self._held)
            return
        await self._send(message)

    async def _send_when_known(self, held: BufferedReply) -> None:
        if held.is_too_large:  # LiteLLM's own is a sentence
            self._held = None
            await held.release(self._send)
        elif held.is_whole and (own := own_error(held.body)):
            await answer_error(self._send, 502, own)
        elif held.is_whole:
            await held.release(self._send)


def own_error(body: bytes) -> str:
    """Return what to say in place of LiteLLM's own error, or "" for a reply of the upstream's.

    claude retries a 502 as it does a broken connection (measured with Claude Code 2.1.330).
    """
    try:
        error = json.loads(body)["error"]
    except (ValueError, LookupError, TypeError):
        return ""
    if not isinstance(error, dict) or error.keys() != OWN_ERROR:
        return ""
    untrusted = UNTRUSTED.search(str(error["message"]))
    if untrusted:
        return f"openclaude: {untrusted_sentence(untrusted['address'])}"
    unreachable = UNREACHABLE.search(str(error["message"]))
    if unreachable:
        return f"openclaude: cannot reach {unreachable['address']}"
    return "openclaude: the connection to Anthropic broke before its reply was complete"


def without_additions(headers: Headers) -> Headers:
    """Return a reply's headers without LiteLLM's own."""
    return [pair for pair in headers if not pair[0].lower().startswith(ADDED)]
