"""The shelf: profile files, read and written whole, by one writer at a time.

Knows: which file a name means, locks, links. Refuses to know: what the files say.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from openclaude.errors import UsageError
from openclaude.places import Places
from openclaude.profile.names import check_name, shorten
from openclaude.run.files import FolderUnusable, locked, private_folder, write_private

if TYPE_CHECKING:
    from openclaude.profile.library import Library

LOCK = ".lock"
MARK = "\ufeff"  # a byte order mark: nothing needs it, and it stays where somebody has it


class ShippedProfile(UsageError):
    """A profile that came with openclaude, and is not the user's to rename or remove."""

    code = "profile-shipped"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"`{name}` came with openclaude and cannot be {what}",
            hint=f"a profile of your own can: `openclaude profiles copy {name} NAME`",
        )


class ProfileExists(UsageError):
    """A name that is taken."""

    code = "profile-exists"

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(
            f"there is a profile named `{name}` already: {path}",
            hint=f"give another name, or change that one: `openclaude profiles edit {name}`",
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
        """What it says, without a byte order mark."""
        from openclaude.profile.document import decode

        return decode(self.path, self.content)

    def same_mark(self, text: str) -> str:
        """`text` with a byte order mark if the file had one."""
        return MARK + text if self.content.startswith(MARK.encode()) else text


def user_path(places: Places, name: str) -> Path:
    """Where the user's profile of that name is, or would be."""
    return places.profiles / f"{check_name(name)}.toml"


def find_file(places: Places, library: Library, name: str) -> tuple[Path, bool]:
    """The file that a name means, whatever is in it, and whether it is the shipped one.

    Raises UnknownProfile.
    """
    from openclaude.profile.names import UnknownProfile

    own = user_path(places, name)
    for path, is_shipped in ((own, False), (places.shipped / own.name, True)):
        if path.is_symlink() or path.exists():
            return path, is_shipped
    raise UnknownProfile(name, library.names())


def find_kept(places: Places, library: Library, name: str) -> Kept:
    """The file that a name means: the user's, else the shipped one, read."""
    from openclaude.profile.document import read_bytes
    from openclaude.profile.names import UnknownProfile

    path, is_shipped = find_file(places, library, name)
    content = read_bytes(path)
    if content is None:  # gone since
        raise UnknownProfile(name, library.names())
    return Kept(name, path, is_shipped, content)


def find_own(places: Places, library: Library, name: str, *, what: str) -> Path:
    """The user's file of that name. Raises ShippedProfile where it is not the user's."""
    path, is_shipped = find_file(places, library, name)
    if is_shipped:
        raise ShippedProfile(name, what)
    return path


def check_free(places: Places, name: str) -> Path:
    """Where a new profile of that name goes. Raises ProfileExists, also for a shipped one."""
    path = user_path(places, name)
    for taken in (path, places.shipped / path.name):
        if taken.is_symlink() or taken.exists():
            raise ProfileExists(name, taken)
    return path


@contextmanager
def writing(places: Places) -> Iterator[None]:
    """Be the only one who changes profiles; whoever comes in looks again at what is there."""
    private_folder(places.config)
    with locked(private_folder(places.profiles) / LOCK):
        yield


def save(path: Path, text: str) -> None:
    """Replace a profile's file; a link stays one, and the file it leads to is replaced."""
    write_private(path.resolve() if path.is_symlink() else path, text)


def remove_file(path: Path) -> None:
    """Take a profile's file away; of a link, the link."""
    try:
        path.unlink()
    except OSError as error:
        raise FolderUnusable(
            f"cannot remove `{path}`: {(error.strerror or '').lower()}",
            hint="make the folder writable, then try again; nothing was changed",
        ) from error


def encoded(text: str) -> bytes:
    """The bytes of a text from the command line. Raises NotText."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotText(text) from None
