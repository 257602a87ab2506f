"""Files of ours on disk: private, and whole at every moment.

Knows: modes, atomic replacement, locks. Refuses to know: what the files say.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from openclaude.errors import OpenclaudeError

# longer than the longest thing done under a lock: a stack's stop
LOCK_TIMEOUT_S = 60.0


class FolderUnusable(OpenclaudeError):
    """A folder of ours that cannot be made, written or trusted."""

    code = "folder-unusable"


class LockHeld(OpenclaudeError):
    """Another openclaude holds a lock and does not let go."""

    code = "lock-held"


def private_folder(path: Path) -> Path:
    """`path` as a folder only its owner can enter (0700), made if it is not there.

    Raises FolderUnusable when it cannot be made or belongs to somebody else.
    """
    try:
        make_folder(path)
        found = path.stat()
        if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise FolderUnusable(
            f"cannot use the folder `{path}`: {error.strerror or error}",
            hint=f"make it writable (`mkdir -p {path} && chmod 700 {path}`), or name another "
            "place with XDG_STATE_HOME and XDG_CACHE_HOME",
        ) from error
    if found.st_uid != os.geteuid():
        raise FolderUnusable(
            f"the folder `{path}` belongs to another user (uid {found.st_uid})",
            hint="openclaude keeps local keys there; name another place with XDG_STATE_HOME",
        )
    return path


def make_folder(path: Path) -> None:
    """Make a folder, and those it lies in, with 0700: `parents=True` would leave those to umask."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text`, 0600 from its first byte; a crash leaves the old file or the new.

    Raises FolderUnusable when the folder or the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)  # noqa: PTH105 - the same call, without building a Path
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise FolderUnusable(
            f"cannot write `{path}`: {error.strerror or error}",
            hint="free some space or make the folder writable, then try again; nothing was changed",
        ) from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the advisory lock of the file `path`, waiting for whoever has it, but not for ever.

    Raises FolderUnusable when the file cannot be made, LockHeld when nobody lets go of it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FolderUnusable(
            f"cannot write `{path}`: {error.strerror or error}",
            hint="make the folder writable, then try again; nothing was changed",
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
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LockHeld(
                    f"another openclaude has held `{path}` for {LOCK_TIMEOUT_S:.0f} s",
                    hint=f"find it with `fuser -v {path}`, and end it if it hangs",
                ) from None
        time.sleep(0.01)
