"""The file of people's keys: a name and a digest a line, never a key.

Knows: how a key is made and added. Independent of: who reads the file.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from openclaude.contracts.worker import read_people
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.files import FolderUnusable, make_folder, take_lock
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
        # added to, not replaced: whose it is, who may read it and what links to it stay
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "rb") as file:
            take_lock(descriptor, path)
            before = file.read()
            if name in read_people(before.decode()).values():
                raise UsageError(
                    f"`{name}` has a key in `{path}`",
                    hint="remove that line first: the key then counts no more",
                )
            key = new_key()
            gap = "\n" if before and not before.endswith(b"\n") else ""
            append(descriptor, f"{gap}{name} {digest_of(key)}\n".encode(), len(before))
    except (OSError, ValueError, FolderUnusable) as error:
        raise unusable_keys(path, error) from error
    return key


def append(descriptor: int, line: bytes, size: int) -> None:
    """Write a line at the end of a file of that size, or nothing of it. Raises OSError."""
    if os.write(descriptor, line) != len(line):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def known_people(path: Path) -> dict[str, str]:
    """The names in the file, by digest. Raises KeysUnusable."""
    try:
        return read_people(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unusable_keys(path, error) from error


def unusable_keys(path: Path, error: Exception) -> KeysUnusable:
    """The error for a file that cannot be used."""
    why = error.strerror if isinstance(error, OSError) else str(error)
    hint = "make one with `openclaude serve --new-key NAME --keys FILE`"
    if isinstance(error, PermissionError) and (owner := owner_of(path)):
        hint = f"run it as the user that owns the file, {owner}"
    return KeysUnusable(f"`{path}` cannot be used as a file of keys: {why or error}", hint=hint)


def owner_of(path: Path) -> str:
    """The user that a file belongs to, for `sudo -u`; "" where it cannot be seen."""
    import pwd

    try:
        number = path.stat().st_uid
    except OSError:
        return ""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"'#{number}'"
