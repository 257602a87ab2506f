"""The file of people's keys: a name, a digest and limits a line, never a key.

Knows: how a key is made, how the file is changed. Independent of: who reads it. One that a server
reads at that moment is the old one or the new one, never half of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from openclaude.contracts.team.people import Limits, Person, line_of, read_people
from openclaude.errors import OpenclaudeError, UsageError, nearest
from openclaude.files import NEW, FolderUnusable, make_folder, take_lock
from openclaude.run.stack.local_key import digest_of, new_key

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{0,99}")
NOBODY = Limits()


class KeysUnusable(OpenclaudeError):
    """A file of people's keys that cannot be read or written."""

    code = "keys-unusable"


class PersonUnknown(OpenclaudeError):
    """Nobody of this name has a key."""

    code = "person-unknown"


def add_person(path: Path, name: str, limits: Limits = NOBODY) -> str:
    """Make a key for a person, write its digest into the file, return it.

    Raises UsageError, KeysUnusable.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            "a person's name is letters, digits and `@._-`, at most 100",
            hint="for example `openclaude team add ann@example.com --keys FILE`",
        )
    with held(path, make=True) as descriptor:
        before = read_all(descriptor)
        person, keys = name, quoted(path)
        if any(one.name == name for one in read_people(before).values()):
            raise UsageError(
                f"`{name}` has a key in `{path}`",
                hint=f"remove it with `openclaude team revoke {person} --keys {keys}`: that key "
                "then counts no more",
            )
        key = new_key()
        gap = "\n" if before and not before.endswith("\n") else ""
        line = line_of(digest_of(key), Person(name, limits))
        # added to, not replaced: whose it is, who may read it and what links to it stay
        append(descriptor, f"{gap}{line}\n".encode(), len(before.encode()))
    return key


def remove_person(path: Path, name: str) -> int:
    """Remove the lines of a person; how many keys that were. Raises KeysUnusable, PersonUnknown."""
    removed = 0

    def kept(line: str, person: Person) -> str:
        nonlocal removed
        removed += person.name == name
        return "" if person.name == name else line

    change(path, name, kept)
    return removed


def limit_person(path: Path, name: str, limit: Callable[[Limits], Limits]) -> Limits:
    """Give a person other limits; return them. Raises KeysUnusable, PersonUnknown."""
    now = NOBODY

    def limited(line: str, person: Person) -> str:
        nonlocal now
        if person.name != name:
            return line
        now = limit(person.limits)
        digest = line.split()[1]
        return line_of(digest, person._replace(limits=now)) + "\n"

    change(path, name, limited)
    return now


def change(path: Path, name: str, edit: Callable[[str, Person], str]) -> None:
    """Replace the file by one whose lines are edited; remarks stay where they are.

    Raises KeysUnusable, PersonUnknown.
    """
    with held(path) as descriptor:
        before = read_all(descriptor)
        people = read_people(before)
        names = {one.name for one in people.values()}
        if name not in names:
            near, keys = nearest(name, names), quoted(path)
            raise PersonUnknown(
                f"`{name}` has no key in `{path}`",
                hint=f"did you mean `{near}`?"
                if near
                else f"see `openclaude team list --keys {keys}`",
            )
        lines = []
        for line in before.splitlines(keepends=True):
            words = line.split()
            person = people.get(words[1]) if len(words) > 1 and words[0][0] != "#" else None
            lines.append(edit(line, person) if person else line)
        replace(path, descriptor, "".join(lines))


@contextlib.contextmanager
def held(path: Path, *, make: bool = False) -> Iterator[int]:
    """The file, locked, and open to read and to add to. Raises KeysUnusable.

    Whoever replaces it has locked the one before: it is looked at again under the lock.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT if make else 0)
    try:
        if make:
            make_folder(path.parent)
        while True:
            descriptor = os.open(path, flags, 0o600)
            try:
                take_lock(descriptor, path)
                if is_at(descriptor, path):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)
    except (OSError, ValueError, FolderUnusable) as error:
        raise unusable_keys(path, error) from error


def is_at(descriptor: int, path: Path) -> bool:
    """Whether this file is still the one at the path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def read_all(descriptor: int) -> str:
    """What a file says. Raises OSError, ValueError."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return file.read().decode()


def append(descriptor: int, line: bytes, size: int) -> None:
    """Write a line at the end of a file of that size, or nothing of it. Raises OSError."""
    if os.write(descriptor, line) != len(line):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def replace(path: Path, descriptor: int, text: str) -> None:
    """Put another file in place of this one: of the same owner and mode, where a link leads.

    Raises OSError.
    """
    found = os.fstat(descriptor)
    place = path.resolve()
    temporary = place.with_name(f".{place.name}.{os.urandom(8).hex()}.tmp")
    try:
        with os.fdopen(os.open(temporary, NEW, 0o600), "wb") as file:
            made = os.fstat(file.fileno())
            if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
                os.fchown(file.fileno(), found.st_uid, found.st_gid)
            os.fchmod(file.fileno(), found.st_mode & 0o777)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())  # a key that was revoked stays so after a power failure
        temporary.replace(place)
        sync_folder(place.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Have the disk know which file has a name. Raises OSError.

    A file system that cannot do it for folders says EINVAL, and then there is nothing to wait for.
    Nor is there a way for who may change a folder and not list it: the file is in place all the
    same.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def known_people(path: Path) -> dict[str, Person]:
    """The people in the file, by digest. Raises KeysUnusable."""
    try:
        return read_people(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unusable_keys(path, error) from error


def unusable_keys(path: Path, error: Exception) -> KeysUnusable:
    """The error for a file that cannot be used."""
    why = error.strerror if isinstance(error, OSError) else str(error)
    keys = quoted(path)
    hint = f"make one with `openclaude team add NAME --keys {keys}`"
    if isinstance(error, PermissionError) and (owner := owner_of(path)):
        hint = f"run it as the user that owns the file and its folder, {owner}"
    return KeysUnusable(f"`{path}` cannot be used as a file of keys: {why or error}", hint=hint)


def quoted(path: Path) -> str:
    """A path as a shell reads it."""
    from shlex import quote

    return quote(str(path))


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
