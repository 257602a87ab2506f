"""The content of a message in OpenAI's chat completions: a text, a part, or a list of parts.

Knows: the parts that servers send, Mistral's thinking among them. Independent of: streams. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openclaude.gateway.replies.dialects.base import Document, shown
from openclaude.gateway.replies.events import Event, ReasoningEvent, TextEvent


def content_of(content: Any) -> Iterator[Event]:
    """Return the text of a content: a string, or a list of parts."""
    if isinstance(content, str):
        if content:
            yield TextEvent(content)
    elif isinstance(content, list):
        for part in content:
            yield from part_of(part)
    elif isinstance(content, dict):
        yield from part_of(content)
    elif content is not None and content is not False:
        yield TextEvent(shown(content))


def part_of(part: Any) -> Iterator[Event]:
    """Return the text of one part of a content."""
    if isinstance(part, str):
        yield TextEvent(part)
    elif isinstance(part, dict):
        kind = str(part.get("type"))
        inner = part.get("thinking") or part.get("reasoning")
        if "think" in kind or "reason" in kind or inner:
            said = inner if inner is not None else part.get("text") or part.get("content")
            yield ReasoningEvent("".join(words_in(said)))
        else:
            said = part.get("text") or part.get("refusal") or part.get("content") or ""
            yield TextEvent("".join(words_in(said)) or unshown(kind, part))


def unshown(kind: str, part: Document) -> str:
    """Return words for a part without text, which claude cannot show; "" for an empty text."""
    return "" if "text" in part or kind == "None" else f"[The reply has a part `{kind}` here]"


def words_in(value: Any) -> Iterator[str]:
    """Return all text in a part of a part."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from words_in(one)
    elif isinstance(value, dict):
        yield from words_in(value.get("text") or value.get("value") or "")
