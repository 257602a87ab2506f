"""Our files on disk: private, and never half written.

Knows: modes, atomic replacement, locks. Independent of: the content of the files.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from openclaude.errors import PLACELESS, WAYS_OUT, OpenclaudeError

# longer than the longest thing done under a lock: a stack's stop
LOCK_TIMEOUT_S = 60.0
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# how file systems say that they have no locks, or no sockets: NFS, SMB, 9p, FUSE, vfat
LACKING = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM})
LARGEST = 64 * 1024 * 1024  # bytes of a file of ours; a plan has 20 kB


class FolderUnusable(OpenclaudeError):
    """One of our directories that cannot be created, written or trusted."""

    code = "folder-unusable"


class NoPlace(FolderUnusable):
    """One whose file system lacks what a stack needs: locks, or Unix sockets."""

    code = "folder-unfit"


class NotTrusted(OSError):
    """A file that another user may have written."""

    is_root_elsewhere = False  # whether we are root, among the files of another user
    open_to_others: Path | None = None  # what others may change, if it is ours to close


class LockHeld(OpenclaudeError):
    """Another openclaude holds a lock and does not release it."""

    code = "lock-held"


def private_folder(path: Path) -> Path:
    """`path` as a folder only its owner can enter (0700), made if it is not there.

    Raises FolderUnusable when it cannot be made, or when another user owns it or may change a
    folder above it.
    """
    try:
        if not path.is_dir():
            # looked at before anything is made: root would leave its folders in a user's home
            check_above(nearest_folder(path) / "new")
            make_folder(path)
        found = path.stat()
        if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    except NotTrusted as error:
        raise untrusted(path, error) from error
    except OSError as error:
        raise unusable(path, error) from error
    if found.st_uid != os.geteuid():
        raise FolderUnusable(
            f"the directory `{path}` belongs to another user (uid {found.st_uid})",
            hint=WHOSE_HOME
            if os.geteuid() == 0
            else "openclaude keeps local keys there; choose another place with XDG_STATE_HOME, or "
            + take_over(path),
        )
    try:
        check_above(path)
    except NotTrusted as error:
        raise untrusted(path, error) from error
    except OSError as error:
        raise unusable(path, error) from error
    return path


WHOSE_HOME = (
    "this runs as root, and the home is another user's: run it without `sudo`, or with root's own "
    "home (`sudo -H`)"
)


def nearest_folder(path: Path) -> Path:
    """The closest folder above `path` that is there. Raises OSError."""
    for folder in path.absolute().parents:
        with contextlib.suppress(FileNotFoundError):
            folder.stat()
            return folder
    return Path("/")


def unusable(path: Path, error: OSError) -> FolderUnusable:
    """The message if the system refuses a folder."""
    closed = closed_folder(path) if isinstance(error, PermissionError) else None
    another = "another place with XDG_STATE_HOME and XDG_CACHE_HOME"
    make = take_over(closed) if closed else make_usable(path)
    ways = f"{make}, or choose {another}" if make else f"choose {another}"
    return FolderUnusable(
        f"cannot use the directory `{path}`: {error.strerror or error}",
        hint=hint_for(error, ways),
    )


def make_usable(path: Path) -> str:
    """How a folder of ours is made that is not there or may not be used; "" if it cannot be."""
    from shlex import quote

    places = (*reversed(path.absolute().parents), path.absolute())
    # os.path: one that may not be entered raises nothing, it is the one to open
    folders = [one for one in places if os.path.isdir(one)]  # noqa: PTH112
    blocked = next((one for one in places if os.path.lexists(one) and one not in folders), None)
    if blocked:
        where = quote(str(blocked))
        return f"move away what is in its place (`mv {where} {where}.old`)"
    nearest = folders[-1]
    is_closed = not may(nearest, os.W_OK | os.X_OK)
    if is_closed and nearest.stat().st_uid != os.geteuid():
        return ""
    folder = quote(str(path))
    opened = is_closed and nearest != path.absolute()
    commands = [f"chmod u+rwx {quote(str(nearest))}"] if opened else []
    commands += [f"mkdir -p {folder}", f"chmod 700 {folder}"]
    return f"make it writable (`{' && '.join(commands)}`)"


def hint_for(error: OSError, otherwise: str) -> str:
    """The way out of a refusal that no other place would change, else `otherwise`."""
    return WAYS_OUT[error.errno] if error.errno in PLACELESS else otherwise


def refusal(error: OSError) -> type[FolderUnusable]:
    """What a refused lock or socket means: that the file system has none, or another refusal."""
    return NoPlace if error.errno in LACKING else FolderUnusable


def take_over(path: Path) -> str:
    """How a user gets back what a run as root has made."""
    from shlex import quote

    return f'give it back to yourself (`sudo chown -R "$(id -u)" {quote(str(path))}`)'


def may(path: Path, mode: int) -> bool:
    """Whether this process may use a path so."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def closed_folder(path: Path) -> Path | None:
    """The highest folder of another user's at or above `path` that we may not write to."""
    for folder in (*reversed(path.absolute().parents), path.absolute()):
        try:
            is_ours = folder.stat().st_uid == os.geteuid()
        except OSError:
            return None
        if not is_ours and folder != Path("/") and not may(folder, os.X_OK | os.R_OK):
            return folder
    return None


