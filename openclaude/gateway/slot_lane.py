"""A slot's reply on its way to claude: errors made readable, everything else as it comes.

Knows: when a reply is an error and where an SSE event ends. Refuses to know: what the error means
(`slot_errors`), which lane it is on (`router`).
"""

from __future__ import annotations

from typing import NamedTuple

from openclaude.gateway.asgi import Headers, Message, Send, header, without
from openclaude.gateway.slot_errors import FlatError, Slot, flatten, flatten_event

EVENT_END = b"\n\n"
ERROR_EVENT = b"event: error"
# of LiteLLM and of the hop behind it; claude has no use for them
NOISE = (b"x-litellm-", b"llm_provider-", b"x-ratelimit-")


class Held(NamedTuple):
    """An error reply that is still coming in."""

    status: int
    headers: Headers
    body: bytearray


class SlotReply:
    """The `send` for one request of a slot."""

    def __init__(self, send: Send, slot: Slot, *, request_bytes: int) -> None:
        self._send = send
        self._slot = slot
        self._request_bytes = request_bytes
        self._held: Held | None = None
        self._events: bytearray | None = None  # of a stream: the event that is not whole yet

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on, or keep it until the error it belongs to is whole."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self._held is not None:
            await self._error(self._held, message)
        elif self._events is not None:
            await self._stream(self._events, message)
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        headers = [pair for pair in message["headers"] if not pair[0].lower().startswith(NOISE)]
        if message["status"] >= 400:
            self._held = Held(message["status"], message["headers"], bytearray())
            return
        if header(headers, b"content-type").startswith(b"text/event-stream"):
            self._events = bytearray()
            # an event that is rewritten has another length
            headers = without(headers, frozenset({b"content-length"}))
        await self._send({**message, "headers": headers})

    async def _error(self, held: Held, message: Message) -> None:
        held.body.extend(message.get("body", b""))
        if message.get("more_body", False):
            return
        error = flatten(
            held.status,
            bytes(held.body),
            headers={
                name.decode("latin-1"): value.decode("latin-1") for name, value in held.headers
            },
            slot=self._slot,
            request_bytes=self._request_bytes,
        )
        await self._send(
            {"type": "http.response.start", "status": error.status, "headers": json_headers(error)}
        )
        await self._send({"type": "http.response.body", "body": error.body()})

    async def _stream(self, rest: bytearray, message: Message) -> None:
        """Whole events at once; only what may become an error event waits for its end."""
        rest += message.get("body", b"")
        is_last = not message.get("more_body", False)
        whole, _, tail = rest.rpartition(EVENT_END)
        ready = bytes(whole + EVENT_END) if whole or rest.startswith(EVENT_END) else b""
        if is_last:
            ready, tail = ready + tail, bytearray()
        self._events = bytearray(tail)
        if ready or is_last:
            body = self._rewritten(ready) if ERROR_EVENT in ready else ready
            await self._send({**message, "body": body})

    def _rewritten(self, events: bytes) -> bytes:
        """The events, with each error event in words claude can show."""
        parts = events.split(EVENT_END)
        return EVENT_END.join(self._event(part) for part in parts)

    def _event(self, event: bytes) -> bytes:
        if not event.lstrip().startswith(ERROR_EVENT):
            return event
        data = b"\n".join(
            line.partition(b":")[2].strip()
            for line in event.splitlines()
            if line.startswith(b"data:")
        )
        error = flatten_event(data, slot=self._slot, request_bytes=self._request_bytes)
        return error.event().removesuffix(EVENT_END)


def json_headers(error: FlatError) -> Headers:
    """The headers of a flat error's reply."""
    more = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in error.headers]
    body = error.body()
    return [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        *more,
    ]
