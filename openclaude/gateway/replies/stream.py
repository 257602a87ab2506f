"""A streamed reply: chunks in, chunks out, with each event passed through every stage.

Knows: which forms LiteLLM's chunks have, when the start of a message may be sent. Independent of:
what a stage does, LiteLLM as a library. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from openclaude.gateway.http.sse import EventReader, read_event, write_event

Event = dict[str, Any]


class Stage(Protocol):
    """Changes a reply: takes one event, returns the events to send.

    It returns the same object if nothing had to change; then the event keeps its bytes.
    """

    def feed(self, event: Event) -> list[Event]:
        """Return what to send for this event."""


class ReplyStream:
    """LiteLLM's chunks in, chunks for claude out: SSE as bytes or text, or events as dicts.

    Bedrock's arrive as bytes (measured); LiteLLM's code has the other two for providers whose reply
    it turns into a stream itself (read).

    The start of a message waits for the next event. For Gemini LiteLLM writes it before it has sent
    the request (measured), and an error that is sent first keeps its HTTP status, while one after a
    start can only be an event under a 200.
    """

    def __init__(self, *stages: Stage) -> None:
        self._stages = stages
        self._reader = EventReader()
        self._opening: list[bytes] = []

    def feed(self, chunk: Any) -> Iterator[Any]:
        """Return what claude gets for a chunk. Raises EventTooLarge after the events before it."""
        if isinstance(chunk, str):
            chunk = chunk.encode()
        if isinstance(chunk, bytes):
            for frame in self._reader.feed(chunk):
                yield from self._frame(frame)
        elif isinstance(chunk, dict):
            yield from self._through(chunk)
        else:
            yield chunk

    def rest(self) -> bytes:
        """Return what is left of an interrupted stream."""
        return b"".join(self._opened()) + self._reader.rest()

    def _frame(self, frame: bytes) -> list[bytes]:
        event = read_event(frame)
        if event is None:
            return [*self._opened(), frame]
        parts = [frame if one is event else write_event(one) for one in self._through(event)]
        if event.get("type") == "message_start" and not self._opening:
            self._opening = parts
            return []
        return [*self._opened(), *parts]

    def _through(self, event: Event) -> list[Event]:
        """Return the events that the last stage emits for this one."""
        events = [event]
        for stage in self._stages:
            events = [out for one in events for out in stage.feed(one)]
        return events

    def _opened(self) -> list[bytes]:
        """Return the start of the message, once."""
        opening, self._opening = self._opening, []
        return opening
