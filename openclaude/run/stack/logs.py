"""The logs of a stack: one file per unit, appended to, bounded in size.

Knows: their files, and that another program may have put something else there. Independent of: what
their lines mean.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from openclaude.contracts.printable import printable

LOG_LIMIT = 5 * 1024 * 1024  # bytes; then the log becomes NAME.log.1
LAST_LINES = 12
LONGEST_LINE = 16 * 1024  # bytes of one that is shown
APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT
PART = 256 * 1024  # bytes copied at once
SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # neither follow a link nor wait for a reader
NO_LOG = frozenset({errno.ELOOP, errno.ENXIO})  # a link, a FIFO


def log_path(folder: Path, name: str) -> Path:
    """The log of a unit, of the supervisor or of the forkserver."""
    return folder / f"{name}.log"


def aside_path(path: Path) -> Path:
    """Where a log goes when it has become too long."""
    return path.with_suffix(".log.1")


def open_log(path: Path) -> BinaryIO:
    """A log opened for appending, 0600; a long one is rotated first. Raises OSError.

    A link, a FIFO or a device in its place is removed: what is written there would go elsewhere.
    """
    log = open_appending(path)
    if log is None:
        path.unlink()
        log = open_appending(path)
    if log is None:
        raise OSError(errno.EEXIST, "it is not a regular file")
    if os.fstat(log.fileno()).st_size <= LOG_LIMIT:
        return log
    with log:
        path.replace(aside_path(path))
    return open_log(path)


def open_appending(path: Path) -> BinaryIO | None:
    """The file, made if it is not there; None if something else is in its place."""
    try:
        log = os.fdopen(os.open(path, APPENDING | SAFELY, 0o600), "ab")
    except OSError as error:
        if error.errno in NO_LOG:
            return None
        raise
    if stat.S_ISREG(os.fstat(log.fileno()).st_mode):
        return log
    log.close()
    return None


def bound_log(path: Path) -> None:
    """Rotate a log that has become too long while a process writes it. Raises OSError.

    Its writers append, so they go on at the new beginning. What they write between the last look
    and the cut is lost. Something else in its place stays as it is.
    """
    if os.lstat(path).st_size <= LOG_LIMIT:
        return
    aside = aside_path(path)
    new = aside.with_suffix(".new")
    with os.fdopen(os.open(path, os.O_RDWR | SAFELY), "r+b") as log:
        if not stat.S_ISREG(os.fstat(log.fileno()).st_mode):
            return
        with open_private(new) as copy:
            log.seek(-LOG_LIMIT, os.SEEK_END)
            while part := log.read(PART):
                copy.write(part)
        log.truncate(0)
    new.replace(aside)


def open_private(path: Path) -> BinaryIO:
    """A new file of ours, 0600, in place of any that is there. Raises OSError."""
    path.unlink(missing_ok=True)
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags | SAFELY, 0o600))


def last_lines(
    log: Path, count: int = LAST_LINES, is_shown: Callable[[str], bool] = lambda _line: True
) -> str:
    """The last `count` shown lines of a log, or "" if there is none.

    What was rotated away counts too. Control characters are escaped: providers' and models' words
    are in it.
    """
    lines: list[str] = []
    for path in (log, aside_path(log)):
        if len(lines) < count:
            with contextlib.suppress(OSError):
                older = [line for line in shown_lines(read_end(path)) if is_shown(line)]
                lines = older + lines
    return "\n".join(lines[max(0, len(lines) - count) :])


def read_end(path: Path) -> bytes:
    """The last of a log, from a line's beginning on. Raises OSError.

    However long the file is: another program may have written to it.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | SAFELY)) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            return b""
        if found.st_size <= LOG_LIMIT:
            return file.read(LOG_LIMIT)
        file.seek(-LOG_LIMIT, os.SEEK_END)
        return file.read(LOG_LIMIT).partition(b"\n")[2]


def shown_lines(text: bytes) -> list[str]:
    """The lines in a part of a log, harmless for a terminal and none too long for it."""
    return [shown_line(line) for line in text.removesuffix(b"\n").split(b"\n")] if text else []


def shown_line(line: bytes) -> str:
    """The same of one line."""
    rest = len(line) - LONGEST_LINE
    more = f" ... {rest} more bytes" if rest > 0 else ""
    return printable(line[:LONGEST_LINE].decode("utf-8", "replace")) + more
