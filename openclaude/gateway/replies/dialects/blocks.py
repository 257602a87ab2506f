"""Numbered content blocks, which Bedrock's Converse and Anthropic's messages have in common.

Knows: that only one block is open at a time, and that numbers increase by one. Independent of: how
a block's start and stop are written. Pure.
"""

from __future__ import annotations

from typing import Any, Protocol


class BlockMarks(Protocol):
    """How a dialect marks a block's start and end."""

    def start(self, index: int, kind: str) -> list[Any]:
        """Return the documents that start a text block."""

    def stop(self, index: int) -> Any:
        """Return the document that ends a block."""


class Blocks:
    """Tracks which block is open; blocks that were passed on as raw frames are counted too."""

    def __init__(self, marks: BlockMarks) -> None:
        self._marks = marks
        self._next = 0
        self._open: tuple[str, int] | None = None  # its kind, and the provider's number for it
        self._has_changed = False

    @property
    def index(self) -> int:
        """The number of the open block."""
        return self._next - 1

    def may_keep(self, kind: str, block: int) -> bool:
        """Tell whether a delta's frame can be sent as it is; if so, count it."""
        if self._has_changed:
            return False
        if self._open == (kind, block):
            return True
        if self._open is not None or block != self._next:
            return False
        self._open = (kind, block)
        self._next += 1
        return True

    def may_keep_stop(self, block: int) -> bool:
        """The same for the frame that ends a block."""
        if self._has_changed or self._open is None or self._open[1] != block:
            return False
        self._open = None
        return True

    @property
    def is_closed(self) -> bool:
        """Tell whether no block is open."""
        return self._open is None

    def to(self, kind: str, block: int) -> list[Any]:
        """Return the documents after which a block of that kind is open."""
        self._has_changed = True
        if self._open == (kind, block):
            return []
        return [*self.close(), *self._marks.start(self.open_next(kind, block), kind)]

    def open_next(self, kind: str, block: int = -1) -> int:
        """Return the number of a new block; the one before is closed."""
        self._has_changed = True
        self._open = (kind, block)
        self._next += 1
        return self.index

    def close(self) -> list[Any]:
        """Return the documents after which no block is open."""
        if self._open is None:
            return []
        self._has_changed = True
        self._open = None
        return [self._marks.stop(self.index)]