def untrusted(path: Path, error: OSError) -> FolderUnusable:
    """The message if another user may change what is at `path`."""
    if isinstance(error, NotTrusted) and error.is_root_elsewhere:
        return FolderUnusable(f"cannot keep files in `{path}`: {error}", hint=WHOSE_HOME)
    close = f"{close_again(error)}, or " if close_again(error) else ""
    return FolderUnusable(
        f"cannot keep files in `{path}`: {error}",
        hint=f"another user could replace openclaude's keys and plans there; {close}choose another "
        "place with XDG_STATE_HOME and XDG_CACHE_HOME",
    )


def close_again(error: OSError) -> str:
    """How others lose the right to change a folder of ours; "" where only another one helps."""
    from shlex import quote

    path = error.open_to_others if isinstance(error, NotTrusted) else None
    what = "take the right to write away from others"
    return f"{what} (`chmod go-w {quote(str(path))}`)" if path else ""


def check_above(path: Path) -> None:
    """Raise NotTrusted where another user owns or may change a folder that `path` lies in.

    Raises OSError where one cannot be looked at.
    """
    real = Path(os.path.realpath(path))  # a cache may be a link to a larger disk
    for folder in {*path.absolute().parents, *real.parents}:
        check_owner(folder, folder.stat())


def make_folder(path: Path) -> None:
    """Create a directory and its parents with 0700: `parents=True` would leave those to umask."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def read_trusted(path: Path) -> str:
    """The content of a file of ours, if only we can have written it, as in ssh (StrictModes).

    Raises NotTrusted, an OSError, where another user owns or may change the file or a folder above
    it; OSError; UnicodeDecodeError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotTrusted(f"`{path}` is not a regular file")
        check_owner(path, found)
        check_above(path)
        if found.st_size > LARGEST:
            raise NotTrusted(f"`{path}` is longer than {LARGEST} bytes")
        return file.read(LARGEST).decode("utf-8")


def check_owner(path: Path, found: os.stat_result) -> None:
    """Raise NotTrusted where another user but root owns `path` or may change it.

    In a folder such as /tmp every user may make entries, and can change only their own. A group
    that is this user's own may write: with a umask of 002 everything is made so.
    """
    if found.st_uid not in {0, os.geteuid()}:
        error = NotTrusted(f"`{path}` belongs to another user (uid {found.st_uid})")
        error.is_root_elsewhere = os.geteuid() == 0
        raise error
    by_group = found.st_mode & stat.S_IWGRP and found.st_gid not in {0, os.getegid()}
    by_others = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
    if by_group or by_others:
        error = NotTrusted(f"`{path}` can be changed by other users")
        error.open_to_others = path if found.st_uid == os.geteuid() else None
        raise error


def write_private(path: Path, text: str) -> None:
    """Replace `path` atomically with `text`, mode 0600 from the start.

    Raises FolderUnusable if it cannot be written.

    """
    # an unpredictable name: other users of the folder could have put a link there
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        descriptor = os.open(temporary, NEW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)  # noqa: PTH105 - the same call, without building a Path
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        way_out = "free some space or make the directory writable, then try again"
        if error.errno in PLACELESS - {errno.ENOSPC}:
            way_out = WAYS_OUT[error.errno]
        raise FolderUnusable(
            f"cannot write `{path}`: {error.strerror or error}",
            hint=f"{way_out}; nothing was changed",
        ) from error


def read_regular(path: str | Path, largest: int, *, is_private: bool = False) -> bytes:
    """What a regular file says, at most `largest` bytes; b"" for everything else.

    Neither a FIFO nor a device nor a folder holds the caller up. With `is_private`, a link and a
    file that any user but its owner, who is us, may use count as nothing.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | (os.O_NOFOLLOW if is_private else 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError):  # a name with a NUL is none
        return b""
    try:
        found = os.fstat(descriptor)
        is_ours = found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not stat.S_ISREG(found.st_mode) or (is_private and not is_ours):
            return b""
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(largest)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the advisory lock of the file `path`; wait for it with a timeout.

    Raises FolderUnusable when the file cannot be made, LockHeld after the timeout.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FolderUnusable(
            f"cannot write `{path}`: {error.strerror or error}",
            hint="make the directory writable, then try again; nothing was changed",
        ) from error
    try:
        take_lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def take_lock(descriptor: int, path: Path) -> None:
    """Wait for the lock. Raises LockHeld: a launch that was suspended would hold up all others."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except InterruptedError:
            continue
        except BlockingIOError:
            if time.monotonic() > deadline:
                from shlex import quote

                raise LockHeld(
                    f"another openclaude has held `{path}` for {LOCK_TIMEOUT_S:.0f} s",
                    hint=f"find it with `fuser -v {quote(str(path))}`, and end it if it hangs",
                ) from None
        except OSError as error:
            raise refusal(error)(
                f"cannot lock `{path}`: {error.strerror or error}",
                hint="its file system may have no locks; choose another place with XDG_STATE_HOME",
            ) from error
        time.sleep(0.01)
