"""The logs of a stack: one file per unit, appended to, bounded in size.

Knows: their files. Independent of: what their lines mean.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import BinaryIO

from openclaude.contracts.printable import printable

LOG_LIMIT = 5 * 1024 * 1024  # bytes; then the log becomes NAME.log.1
LAST_LINES = 12
PART = 256 * 1024  # bytes copied at once


def log_path(folder: Path, name: str) -> Path:
    """The log of a unit, of the supervisor or of the forkserver."""
    return folder / f"{name}.log"


def open_log(path: Path) -> BinaryIO:
    """A log opened for appending, 0600; a long one is rotated first. Raises OSError."""
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))


def bound_log(path: Path) -> None:
    """Rotate a log that has become too long while a process writes it. Raises OSError.

    Its writers append, so they go on at the new beginning. What they write between the last look
    and the cut is lost.
    """
    if path.stat().st_size <= LOG_LIMIT:
        return
    aside = path.with_suffix(".log.1")
    with path.open("r+b") as log, open_private(aside.with_suffix(".new")) as copy:
        log.seek(-LOG_LIMIT, os.SEEK_END)
        while part := log.read(PART):
            copy.write(part)
        log.truncate(0)
    aside.with_suffix(".new").replace(aside)


def open_private(path: Path) -> BinaryIO:
    """A new file of ours, 0600. Raises OSError."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


def last_lines(log: Path, count: int = LAST_LINES) -> str:
    """The last `count` lines of a log, or "" if there is none.

    Control characters are escaped: providers' and models' words are in it.
    """
    try:
        with log.open("rb") as file:
            end = deque(file, maxlen=count)  # LOG_LIMIT bounds what this reads
    except OSError:
        return ""
    return printable(b"".join(end).decode("utf-8", "replace").rstrip("\n"))
