"""Text of others, made harmless for a terminal.

Knows: which characters a terminal would obey. Independent of: whose text it is, where it is shown.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with every character that a terminal would obey written as an escape."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)
