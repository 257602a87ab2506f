"""Check licences: that of each package, as an SPDX expression, and whether all of them are free.

Knows: licences.toml. Independent of: where packages come from.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from contents import Contents, Package


class Licensed(NamedTuple):
    """Something with its licence, as an SPDX expression; empty if unknown."""

    name: str
    version: str
    licence: str


class Rules(NamedTuple):
    """The content of licences.toml."""

    free: frozenset[str]
    said: Mapping[str, str]
    read: Mapping[str, str]
    inside: tuple[Mapping[str, Any], ...]


def read_rules(path: Path) -> Rules:
    """The rules of that file."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return Rules(frozenset(table["free"]), table["said"], table["read"], tuple(table["inside"]))


def licence_of(package: Package, rules: Rules) -> str:
    """The SPDX expression of one package."""
    return rules.read.get(package.name) or rules.said.get(package.says, package.says)


def inventory(contents: Contents, rules: Rules) -> tuple[Licensed, ...]:
    """Every package, and every library inside one."""
    packages = [
        Licensed(package.name, package.version, licence_of(package, rules))
        for package in contents.packages
    ]
    libraries = [
        Licensed(f"{library['name']} (inside {library['package']})", "", library["licence"])
        for library in rules.inside
        if any(fnmatchcase(name, library["files"]) for name in contents.files)
    ]
    return (*packages, *libraries)


def not_free(things: Iterable[Licensed], rules: Rules) -> list[Licensed]:
    """Return those with a licence, or a part of one, that is not in the list of free ones."""
    return [thing for thing in things if not is_free(thing.licence, rules.free)]


def is_free(expression: str, free: frozenset[str]) -> bool:
    """Tell whether all of an `AND` and one of an `OR` is free; `WITH` belongs to its licence."""
    words = re.findall(r"\(|\)|[^\s()]+(?: WITH [^\s()]+)?", expression)
    names = {word for word in words if word not in {"AND", "OR", "(", ")"}}
    judged = [
        "True" if word in free else "False" if word in names else word.lower() for word in words
    ]
    try:
        # only True, False, and, or and parentheses are left
        return bool(names) and bool(eval(" ".join(judged), {"__builtins__": {}}))  # noqa: S307
    except SyntaxError:  # text, not an expression
        return False


def show(things: Iterable[Licensed]) -> str:
    """Format the inventory for people."""
    return "".join(f"{f'{name} {version}'.strip():45} {said}\n" for name, version, said in things)
