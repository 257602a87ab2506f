"""By how much a prompt is too long, from the numbers that a provider says.

Knows: which of two numbers is which. Independent of: the words around them. Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BYTES_A_TOKEN = 4
LEAST = 1000  # no window is smaller; a status of HTTP is
ANY_NUMBER = re.compile(r"(?<![\d.])\d[\d,]{2,12}+(?![\d.]\d)")


class Overflow(NamedTuple):
    """By how much a prompt is too long; 0 for an unknown number."""

    tokens: int = 0
    window: int = 0
    over: int = 0


def numbers_in(text: str) -> Overflow:
    """Return the numbers in a message about an overflow, if there are just two."""
    found = {int(number.replace(",", "")) for number in ANY_NUMBER.findall(text)}
    if len(found) != 2 or min(found) < LEAST:
        return Overflow()
    return Overflow(max(found), min(found))


def measured(said: dict[str, str | None]) -> Overflow:
    """Return the numbers that a pattern matched."""
    number = {name: int((value or "0").replace(",", "")) for name, value in said.items()}
    if "size" in number:
        return Overflow(number["size"] // BYTES_A_TOKEN, number["limit"] // BYTES_A_TOKEN)
    tokens = number.get("tokens", 0) + number.get("answer", 0)
    return Overflow(tokens, number.get("window", 0), number.get("over", 0))
