"""Remove from a tree what removals.toml lists.

Knows: the list, and that it must be correct. Independent of: the reasons, which the list states.
"""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

TOLERANCE = 0.25


class UntrueRemoval(SystemExit):
    """An entry of the list is not true."""


def remove(tree: Path, listed: Path) -> None:
    """Remove what is listed. Fails the build if the list is not true of this tree."""
    removals = tomllib.loads(listed.read_text(encoding="utf-8"))["removed"]
    files = {path.relative_to(tree).as_posix(): path for path in tree.rglob("*") if path.is_file()}
    for removal in removals:
        chosen = [name for name in files if is_chosen(name, removal)]
        kb = sum(files[name].stat().st_size for name in chosen) / 1024
        if abs(kb - removal["kb"]) > TOLERANCE * removal["kb"]:
            what = ", ".join(removal["files"])
            raise UntrueRemoval(f"removals.toml: {what}: {removal['kb']} kb listed, {kb:.0f} found")
        for name in chosen:
            files.pop(name).unlink()


def is_chosen(name: str, removal: dict[str, Any]) -> bool:
    """Tell whether a removal includes this file, and does not keep it."""

    def matches(patterns: list[str]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    return matches(removal["files"]) and not matches(removal.get("keep", []))
