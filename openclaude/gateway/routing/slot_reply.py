"""A slot's reply on its way to claude: errors become readable, everything else passes unchanged.

Knows: which replies and which events of a stream are errors. Independent of: what an error means
(`slot_errors`), which requests are a slot's (`router`).
"""

from __future__ import annotations

from collections.abc import Callable

from openclaude.contracts.anthropic_error import AnthropicError
from openclaude.contracts.routing import SlotRoute
from openclaude.gateway.errors.slot_errors import (
    broke_off,
    flat_error,
    flatten_event,
    hop_is_down,
)
from openclaude.gateway.errors.status import OWN
from openclaude.gateway.http import sse
from openclaude.gateway.http.asgi import Headers, Message, Send, header, send_error, without
from openclaude.gateway.http.buffered import BufferedReply

# of LiteLLM and of the hop behind it; claude does not use them
NOISE = (b"x-litellm-", b"llm_provider-", b"x-ratelimit-", b"x-openclaude-")
LITELLMS_OWN = 500  # the status of LiteLLM's own error on main about a failed connection
TOO_LARGE = "openclaude: a part of the reply was too large to pass on"


class SlotReply:
    """The `send` for one request of a slot."""

    def __init__(
        self,
        send: Send,
        slot: SlotRoute,
        *,
        request_bytes: int,
        heard: Callable[[Headers], None] = lambda _: None,
    ) -> None:
        """`heard` gets the reply's headers, of which some are left out for claude."""
        self._send = send
        self._heard = heard
        self._slot = slot
        self._request_bytes = request_bytes
        self._error: BufferedReply | None = None  # an error reply that is still arriving
        self._events: sse.EventReader | None = None  # of a stream
        self._is_over = False  # the rest is dropped

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on, or buffer it until the error it belongs to is complete."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self._error is not None:
            self._error.add(message)
            if self._error.is_whole:
                await send_error(self._send, self._flat(self._error))
        elif self._events is not None:
            await self._stream(self._events, message)
        else:
            await self._send(message)

    async def end_broken(self) -> bool:
        """End a stream that broke off with an error event, after which claude retries.

        Returns False if that is impossible: the reply has not begun, or is not a stream.
        """
        if self._events is None or self._is_over:
            return False
        body = sse.write_event(broke_off(self._slot).document())
        await self._send({"type": "http.response.body", "body": b"\n\n" + body})
        return True

    async def _start(self, message: Message) -> None:
        self._heard(message["headers"])
        headers = [pair for pair in message["headers"] if not pair[0].lower().startswith(NOISE)]
        if message["status"] >= 400:
            self._error = BufferedReply(message)
            return
        if header(headers, b"content-type").startswith(b"text/event-stream"):
            self._events = sse.EventReader()
            # a rewritten event has a different length
            headers = without(headers, frozenset({b"content-length"}))
        await self._send({**message, "headers": headers})

    def _flat(self, error: BufferedReply) -> AnthropicError:
        """Return the error as claude can show it. Anything over the buffer's size is ignored."""
        if error.status == LITELLMS_OWN and OWN not in error.headers:
            return hop_is_down(self._slot)
        return flat_error(
            error.status,
            error.body,
            headers={
                name.decode("latin-1"): value.decode("latin-1") for name, value in error.headers
            },
            slot=self._slot,
            request_bytes=self._request_bytes,
        )

    async def _stream(self, events: sse.EventReader, message: Message) -> None:
        """Yield whole events; an event is buffered until its end, because it may be an error."""
        if self._is_over:
            return
        chunk = message.get("body", b"")
        is_last = not message.get("more_body", False)
        if not is_last and events.may_pass(chunk) and b"error" not in chunk:
            await self._send(message)
            return
        frames = []
        try:
            for frame in events.feed(chunk):
                frames.append(self._shown(frame))
        except sse.EventTooLarge:
            frames.append(sse.write_event(AnthropicError(502, TOO_LARGE).document()))
            self._is_over = is_last = True
        if is_last and not self._is_over:
            frames.append(self._shown(events.rest()))
        if frames or is_last:
            body = b"".join(frames)
            await self._send({**message, "body": body, "more_body": not is_last})

    def _shown(self, frame: bytes) -> bytes:
        """Return a frame unchanged, or an error that claude can show."""
        if b"error" not in frame:
            return frame
        event = sse.parse_frame(frame)
        if event is None or event.name != "error":
            return frame
        error = flatten_event(event.data, slot=self._slot, request_bytes=self._request_bytes)
        return sse.write_event(error.document())
