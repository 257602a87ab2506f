"""A call as a model wrote it.

Knows: what every form of a call has. Independent of: how it was written. Pure.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple


class Written(NamedTuple):
    """A call as it was written; `input` is a value or a JSON text."""

    name: str
    input: Any


def without_ending(token: re.Pattern[str], text: str) -> str:
    """Return a text without the tokens and blanks at its end, in time linear to its length."""
    end = len(text.rstrip())
    while (at := text.rfind("<", 0, end)) >= 0 and token.fullmatch(text, at, end):
        while at and text[at - 1].isspace():
            at -= 1
        end = at
    return text[:end]
