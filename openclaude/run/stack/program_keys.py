"""Keys of other programs that use a stack: each has its own, which can be revoked.

Knows: the file, which holds digests and no key. Independent of: who checks a key (`gateway/http`),
which programs there are.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import NamedTuple

from openclaude.files import write_private
from openclaude.run.stack.local_key import digest_of, new_key

FILE = "programs.json"
LONGEST_NAME = 60
MOST = 100  # programs of one stack


class KeyHolder(NamedTuple):
    """A program that has a key."""

    name: str
    digest: str  # of its key: SHA-256, hexadecimal
    made: float  # Unix time, seconds


def programs_file(folder: Path) -> Path:
    """The file in a stack's folder."""
    return folder / FILE


def programs_with_keys(folder: Path) -> tuple[KeyHolder, ...]:
    """Who has a key; nobody, where the file cannot be read."""
    try:
        rows = json.loads(programs_file(folder).read_text(encoding="utf-8"))
        return tuple(KeyHolder(str(name), str(digest), float(made)) for name, digest, made in rows)
    except (OSError, ValueError, TypeError, RecursionError):
        return ()


def give_key(folder: Path, name: str) -> str:
    """A new key for a program, which replaces the one it had. Raises FolderUnusable."""
    key = new_key()
    others = [one for one in programs_with_keys(folder) if one.name != name]
    write(folder, [*others, KeyHolder(name, digest_of(key), time.time())][-MOST:])
    return key


def revoke_key(folder: Path, name: str) -> bool:
    """End a program's key; whether it had one. Raises FolderUnusable."""
    before = programs_with_keys(folder)
    left = [one for one in before if one.name != name]
    if len(left) < len(before):
        write(folder, left)
    return len(left) < len(before)


def revoke_all(folder: Path) -> None:
    """End every program's key. Raises OSError."""
    programs_file(folder).unlink(missing_ok=True)


def write(folder: Path, programs: list[KeyHolder]) -> None:
    """Replace the file at once. Raises FolderUnusable."""
    write_private(programs_file(folder), json.dumps([list(one) for one in programs]) + "\n")
