"""The source files of this program, as they lie on disk: whether another version replaced them.

Knows: the folder of the package, how it is kept. Independent of: what is done about it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import site

from openclaude.run.os.processes import PACKAGE_ROOT

PACKAGE = PACKAGE_ROOT / "openclaude"

Stamp = int  # equal for the same files, within one process
NOTHING: Stamp = 0


def hold_own_code() -> None:
    """Keep the zipapp from removing the unpacked version that this process runs from.

    The next version of it removes those that nobody uses. It cannot see what a process that keeps
    its memory private runs from, but that its folder is locked (`build/zipapp.d`).
    """
    if str(PACKAGE_ROOT) not in site.getsitepackages():
        with contextlib.suppress(OSError):  # without locks there, nothing is removed
            descriptor = os.open(PACKAGE_ROOT.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # for as long as we live


def stamp_all() -> Stamp:
    """Every source file's time, size and inode: a millisecond for all of them.

    NOTHING while there is no file, as in the middle of an installation.
    """
    found = []
    waiting = [str(PACKAGE)]
    try:
        while waiting:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name.endswith(".py"):
                        found.append((entry.path, *traits(entry.stat())))
                    elif entry.is_dir(follow_symlinks=False) and entry.name != "__pycache__":
                        waiting.append(entry.path)
    except OSError:
        return NOTHING
    return hash(tuple(sorted(found)))


def stamp_first() -> Stamp:
    """The same of the one file that every installation writes anew, in microseconds."""
    try:
        return hash(traits((PACKAGE / "__init__.py").stat()))
    except OSError:
        return NOTHING


def traits(found: os.stat_result) -> tuple[int, int, int]:
    """What is another for another file."""
    return found.st_mtime_ns, found.st_size, found.st_ino
