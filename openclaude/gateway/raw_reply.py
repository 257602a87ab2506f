"""Anthropic's reply on its way to claude: as it was sent, without what LiteLLM adds to it.

Knows: LiteLLM's additions, and its own error for a reply that never came. Refuses to know: what a
reply says.
"""

from __future__ import annotations

import json
import re

from openclaude.gateway.asgi import Headers, Message, Send, answer_error, header

# What LiteLLM 1.106.2 adds to every reply (measured), by name or by exact name and value: an
# upstream may send a content-security-policy of its own.
ADDED_VALUES = frozenset(
    {
        (b"x-frame-options", b"DENY"),
        (b"content-security-policy", b"frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
    }
)
# by its CORS layer always, by its compression, which never compresses here, for a long whole reply
ADDED_VARY = re.compile(rb"(?:^|, )Origin(?:, Accept-Encoding)?$")
# LiteLLM's own words for an upstream that cannot be reached (measured); TLS objects follow them
UNREACHABLE = re.compile(r"Cannot connect to host (?P<address>\S+)")
OWN_ERROR = frozenset({"message", "type", "param", "code"})


class RawReply:
    """The `send` for one request of the raw lane."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None  # of a reply that may be LiteLLM's own error
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on; a 500 without Anthropic's id waits for its end."""
        if message["type"] == "http.response.start":
            message = {**message, "headers": without_additions(message["headers"])}
            if message["status"] == 500 and not header(message["headers"], b"request-id"):
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._end(self._start, bytes(self._body))
            return
        await self._send(message)

    async def _end(self, start: Message, body: bytes) -> None:
        if own := own_error(body):
            await answer_error(self._send, 502, own)
            return
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def own_error(body: bytes) -> str:
    """What to say in place of LiteLLM's own error, or "" for a reply of the upstream's.

    claude retries a 502 as it does a broken connection (measured with Claude Code 2.1.330).
    """
    try:
        error = json.loads(body)["error"]
    except (ValueError, LookupError, TypeError):
        return ""
    if not isinstance(error, dict) or error.keys() != OWN_ERROR:
        return ""
    unreachable = UNREACHABLE.search(str(error["message"]))
    if unreachable:
        return f"openclaude: cannot reach {unreachable['address']}"
    return "openclaude: the connection to Anthropic broke before its reply was complete"


def without_additions(headers: Headers) -> Headers:
    """A reply's headers without LiteLLM's own."""
    kept = (without_vary(*pair) for pair in headers if not is_addition(*pair))
    return [pair for pair in kept if pair != (b"vary", b"")]


def is_addition(name: bytes, value: bytes) -> bool:
    """Whether a reply's header is LiteLLM's own."""
    return name.lower().startswith(b"x-litellm-") or (name.lower(), value) in ADDED_VALUES


def without_vary(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A `vary` header as the upstream sent it, perhaps empty: LiteLLM's layers add at its end."""
    return (b"vary", ADDED_VARY.sub(b"", value)) if name.lower() == b"vary" else (name, value)
