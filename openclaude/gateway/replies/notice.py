"""Says which model gave an answer: its name in the reply, and a line where it was not requested.

Knows: Anthropic's replies, whole and streamed. Independent of: why another model answers. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Event = dict[str, Any]
INDEXED = frozenset({"content_block_start", "content_block_delta", "content_block_stop"})


def with_notice(reply: Mapping[str, Any], line: str) -> dict[str, Any]:
    """Return a whole reply with the line before everything else."""
    return {**reply, "content": [{"type": "text", "text": line}, *reply.get("content", [])]}


class NoticeEvents:
    """The same for a streamed reply, as a stage: the line is a block before all others."""

    def __init__(self, line: str) -> None:
        self._line = line

    def feed(self, event: Event) -> list[Event]:
        """Return what claude gets for this event."""
        kind = event.get("type")
        if kind == "message_start":
            return [event, *notice_block(self._line)]
        return [{**event, "index": event["index"] + 1}] if kind in INDEXED else [event]


class NamedEvents:
    """Gives a streamed reply the name of the model that wrote it, as a stage."""

    def __init__(self, name: str) -> None:
        self._name = name

    def feed(self, event: Event) -> list[Event]:
        """Return what claude gets for this event."""
        message = event.get("message")
        if event.get("type") != "message_start" or not isinstance(message, Mapping):
            return [event]
        return [{**event, "message": {**message, "model": self._name}}]


def notice_block(line: str) -> Iterator[Event]:
    """Return the events of a text block at the start of a reply."""
    yield {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    }
    yield {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": line},
    }
    yield {"type": "content_block_stop", "index": 0}
