"""The parts of an Anthropic message: its blocks, and its other fields.

Knows: what each block contains, which fields LiteLLM reads. Independent of: events, streams. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openclaude.gateway.replies.dialects.base import Called, Document
from openclaude.gateway.replies.dialects.content import unshown
from openclaude.gateway.replies.dialects.envelope import counted
from openclaude.gateway.replies.events import (
    ABSENT,
    CallEnd,
    CallPiece,
    Event,
    Other,
    ReasoningEvent,
    TextEvent,
)

CALL = "tool_use"
COUNTS = ("input_tokens", "output_tokens")
CACHED = ("cache_creation_input_tokens", "cache_read_input_tokens")


def has_counts(document: Document, required: tuple[str, ...] = COUNTS) -> bool:
    """Tell whether the usage has the fields that LiteLLM and claude read."""
    usage = document.get("usage")
    return isinstance(usage, dict) and usage == usage_of(document, required)


def usage_of(document: Document, required: tuple[str, ...] = COUNTS) -> Document:
    """Return the usage with every field that it must have, and none that is not a number."""
    return counted(document.get("usage"), required, (*COUNTS, *CACHED))


def named(document: Document) -> Document:
    """Return what a message has beside its content, from a document or an event."""
    inner = document.get("message")
    given = inner if isinstance(inner, dict) else document
    texts = {key: given[key] for key in ("id", "model") if isinstance(given.get(key), str)}
    return {
        **{"id": "msg_0", "type": "message", "role": "assistant", "model": ""},
        **texts,
        **{"content": [], "stop_sequence": None, "usage": usage_of(given)},
    }


def is_start_of_message(message: Document) -> bool:
    """Tell whether a message that has just begun says what it must, apart from names and counts."""
    is_message = (message.get("type"), message.get("role")) == ("message", "assistant")
    return is_message and message.get("content") == [] and message.get("stop_reason") is None


def call_piece(index: int, block: Document) -> CallPiece:
    """Read the start of a call; an input that is not empty here is complete."""
    given = block.get("input")
    return CallPiece(
        index,
        str(block.get("id") or ""),
        str(block.get("name") or ""),
        value=given if given else ABSENT,
    )


def blocks_of(content: Any) -> list[Event]:
    """Read the content of a whole message: a list of blocks, one block, or a text."""
    blocks = content if isinstance(content, list) else [content]
    return [one for index, block in enumerate(blocks) for one in block_of(index, block)]


def kind_of(block: Document) -> str | None:
    """Return the type that a block without one must have."""
    if "name" in block:
        return CALL
    return next((kind for kind in ("text", "thinking") if kind in block), None)


def block_of(index: int, block: Any) -> Iterator[Event]:
    """Read a block of a whole message."""
    if isinstance(block, str):
        block = {"type": "text", "text": block}
    if not isinstance(block, dict):
        return
    match block.get("type") or kind_of(block):
        case "text":
            yield TextEvent(str(block.get("text") or ""), index)
        case "thinking":
            proof = str(block.get("signature") or "")
            yield ReasoningEvent(str(block.get("thinking") or ""), index, proof)
        case "tool_use":
            yield call_piece(index, block)
            yield CallEnd(index)
        case "redacted_thinking":
            yield Other(block, index)
        case _:
            yield TextEvent(text_instead(block), index)


def thought_of(part: Document, index: int) -> Iterator[ReasoningEvent]:
    """Read a thought, or what proves it, in a block or a delta."""
    words, proof = part.get("thinking"), part.get("signature")
    if isinstance(words, str) and words:
        yield ReasoningEvent(words, index)
    if isinstance(proof, str) and proof:
        yield ReasoningEvent("", index, proof)


def thought_deltas(event: ReasoningEvent) -> Iterator[Document]:
    """Write a thought as the deltas of its block."""
    if event.text or not event.signature:
        yield {"type": "thinking_delta", "thinking": event.text}
    if event.signature:
        yield {"type": "signature_delta", "signature": event.signature}


def text_instead(block: Document) -> str:
    """Return words for a block that neither claude nor Anthropic would take from a slot."""
    said = block.get("text")
    return unshown(str(block.get("type")), block) if said is None else str(said)


def whole_block(event: Event | Called) -> Document | None:
    """Write a block of a whole message."""
    match event:
        case TextEvent():
            return {"type": "text", "text": event.text}
        case ReasoningEvent():
            return {"type": "thinking", "thinking": event.text, "signature": event.signature}
        case Called():
            return {"type": CALL, "id": event.id, "name": event.name, "input": event.input}
        case Other():
            return dict(event.value)
        case _:
            return None
