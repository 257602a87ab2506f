"""Announcing who answers, where it is not the model that was asked: one line before the answer.

Knows: Anthropic's replies, whole and streamed. Refuses to know: why another model answers. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openclaude.gateway.reply_frames import Frames, read_event, write_event

Event = Mapping[str, Any]
INDEXED = frozenset({"content_block_start", "content_block_delta", "content_block_stop"})


def is_asked_by_a_person(body: Mapping[str, Any]) -> bool:
    """Whether a request begins a turn whose answer somebody reads.

    Not the rounds of a turn that bring a tool's result: one line a turn is enough. Nor a request
    for a title or another document of a given form: the line would break the form.
    """
    config = body.get("output_config")
    if isinstance(config, Mapping) and config.get("format"):
        return False
    messages = body.get("messages")
    turns = [turn for turn in messages if isinstance(turn, Mapping)] if messages else []
    users = [turn for turn in turns if turn.get("role") == "user"]
    content = users[-1].get("content") if users else None
    blocks = content if isinstance(content, list) else []
    return not any(isinstance(one, Mapping) and one.get("type") == "tool_result" for one in blocks)


def announced(reply: Mapping[str, Any], line: str) -> dict[str, Any]:
    """A whole reply with the line before everything else."""
    return {**reply, "content": [{"type": "text", "text": line}, *reply.get("content", [])]}


class AnnouncedStream:
    """Chunks in, the same with the line as a block of its own before all others.

    A chunk is SSE bytes, or an event as a dict, which is what `StrippedStream` gives.
    """

    def __init__(self, line: str) -> None:
        self._line = line
        self._frames = Frames()

    def feed(self, chunk: Any) -> Iterable[Any]:
        """What claude gets for this chunk."""
        if isinstance(chunk, Mapping):
            return self._events(chunk)
        return [part for frame in self._frames.feed(chunk) for part in self._frame(frame)]

    def feed_rest(self, rest: bytes) -> bytes:
        """What an interrupted stream leaves behind, with the `rest` of what came before this."""
        return self._frames.rest() + rest

    def _frame(self, frame: bytes) -> list[bytes]:
        event = read_event(frame)
        if event is None:
            return [frame]
        # an unchanged event keeps its bytes
        return [frame if one is event else write_event(one) for one in self._events(event)]

    def _events(self, event: Event) -> list[Event]:
        kind = event.get("type")
        if kind == "message_start":
            return [event, *line_block(self._line)]
        return [{**event, "index": event["index"] + 1}] if kind in INDEXED else [event]


def line_block(line: str) -> Iterator[dict[str, Any]]:
    """The events of a text block at the beginning of a reply."""
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
