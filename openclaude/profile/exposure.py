"""Exposure: what in somebody else's profile can send credentials or a login somewhere, or run.

Knows: which keys can. Refuses to know: whether they do: a person decides that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from openclaude.profile.locate import Key, dotted
from openclaude.profile.rendering import value_text

# `*` is any tier
KEYS: Mapping[tuple[str, ...], str] = {
    ("anthropic", "base_url"): "your Claude login is sent to this address",
    ("anthropic", "api_key"): "this key is sent to Anthropic's address",
    ("aws", "profile"): "the credentials of this AWS profile are used",
    ("aws", "endpoint_url"): "requests signed with your AWS credentials are sent to this address",
    ("tiers", "*", "api_base"): "the tier's credential and every prompt are sent to this address",
    ("tiers", "*", "api_key"): "this key is sent to the tier's provider",
    ("tiers", "*", "params"): "LiteLLM is given this as it stands",
}
REFERENCES = {
    "command:": "this program is run on your machine",
    "file:": "this file is read on your machine",
}


class Exposed(NamedTuple):
    """One value to look at before a profile is kept."""

    key: str
    value: str
    why: str


def find_exposed(values: Mapping[str, Any]) -> Iterator[Exposed]:
    """Every such value of a file, in the order of the file."""
    for key, value in walk(values):
        yield from (Exposed(dotted(key), shown(value), why) for why in reasons(key, value))


def walk(value: object, key: Key = ()) -> Iterator[tuple[Key, object]]:
    """Every value, tables and arrays included, with its key."""
    if key:
        yield key, value
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from walk(inner, (*key, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from walk(inner, (*key, position))


def reasons(key: Key, value: object) -> Iterator[str]:
    """Why a value is worth a look."""
    pattern = (key[0], "*", *key[2:]) if key[0] == "tiers" and len(key) > 2 else key
    if pattern in KEYS:
        yield KEYS[tuple(map(str, pattern))]
    if isinstance(value, str):
        for beginning, why in REFERENCES.items():
            if value.strip().lower().startswith(beginning):
                yield why


def shown(value: object) -> str:
    """A value in TOML, without what a terminal would obey."""
    return printable(value_text(value))


def printable(text: str) -> str:
    """`text` with every character that a terminal would obey written as an escape."""
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)
