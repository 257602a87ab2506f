"""Export: a self-contained profile as one text, with the origin of each value.

Knows: how a loaded profile is written. Independent of: files, environment variables. A profile
contains references to secrets, never secrets, so nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from openclaude.profile.read.loaded import Loaded
from openclaude.profile.read.merge import HEADING, MODEL, TIERS
from openclaude.profile.read.provenance import leaves_of
from openclaude.profile.toml.render import key_text, value_text

Table = tuple[str, ...]


class ExportedValue(NamedTuple):
    """One value set by a file."""

    table: Table  # the table it is written under
    rest: Table
    value: object
    source: str  # the profile that says it, "" for the exported one itself


def export_text(loaded: Loaded) -> str:
    """The whole profile as one file."""
    said = list(find_said(loaded))
    names = ", ".join(f"`{source.name}`" for source in loaded.sources)
    lines = [
        f"# Profile `{loaded.name}`, combined from {names}.",
        "# It needs no other profile and contains no secrets, only references to them.",
        "schema = 1",
    ]
    if loaded.profile.description:
        lines.append(f"description = {value_text(loaded.profile.description)}")
    for table in dict.fromkeys(one.table for one in said):
        lines += ["", f"[{key_text(table)}]"]
        lines += [written(one) for one in said if one.table == table]
    return "\n".join(lines) + "\n"


def written(said: ExportedValue) -> str:
    """One value as a line."""
    origin = f"  # from `{said.source}`" if said.source else ""
    return f"{key_text(said.rest)} = {value_text(said.value)}{origin}"


def find_said(loaded: Loaded) -> Iterator[ExportedValue]:
    """Every value set by a file, grouped by table; tiers in short form first."""
    names = {source.path: source.name for source in loaded.sources[1:]}
    found = []
    for key, value in leaves_of(loaded.profile.model_dump(by_alias=True)):
        path = loaded.provenance[".".join(key)].path
        if key[0] not in HEADING and path is not None:
            found.append((key, value, names.get(path, "")))
    long = {key[:2] for key, _, _ in found if key[0] == TIERS and key[2:] != (MODEL,)}
    for is_long in (False, True):
        for key, value, source in found:
            if key[0] == TIERS and (key[:2] in long) == is_long:
                length = 2 if is_long else 1
                rest = key[2:] if is_long else key[1:2]
                yield ExportedValue(key[:length], rest, value, source)
    for key, value, source in found:
        if key[0] != TIERS:
            yield ExportedValue(key[:1], key[1:], value, source)
