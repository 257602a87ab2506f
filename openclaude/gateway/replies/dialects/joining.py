"""Documents of a stream that differ in nothing but a piece of one text, as one document.

Knows: what else changes from event to event without a meaning. Independent of: any particular
dialect. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from openclaude.gateway.replies.events import Event, ReasoningEvent, TextEvent

Path = tuple[str | int, ...]
# Counters, clocks, padding, and totals up to here: those of the last document are true of all
VARYING = frozenset(
    {"sequence_number", "obfuscation", "p", "created", "created_at", "usage", "usageMetadata"}
)
PIECE = object()  # stands for the text


class TextFrame(NamedTuple):
    """What is around a text in a document: equal for documents that differ in nothing else."""

    rest: Any
    places: list[Path]  # of the text


class HeldPiece:
    """A piece of text that leaves with those that arrived together with it."""

    def __init__(self, write: Callable[[Any], bytes]) -> None:
        """`write` returns the bytes of a document."""
        self._write = write
        self._document: Any = None
        self._raw = b""
        self._text = ""
        self._frame: TextFrame | None = None  # of the document, once another could join it

    def hold(self, events: Sequence[Event], document: Any, raw: bytes) -> None:
        """Hold a document that may be sent as it came. None may be held already."""
        self._document, self._raw, self._text = document, raw, piece_of(events)
        self._frame = None

    def joins(self, events: Sequence[Event], document: Any) -> bool:
        """Add a document, which may be sent as it came too, if nothing but its text differs."""
        piece = piece_of(events)
        if not piece or not self._text:
            return False
        frame = self._frame or frame_of(self._document, self._text)
        if len(frame.places) != 1 or frame != frame_of(document, piece):
            return False
        self._text += piece
        self._document = replaced(document, frame.places[0], self._text)
        self._frame, self._raw = frame, b""
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


def frame_of(document: Any, text: str) -> TextFrame:
    """Return where in a document this text is, and the rest of it that counts."""
    places: list[Path] = []
    return TextFrame(blanked(document, text, "", (), places), places)


def blanked(value: Any, text: str, key: str, path: Path, places: list[Path]) -> Any:
    """Return a document without the text and without what may vary; add the text's places."""
    if isinstance(value, dict):
        rest: Any = {
            name: blanked(one, text, name, (*path, name), places) for name, one in value.items()
        }
    elif isinstance(value, list):
        rest = [blanked(one, text, "", (*path, index), places) for index, one in enumerate(value)]
    elif value == text:
        places.append(path)
        rest = PIECE
    else:
        rest = value
    return VARYING if key in VARYING and value is not None else rest


def replaced(value: Any, path: Path, text: str) -> Any:
    """Return a copy of a document with this text there."""
    if not path:
        return text
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], text)
    return copy
