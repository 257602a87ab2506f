"""Merging: a profile and its parents become one, and every value remembers its file and line.

Knows: how a child's keys replace a parent's. Independent of: which keys exist, where files are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openclaude.diagnostics import Key
from openclaude.profile.read.document import Document

# What a file says of itself; a child does not inherit it.
HEADING = ("schema", "description", "extends")
TIERS = "tiers"
MODEL = "model"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a profile that is not a table, and where it is from."""

    value: Any
    document: Document | None  # None: an environment variable
    line: int = 0
    variable: str = ""


Leaves = dict[Key, Leaf]


def flatten(document: Document) -> Leaves:
    """The values of a file by their dotted keys; a tier's short form becomes the long one."""
    return {
        widen(key, value): Leaf(value=value, document=document, line=document.line_of(key))
        for key, value in walk(document.values)
    }


def walk(values: Mapping[str, Any], before: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every value that is not a table, and every empty table."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from walk(value, (*before, name))
        else:
            yield (*before, name), value


def widen(key: Key, value: object) -> Key:
    """`tiers.haiku = "..."` is `tiers.haiku.model = "..."`"""
    is_short = len(key) == 2 and key[0] == TIERS and isinstance(value, str)
    return (*key, MODEL) if is_short else key


def merge(chain: Iterable[Leaves]) -> Leaves:
    """One set of values from the child's, the parent's, the grandparent's and so on."""
    first, *parents = chain
    merged: Leaves = {}
    for parent in reversed(parents):
        replace(merged, {key: leaf for key, leaf in parent.items() if key[0] not in HEADING})
    replace(merged, first)
    return merged


def replace(merged: Leaves, child: Leaves) -> None:
    """Put the child's values over the merged ones, key by key.

    A tier is one exception: its other keys describe the parent's model, so a child that names
    another model starts that tier afresh.
    """
    for key, leaf in child.items():
        if key[0] == TIERS and key[2:] == (MODEL,) and changes(merged.get(key), leaf):
            drop(merged, key[:2])
    for key, leaf in child.items():
        if not (leaf.value == {} and any(starts(other, key) for other in merged)):
            drop(merged, key)
            merged[key] = leaf


def changes(before: Leaf | None, after: Leaf) -> bool:
    """Whether a tier that had a model gets another."""
    return before is not None and before.value != after.value


def drop(merged: Leaves, key: Key) -> None:
    """Forget what is under `key` and what `key` is under."""
    for other in [other for other in merged if starts(other, key) or starts(key, other)]:
        del merged[other]


def starts(key: Key, prefix: Key) -> bool:
    """Whether `key` is `prefix` or under it."""
    return key[: len(prefix)] == prefix


def nest(leaves: Leaves) -> dict[str, Any]:
    """The merged values as tables in tables, as the schema reads them."""
    root: dict[str, Any] = {}
    for key, leaf in leaves.items():
        *tables, last = (str(part) for part in key)
        inner = root
        for name in tables:
            inner = inner.setdefault(name, {})
        inner[last] = leaf.value
    return root


def is_written(leaves: Leaves, key: Key) -> bool:
    """Whether a file has a value at, under or above `key`."""
    return any(starts(other, key) or starts(key, other) for other in leaves)


def place_of(leaves: Leaves, key: Key) -> tuple[Document, int] | None:
    """The file and line to fix for `key`: its own, else those of the nearest table around it."""
    for length in range(len(key), 0, -1):
        for other, leaf in leaves.items():
            if leaf.document and starts(other, key[:length]):
                return leaf.document, leaf.document.line_of(key)
    return None
