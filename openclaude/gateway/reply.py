"""A slot's reply as claude may keep it: no reasoning block, no empty one, at least one, no extras.

Knows: Anthropic's reply, whole and as events. Refuses to know: LiteLLM as a library. Pure.

Why: LiteLLM 1.106.2 turns a provider's reasoning into a thinking block with an empty signature
(measured), claude keeps it in the conversation and, after `/model sonnet`, sends it to Anthropic
(measured), where signatures are checked. An empty text block is refused there too (inferred), and
so is a key of LiteLLM's own: Gemini's signature of a call comes as `provider_specific_fields`
(measured); without it LiteLLM sends Gemini the value that stands for "no signature".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from openclaude.gateway.guard_blocks import NOTHING_SAID
from openclaude.gateway.reply_frames import Frames, read_event, write_event

Event = dict[str, Any]

REASONING = frozenset({"thinking", "redacted_thinking"})
REASONING_DELTAS = frozenset({"thinking_delta", "signature_delta"})
# The keys of the blocks that a slot can answer with, as Anthropic's API has them
BLOCK_KEYS = {
    "text": frozenset({"type", "text"}),
    "tool_use": frozenset({"type", "id", "name", "input"}),
}


def strip_reply(message: Mapping[str, Any]) -> dict[str, Any]:
    """A whole reply without what claude must not keep."""
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    kept = [clean(block) for block in content if not is_unwanted(block)]
    # with no block at all claude asks the same again (measured with Claude Code 2.1.330)
    said = kept or [{"type": "text", "text": NOTHING_SAID}]
    calls = any(isinstance(block, Mapping) and block.get("type") == "tool_use" for block in said)
    return {**truly_ended(message, calls=calls), "content": said}


def truly_ended(ending: Mapping[str, Any], *, calls: bool) -> dict[str, Any]:
    """Why a reply ended, where it called a tool: to have that done.

    Servers of OpenAI's kind may call a tool and say `stop` all the same (reported for llama.cpp
    and parsers of vLLM), which LiteLLM passes on as `end_turn` (measured).
    """
    has_stopped = ending.get("stop_reason") == "end_turn"
    return {**ending, "stop_reason": "tool_use"} if calls and has_stopped else dict(ending)


def is_unwanted(block: object) -> bool:
    """Whether a block is reasoning or an empty text."""
    if not isinstance(block, Mapping):
        return False
    kind = block.get("type")
    return kind in REASONING if kind != "text" else not block.get("text")


def clean(block: Any) -> Any:
    """A block without the keys that Anthropic would refuse in a later turn."""
    if not isinstance(block, Mapping):
        return block
    keys = BLOCK_KEYS.get(str(block.get("type")))
    if keys is None or block.keys() <= keys:
        return block
    return {key: value for key, value in block.items() if key in keys}


class ReplyEvents:
    """The same for a streamed reply, one event in, the events to send out.

    The start of a text block is held back until its first words, because only they show that it
    is not empty. Nothing else is held.
    """

    def __init__(self) -> None:
        self._index: dict[object, int] = {}  # provider's block index -> claude's
        self._held: dict[object, Event] = {}  # starts of text blocks that have said nothing yet
        self._sent = 0
        self._calls = False

    def feed(self, event: Event) -> list[Event]:
        """What claude gets for this event; the same object where nothing had to change."""
        match event.get("type"):
            case "content_block_start":
                return self._start(event)
            case "content_block_delta":
                return self._delta(event)
            case "content_block_stop":
                return self._renumbered(event)
            case "message_delta" if not self._sent:
                return [*self._placeholder(), event]
            case "message_delta" if self._calls:
                return [self._ended(event)]
            case _:
                return [event]

    def _start(self, event: Event) -> list[Event]:
        block = event.get("content_block")
        kind = block.get("type") if isinstance(block, Mapping) else None
        if kind in REASONING:
            return []
        if kind == "text" and is_unwanted(block):
            self._held[event.get("index")] = event
            return []
        self._calls = self._calls or kind == "tool_use"
        return [self._open(event)]

    def _ended(self, event: Event) -> Event:
        """The end of a reply that called a tool; the same object where it says so."""
        delta = event.get("delta")
        if not isinstance(delta, Mapping) or delta.get("stop_reason") != "end_turn":
            return event
        return {**event, "delta": truly_ended(delta, calls=True)}

    def _delta(self, event: Event) -> list[Event]:
        delta = event.get("delta")
        kind = delta.get("type") if isinstance(delta, Mapping) else None
        if kind in REASONING_DELTAS:
            return []
        start = self._held.get(event.get("index"))
        if start is None:
            return self._renumbered(event)
        if kind == "text_delta" and delta is not None and not delta.get("text"):
            return []
        del self._held[event.get("index")]
        return [self._open(start), *self._renumbered(event)]

    def _open(self, start: Event) -> Event:
        self._index[start.get("index")] = self._sent
        self._sent += 1
        block = start.get("content_block")
        if (cleaned := clean(block)) is not block:
            start = {**start, "content_block": cleaned}
        return self._renumbered(start)[0]

    def _renumbered(self, event: Event) -> list[Event]:
        """The event under claude's index; nothing for a block that claude does not see."""
        index = self._index.get(event.get("index"))
        if index is None:
            return []
        return [event if event.get("index") == index else {**event, "index": index}]

    def _placeholder(self) -> list[Event]:
        """A block for a reply that would have none."""
        self._sent = 1
        delta = {"type": "text_delta", "text": NOTHING_SAID}
        return [
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            },
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
        ]


class StrippedStream:
    """LiteLLM's chunks in, chunks for claude out: SSE bytes or text, or events as dicts.

    Bedrock's arrive as bytes (measured); LiteLLM's code has the other two for providers whose
    reply it turns into a stream itself (read).

    The start of a message waits for the event after it. For Gemini LiteLLM writes it before it has
    asked anybody (measured), and an error that is the first thing to leave this instance keeps its
    HTTP status, while one after a start can only be an event under a 200.
    """

    def __init__(self) -> None:
        self._frames = Frames()
        self._events = ReplyEvents()
        self._opening = b""

    def feed(self, chunk: Any) -> Iterable[Any]:
        """What claude gets for this chunk."""
        if isinstance(chunk, str):
            chunk = chunk.encode()
        if isinstance(chunk, bytes):
            return [part for frame in self._frames.feed(chunk) for part in self._frame(frame)]
        return self._events.feed(chunk) if isinstance(chunk, dict) else [chunk]

    def rest(self) -> bytes:
        """What an interrupted stream leaves behind."""
        return b"".join(self._opened()) + self._frames.rest()

    def _frame(self, frame: bytes) -> list[bytes]:
        event = read_event(frame)
        if event is None:
            return [*self._opened(), frame]
        if event.get("type") == "message_start" and not self._opening:
            self._opening = frame
            return []
        # an unchanged event keeps its bytes
        kept = [frame if kept is event else write_event(kept) for kept in self._events.feed(event)]
        return [*self._opened(), *kept]

    def _opened(self) -> list[bytes]:
        """The start of the message, once."""
        opening, self._opening = self._opening, b""
        return [opening] if opening else []
