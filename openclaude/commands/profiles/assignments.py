"""The words after `profiles set` and `unset`: a profile's name and keys, in each form that works.

Knows: `NAME KEY=VALUE ...`, and the older `KEY VALUE`. Independent of: what a key is worth. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from openclaude.errors import UsageError

ASSIGNMENT = re.compile(r"([^=\s]+)=(.*)", re.DOTALL)
EXAMPLE = "for example `openclaude profiles set NAME tiers.haiku=MODEL aws.region=REGION`"
QUOTES = "put a text with blanks in quotes, or `openclaude profiles set NAME KEY=VALUE`"

Assignments = list[tuple[str, str]]


def read_set(words: Sequence[str], keys: Collection[str]) -> tuple[str | None, Assignments]:
    """The profile, if one is named, and each key with the text of its value. Raises UsageError.

    `keys` are those at a profile's top: a first word that begins with one is a key, not a name.
    """
    if len(words) == 2 and is_older_form(words[0], words[1], keys):
        return None, [(words[0], words[1])]
    name = None if ASSIGNMENT.fullmatch(words[0]) else words[0]
    rest = words if name is None else words[1:]
    if name is None and not (ASSIGNMENT.fullmatch(rest[-1]) or starts_with_key(rest[-1], keys)):
        # as `switch` takes it; but after a text of one's own it is rather a word without its quotes
        if rest[-2].startswith("description="):
            raise UsageError(f"`{rest[-1]}` is not KEY=VALUE", hint=QUOTES)
        name, rest = rest[-1], rest[:-1]
    found = [(word, ASSIGNMENT.fullmatch(word)) for word in rest]
    for word, match in found:
        if match is None:
            raise UsageError(f"`{word}` is not KEY=VALUE", hint=EXAMPLE)
    if not found:
        raise UsageError("no key is named", hint=EXAMPLE)
    return name, [(match[1], match[2]) for _, match in found if match]


def read_unset(words: Sequence[str], keys: Collection[str]) -> tuple[str | None, list[str]]:
    """The profile, if one is named, and the keys."""
    if len(words) == 1 or starts_with_key(words[0], keys):
        return None, list(words)
    return words[0], list(words[1:])


def is_older_form(first: str, second: str, keys: Collection[str]) -> bool:
    """Whether two words are KEY VALUE."""
    is_new = bool(ASSIGNMENT.fullmatch(first) or ASSIGNMENT.fullmatch(second))
    return starts_with_key(first, keys) or not (is_new or starts_with_key(second, keys))


def starts_with_key(word: str, keys: Collection[str]) -> bool:
    """Whether a word could be a key of a profile, or one that was meant to be."""
    root, dot, _ = word.partition(".")
    return "=" not in word and (root in keys or bool(dot))


def one_profile(named: str | None, option: str | None) -> str | None:
    """The profile named by itself or with `--profile`. Raises UsageError for two."""
    if named and option not in (None, named):
        raise UsageError(f"two profiles are named: `{named}` and `{option}`", hint=EXAMPLE)
    return named or option
