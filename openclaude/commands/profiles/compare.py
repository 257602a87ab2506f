"""`openclaude profiles diff` and `path`: two profiles side by side, and where one is.

Knows: how differences look. Independent of: the rules of a profile.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from openclaude.commands.profiles.show import flat, map_values, origin_text
from openclaude.commands.profiles.store import find_file
from openclaude.commands.profiles.validate import load
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.terminal.screen import find_screen
from openclaude.terminal.tables import table

if TYPE_CHECKING:
    from openclaude.profile.library import Library
    from openclaude.profile.read.loaded import Loaded

# What a file says of itself makes no difference to claude.
HEADING = ("schema", "description", "extends")
NOTHING: tuple[object, ...] = (None, "", [], {})


def diff_profiles(library: Library, names: tuple[str, str], env: Mapping[str, str]) -> Result:
    """The values that differ; exit status 1 when there are any."""
    sides = [load(library, name, env) for name in names]
    found = [values_of(library, loaded) for loaded in sides]
    keys = [key for key in dict.fromkeys((*found[0], *found[1])) if differ(found, key)]
    differences = [
        {"key": key} | {side: found[at].get(key) for at, side in enumerate(("a", "b"))}
        for key in keys
    ]
    rows = [(key, *(cell for side in found for cell in cells(side.get(key)))) for key in keys]
    header = ("KEY", names[0], "FROM", names[1], "FROM")
    return Result(
        text=table(header, rows, find_screen(sys.stdout, env))
        if rows
        else f"`{names[0]}` and `{names[1]}` are the same\n",
        data={"a": names[0], "b": names[1], "differences": differences},
        exit_code=1 if rows else 0,
    )


def values_of(library: Library, loaded: Loaded) -> dict[str, dict[str, object]]:
    """Every effective value, with its origin."""
    known = map_values(library, loaded)
    values = dict(flat(loaded.profile.model_dump(mode="json", by_alias=True))) | dict(known)
    return {
        key: {"value": value, "from": origin_text(loaded, key, known)}
        for key, value in values.items()
        if key not in HEADING and value not in NOTHING
    }


def differ(found: list[dict[str, dict[str, object]]], key: str) -> bool:
    """Whether a key differs between the two."""
    values = [side.get(key, {}).get("value") for side in found]
    return values[0] != values[1]


def cells(given: Mapping[str, object] | None) -> tuple[str, str]:
    """A value and its origin, if it is set."""
    if given is None:
        return "-", "-"
    return json.dumps(given["value"], ensure_ascii=False), str(given["from"])


def find_path(places: Places, library: Library, name: str | None) -> Result:
    """The path of a profile's file; without a name, of the folder of the user's own."""
    if name is None:
        return Result(text=f"{places.profiles}\n", data={"path": str(places.profiles)})
    path, is_shipped = find_file(places, library, name)
    where = "shipped" if is_shipped else "user"
    return Result(text=f"{path}\n", data={"name": name, "path": str(path), "from": where})
