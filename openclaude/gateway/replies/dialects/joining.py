"""Documents of a stream that differ in nothing but a piece of one text, as one document.

Knows: what else changes from event to event without a meaning. Independent of: any particular
dialect. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from openclaude.gateway.replies.events import Event, ReasoningEvent, TextEvent

Path = tuple[str | int, ...]
# Counters, clocks, padding, and totals up to here: those of the last document are true of all
VARYING = frozenset(
    {"sequence_number", "obfuscation", "p", "created", "created_at", "usage", "usageMetadata"}
)
PIECE = object()  # stands for the text


class HeldPiece:
    """A piece of text that leaves with those that arrived together with it."""

    def __init__(self, write: Callable[[Any], bytes]) -> None:
        """`write` returns the bytes of a document."""
        self._write = write
        self._document: Any = None
        self._raw = b""
        self._text = ""

    def hold(self, events: Sequence[Event], document: Any, raw: bytes) -> None:
        """Hold a document that may be sent as it came. None may be held already."""
        self._document, self._raw, self._text = document, raw, piece_of(events)

    def joins(self, events: Sequence[Event], document: Any) -> bool:
        """Add a document, which may be sent as it came too, if nothing but its text differs."""
        piece = piece_of(events)
        if not piece or not self._text:
            return False
        joined = join_documents(self._document, self._text, document, piece)
        if joined is None:
            return False
        self._document, self._raw, self._text = joined, b"", self._text + piece
        return True

    def release(self) -> Iterator[bytes]:
        """Yield what is held: nothing that has arrived can join it."""
        document, raw = self._document, self._raw
        self._document, self._raw, self._text = None, b"", ""
        if document is not None:
            yield raw or self._write(document)


def piece_of(events: Sequence[Event]) -> str:
    """Return the text of a document that contains nothing else, else ""."""
    if len(events) == 1 and isinstance(events[0], TextEvent | ReasoningEvent):
        return events[0].text
    return ""


def join_documents(one: Any, text: str, other: Any, more: str) -> Any:
    """Return the document with both texts; None if they differ in anything else that counts."""
    places, same = [*places_of(one, text)], [*places_of(other, more)]
    if len(places) != 1 or places != same or blanked(one, text) != blanked(other, more):
        return None
    return replaced(other, places[0], text + more)


def places_of(value: Any, text: str, path: Path = ()) -> Iterator[Path]:
    """Yield where in a document this text is."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from places_of(one, text, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from places_of(one, text, (*path, index))
    elif value == text:
        yield path


def blanked(value: Any, text: str, key: str = "") -> Any:
    """Return a document without the text and without what may vary."""
    if key in VARYING and value is not None:
        return VARYING
    if isinstance(value, dict):
        return {name: blanked(one, text, name) for name, one in value.items()}
    if isinstance(value, list):
        return [blanked(one, text) for one in value]
    return PIECE if value == text else value


def replaced(value: Any, path: Path, text: str) -> Any:
    """Return a copy of a document with this text there."""
    if not path:
        return text
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], text)
    return copy
