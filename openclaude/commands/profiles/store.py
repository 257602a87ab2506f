"""The store of profile files: read and written atomically, by one writer at a time.

Knows: which file a name means, locks, links. Independent of: the content of the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from openclaude.errors import UsageError
from openclaude.files import FolderUnusable, locked, private_folder, write_private
from openclaude.paths import Places
from openclaude.profile.names import check_name, shorten

if TYPE_CHECKING:
    from openclaude.profile.library import Library

LOCK = ".lock"
MARK = "\ufeff"  # a byte order mark: nothing needs it, and it stays if the file has one


class ShippedProfile(UsageError):
    """A built-in profile, which cannot be renamed or removed."""

    code = "profile-shipped"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"`{name}` is a built-in profile and cannot be {what}",
            hint=f"copy it first: `openclaude profiles copy {name} NAME`",
        )


class ProfileExists(UsageError):
    """A name that is taken."""

    code = "profile-exists"

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(
            f"a profile named `{name}` already exists: {path}",
            hint=f"choose another name, or edit that one: `openclaude profiles edit {name}`",
        )


class NotText(UsageError):
    """An argument with bytes that are not UTF-8, which no TOML file can hold."""

    code = "not-text"

    def __init__(self, text: str) -> None:
        super().__init__(f"`{shorten(text)}` is not UTF-8", hint="give it as UTF-8")


class Kept(NamedTuple):
    """A profile's file as it was read."""

    name: str
    path: Path
    is_shipped: bool
    content: bytes

    @property
    def text(self) -> str:
        """Its text, without a byte order mark."""
        from openclaude.profile.read.document import decode_text

        return decode_text(self.path, self.content)

    def same_mark(self, text: str) -> str:
        """`text` with a byte order mark if the file had one."""
        return MARK + text if self.content.startswith(MARK.encode()) else text


def user_path(places: Places, name: str) -> Path:
    """The path of the user's profile of that name, which may not exist."""
    return places.profiles / f"{check_name(name)}.toml"


def find_file(places: Places, library: Library, name: str) -> tuple[Path, bool]:
    """The file of a name, unread, and whether it is built in.

    Raises UnknownProfile.

    """
    from openclaude.profile.names import UnknownProfile

    own = user_path(places, name)
    for path, is_shipped in ((own, False), (places.shipped / own.name, True)):
        if path.is_symlink() or path.exists():
            return path, is_shipped
    raise UnknownProfile(name, library.names())


def find_kept(places: Places, library: Library, name: str) -> Kept:
    """The file of a name, read: the user's, else the built-in one. Raises UnknownProfile."""
    from openclaude.profile.names import UnknownProfile
    from openclaude.profile.read.document import read_bytes

    path, is_shipped = find_file(places, library, name)
    content = read_bytes(path)
    if content is None:  # gone since
        raise UnknownProfile(name, library.names())
    return Kept(name=name, path=path, is_shipped=is_shipped, content=content)


def find_own(places: Places, library: Library, name: str, *, what: str) -> Path:
    """The user's file of that name. Raises ShippedProfile for a built-in one."""
    path, is_shipped = find_file(places, library, name)
    if is_shipped:
        raise ShippedProfile(name, what)
    return path


def check_free(places: Places, name: str) -> Path:
    """The path for a new profile of that name. Raises ProfileExists, also for a built-in one."""
    path = user_path(places, name)
    for taken in (path, places.shipped / path.name):
        if taken.is_symlink() or taken.exists():
            raise ProfileExists(name, taken)
    return path


@contextmanager
def writing(places: Places) -> Iterator[None]:
    """Hold the lock for changes to profiles; callers must read again inside."""
    private_folder(places.config)
    with locked(private_folder(places.profiles) / LOCK):
        yield


def save(path: Path, text: str) -> None:
    """Replace a profile's file; a link stays one, and the file it leads to is replaced."""
    write_private(path.resolve() if path.is_symlink() else path, text)


def remove_file(path: Path) -> None:
    """Remove a profile's file; of a link, the link. Raises FolderUnusable."""
    try:
        path.unlink()
    except OSError as error:
        raise FolderUnusable(
            f"cannot remove `{path}`: {(error.strerror or '').lower()}",
            hint="make the directory writable, then try again; nothing was changed",
        ) from error


def encoded(text: str) -> bytes:
    """The bytes of a text from the command line. Raises NotText."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotText(text) from None
