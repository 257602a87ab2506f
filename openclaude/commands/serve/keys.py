"""The file of people's keys: a name and a digest a line, never a key.

Knows: how a key is made and added. Independent of: who reads the file.
"""

from __future__ import annotations

import re
from pathlib import Path

from openclaude.contracts.worker import read_people
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.files import FolderUnusable, locked, make_folder, write_private
from openclaude.run.stack.local_key import digest_of, new_key

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{0,99}")


class KeysUnusable(OpenclaudeError):
    """A file of people's keys that cannot be read or written."""

    code = "keys-unusable"


def add_person(path: Path, name: str) -> str:
    """Make a key for a person, write its digest into the file, return it.

    Raises UsageError, KeysUnusable.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            "a person's name is letters, digits and `@._-`, at most 100",
            hint="for example `--new-key ann@example.com`",
        )
    try:
        make_folder(path.parent)
        with locked(path.with_name(f".{path.name}.lock")):
            people = known_people(path) if path.exists() else {}
            if name in people.values():
                raise UsageError(
                    f"`{name}` has a key in `{path}`",
                    hint="remove that line first: the key then counts no more",
                )
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            key = new_key()
            gap = "" if not before or before.endswith("\n") else "\n"
            write_private(path, f"{before}{gap}{name} {digest_of(key)}\n")
    except (OSError, FolderUnusable) as error:
        raise unusable_keys(path, error) from error
    return key


def known_people(path: Path) -> dict[str, str]:
    """The names in the file, by digest. Raises KeysUnusable."""
    try:
        return read_people(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unusable_keys(path, error) from error


def unusable_keys(path: Path, error: Exception) -> KeysUnusable:
    """The error for a file that cannot be used."""
    why = error.strerror if isinstance(error, OSError) else str(error)
    return KeysUnusable(
        f"`{path}` cannot be used as a file of keys: {why or error}",
        hint="make one with `openclaude serve --new-key NAME --keys FILE`",
    )
