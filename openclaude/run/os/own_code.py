"""The source files of this program, as they lie on disk: whether another version replaced them.

Knows: the folder of the package. Independent of: what is done about it.
"""

from __future__ import annotations

import os

from openclaude.run.os.processes import PACKAGE_ROOT

PACKAGE = PACKAGE_ROOT / "openclaude"

Stamp = int  # equal for the same files, within one process
NOTHING: Stamp = 0


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
