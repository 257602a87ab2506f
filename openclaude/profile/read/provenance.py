"""Provenance: where each value of a profile comes from.

Knows: files and lines, variables, defaults. Independent of: which value wins, which `merge` knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from openclaude.profile.read.document import Document
from openclaude.profile.read.merge import Leaves
from openclaude.profile.schema import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value comes from."""

    kind: Literal["profile", "parent", "environment", "default"]
    path: Path | None = None
    line: int = 0
    variable: str = ""

    def __str__(self) -> str:
        if self.path is not None:
            return f"{self.path}:{self.line}"
        return self.variable or self.kind

    def as_data(self) -> dict[str, object]:
        """The origin as JSON."""
        return {
            "kind": self.kind,
            "path": str(self.path) if self.path else None,
            "line": self.line or None,
            "variable": self.variable or None,
        }


def trace(profile: Profile, merged: Leaves, first: Document) -> dict[str, Origin]:
    """Where each value of a profile comes from, by its dotted key."""
    origins: dict[str, Origin] = {}
    for key, _ in leaves_of(profile.model_dump(by_alias=True)):
        origins[".".join(key)] = origin_of(merged, key, first)
    return origins


def origin_of(merged: Leaves, key: tuple[str, ...], first: Document) -> Origin:
    """Where one value comes from."""
    leaf = merged.get(key)
    if leaf is None:
        return Origin(kind="default")
    if leaf.document is None:
        return Origin(kind="environment", variable=leaf.variable)
    kind: Literal["profile", "parent"] = "profile" if leaf.document is first else "parent"
    return Origin(kind=kind, path=leaf.document.path, line=leaf.line)


def leaves_of(
    values: Mapping[str, object], before: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value of nested tables, with its key."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves_of(value, (*before, name))
        else:
            yield (*before, name), value
