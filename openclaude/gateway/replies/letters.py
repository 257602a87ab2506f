"""Letters that arrived in halves: a JSON text may escape one as two surrogates, in two events.

Knows: UTF-16's surrogates. Independent of: what a text is part of. Pure.

Servers that send token by token write half of an emoji as `\\ud83d` and the other half in the next
event. Anthropic refuses a conversation with half a letter, in every later turn.
"""

from __future__ import annotations

import re

HALVES = re.compile("[\ud800-\udfff]")
ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
FIRST_HALF = ("\ud800", "\udbff")


def may_be_halved(text: str) -> bool:
    """Tell whether a JSON text may have half a letter, escaped or as it is."""
    return bool(ESCAPED.search(text) or HALVES.search(text))


def whole_letters(text: str) -> str:
    """Return a text with the halves of each letter joined, and single ones replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Letters:
    """Joins the halves of letters in the texts of one reply."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Return a text without halves; one at its end waits for the next text."""
        if not self._half and (text.isascii() or not HALVES.search(text)):
            return text
        text = self._half + text
        self._half = ""
        if FIRST_HALF[0] <= text[-1:] <= FIRST_HALF[1]:
            text, self._half = text[:-1], text[-1]
        return whole_letters(text)

    def flush(self) -> str:
        """Return what stands for a half that stayed alone."""
        half, self._half = self._half, ""
        return "\ufffd" if half else ""
