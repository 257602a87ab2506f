"""The position in a text: at its start, at the start of a line, inside code.

Knows: Markdown's fences and backticks. Independent of: markup. Pure.
"""

from __future__ import annotations

from typing import NamedTuple

FENCES = ("```", "~~~")
KEPT = 4000  # characters of a line that are examined


class Spot(NamedTuple):
    """A position in a text."""

    is_start: bool  # no text before it
    is_blank: bool  # nothing before it on this line, or only markup
    is_code: bool


class Lines:
    """Tracks the position while a text streams."""

    def __init__(self) -> None:
        self.line = ""  # the last line so far
        self.has_said = False
        self.swallows = False  # whitespace that follows is dropped
        self._fence = ""

    @property
    def is_start(self) -> bool:
        """Tell whether there was no text yet."""
        return not self.has_said

    def pass_(self, text: str) -> None:
        """Advance past a text."""
        if not text:
            return
        if not self.has_said:
            self.has_said = not text.isspace()
        self.swallows = False
        if "\n" not in text:
            self.line = (self.line + text)[:KEPT]
            return
        *lines, self.line = (self.line + text).split("\n")
        for line in lines:
            self._end(line)

    def cut(self, *, swallows: bool = True) -> None:
        """Note that markup was removed here: what follows starts a line."""
        self.line = ""
        self.swallows = swallows

    def ahead(self, text: str) -> Spot:
        """Return the position after a text, without advancing."""
        line, fence = self.line, self._fence
        if "\n" in text:
            *lines, line = (line + text).split("\n")
            for one in lines:
                fence = fence_after(fence, one)
        else:
            line += text
        is_blank = not line.strip() and len(line) < 4
        is_code = bool(fence) or line.lstrip().startswith(FENCES) or line.count("`") % 2 == 1
        return Spot(self.is_start and not text.strip(), is_blank, is_code)

    def _end(self, line: str) -> None:
        self._fence = fence_after(self._fence, line)


def fence_after(fence: str, line: str) -> str:
    """Return the fence that is open after a line, or ""."""
    bare = line.lstrip()
    if fence:
        return "" if bare.startswith(fence) and not bare.strip(fence[0] + " \t\r") else fence
    if not bare.startswith(FENCES):
        return ""
    return bare[: len(bare) - len(bare.lstrip(bare[0]))]
