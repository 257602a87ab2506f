"""The position in a text: at its start, at the start of a line, inside code.

Knows: Markdown's fences, code spans and containers. Independent of: markup. Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

FENCES = ("```", "~~~")
KEPT = 4000  # characters of a line that are examined
KEPT_END = 80  # and of its end
# What begins a quote, a list item, a row of a table or a heading
CONTAINER = re.compile(r"\s*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t]|\||#{1,6}[ \t])")
LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])[ \t]+")
INLINE_CODE = re.compile(r"`+|</?(?:code|pre)\b", re.IGNORECASE)


class Spot(NamedTuple):
    """A position in a text."""

    is_start: bool  # no text before it
    is_blank: bool  # nothing before it on this line, or only markup
    is_code: bool
    before: str  # what is before it on the line
    is_contained: bool  # in a quote, a list item, a row of a table or a heading

    @property
    def indent(self) -> int:
        """Return how far a blank line is indented, in columns."""
        return len(self.before.expandtabs(4))


class Lines:
    """Tracks the position while a text streams."""

    def __init__(self) -> None:
        self.line = ""  # the last line so far
        self.has_said = False
        self.swallows = ""  # whitespace that is dropped if it follows
        self._fence = ""
        self._code = ""  # what began a code span that is open, on a line before

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
        self.swallows = ""
        if "\n" not in text:
            self.line = shortened(self.line + text)
            return
        *lines, self.line = (self.line + text).split("\n")
        self.line = shortened(self.line)
        for line in lines:
            self._end(line)

    def cut(self, *, swallows: str = " \t\r\n") -> None:
        """Note that markup was removed here: what follows starts a line."""
        self.line = ""
        self.swallows = swallows

    def ahead(self, text: str) -> Spot:
        """Return the position after a text, without advancing."""
        line, fence, code = self.line, self._fence, self._code
        if "\n" in text:
            *lines, line = (line + text).split("\n")
            for one in lines:
                fence, code = after(fence, code, one)
        else:
            line += text
        is_blank = not line.strip() and len(line.expandtabs(4)) < 4
        is_code = bool(fence) or item_text(line).startswith(FENCES) or bool(code_after(code, line))
        is_start = self.is_start and not text.strip()
        return Spot(is_start, is_blank, is_code, line, bool(CONTAINER.match(line)))

    def _end(self, line: str) -> None:
        self._fence, self._code = after(self._fence, self._code, line)


def shortened(line: str) -> str:
    """Return a long line without what is in its middle."""
    return line if len(line) <= KEPT + KEPT_END else line[:KEPT] + line[-KEPT_END:]


def item_text(line: str) -> str:
    """Return a line without its indent and the mark of a list item."""
    found = LIST_ITEM.match(line)
    return line[found.end() :] if found else line.lstrip()


def after(fence: str, code: str, line: str) -> tuple[str, str]:
    """Return the fence and the beginning of a code span that are open after a whole line."""
    closed = fence_after(fence, line)
    if fence or closed:
        return closed, ""
    code = code_after(code, line)
    return "", code if line.strip() or code == "<pre" else ""


def code_after(code: str, line: str) -> str:
    """Return what began the code span that is open behind a line, or a part of it; or ""."""
    if code != "<pre" and CONTAINER.match(line):
        code = ""
    for token in INLINE_CODE.findall(line):
        mark = token.lower()
        if not code:
            code = "" if mark.startswith("</") else mark
        elif mark == code.replace("<", "</"):
            code = ""
    return code


def fence_after(fence: str, line: str) -> str:
    """Return the fence that is open after a line, or ""."""
    bare = line.lstrip() if fence else item_text(line)
    if fence:
        return "" if bare.startswith(fence) and not bare.strip(fence[0] + " \t\r") else fence
    if not bare.startswith(FENCES):
        return ""
    return bare[: len(bare) - len(bare.lstrip(bare[0]))]
