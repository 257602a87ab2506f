"""The nearest model: what a name that is not in the catalogue was probably meant to be.

Knows: how people shorten and mistype ids. Independent of: what a model can do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

COUNT = 3
SIMILAR = 0.6
SIMILAR_WORD = 0.75


def find_nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three of `known`, the likeliest first."""
    names = sorted(known, key=lambda one: (len(one), one))
    return tuple(dict.fromkeys(candidates(name.lower(), names)))[:COUNT] if tokens_of(name) else ()


def candidates(asked: str, names: list[str]) -> Iterator[str]:
    """The likeliest first: what holds the text, what holds its words, what looks like it."""
    yield from (one for one in names if asked in one.lower())
    asked_words = tokens_of(asked)
    yield from (one for one in names if all(word in one.lower() for word in asked_words))

    import difflib  # here, because most commands do not use it

    vocabulary = sorted({word for one in names for word in tokens_of(one)})
    spellings = [
        {word, *difflib.get_close_matches(word, vocabulary, COUNT, SIMILAR_WORD)}
        for word in asked_words
    ]
    meant = [one for one in names if all(ways & set(tokens_of(one)) for ways in spellings)]
    yield from difflib.get_close_matches(asked, meant, COUNT, 0)
    yield from difflib.get_close_matches(asked, names, COUNT, SIMILAR)


def tokens_of(name: str) -> list[str]:
    """The letters and digits of an id, word by word."""
    return re.findall(r"[a-z0-9]+", name.lower())
