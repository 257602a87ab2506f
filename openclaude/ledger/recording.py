"""Recordings of requests: the file that asks for them, and the files with them.

Knows: where they are, how long and how much may be recorded. Independent of: who records, what is
in a recording. A file asks for a recording, so that no process has to stay for it; it ends at the
time in that file, whatever has become of the program that wrote it.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from openclaude.contracts.routing import LEDGER_FOLDER

SWITCH = "recording.json"
FOLDER = "recorded"
LONGEST_S = 3600.0  # of one recording
MOST_BYTES = 100 * 1024 * 1024  # of all of them
LARGEST_SWITCH = 4096  # bytes
CLOCK_S = 5.0  # by how much a clock may have been set back since the file was written
SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFELY


class RecordingSwitch(NamedTuple):
    """That requests are recorded, from when until when, in seconds since 1970."""

    at: float
    until: float


class RecordedFiles(NamedTuple):
    """The recordings that there are."""

    files: int = 0
    size: int = 0  # bytes


def recording_folder(state: Path) -> Path:
    """Beside the ledger: the one folder that main may write to."""
    return state / LEDGER_FOLDER


def read_switch(folder: Path, now: float) -> RecordingSwitch | None:
    """What is asked for at this time; None if nothing is.

    A file of another user's, one that is too old or too new, and one that asks for too much count
    as nothing: a clock that was set back must not begin a recording again.
    """
    try:
        descriptor = os.open(folder / SWITCH, os.O_RDONLY | SAFELY)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        is_ours = found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not stat.S_ISREG(found.st_mode) or not is_ours:
            return None
        said = json.loads(os.read(descriptor, LARGEST_SWITCH))
        switch = RecordingSwitch(float(said["at"]), float(said["until"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    finally:
        os.close(descriptor)
    is_short = 0 < switch.until - switch.at <= LONGEST_S
    return switch if is_short and switch.at - CLOCK_S <= now < switch.until else None


def write_switch(folder: Path, switch: RecordingSwitch) -> None:
    """Ask for a recording, in place of one that was asked for before. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(folder / SWITCH, json.dumps(switch._asdict()).encode())


def end_recording(folder: Path) -> bool:
    """Ask for no more; whether anything was asked for. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        (folder / SWITCH).unlink()
        return True
    return False


def write_new(path: Path, content: bytes) -> None:
    """Write a file, 0600, whole or not at all. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        with os.fdopen(os.open(temporary, NEW, 0o600), "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def recordings(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The files that were recorded; a link in place of their folder leads nowhere."""
    place = folder / FOLDER
    try:
        if not stat.S_ISDIR(place.lstat().st_mode):
            return
        entries = [*os.scandir(place)]
    except OSError:
        return
    yield from (one for one in entries if one.is_file(follow_symlinks=False))


def count_recorded(folder: Path) -> RecordedFiles:
    """How much was recorded and is still there."""
    found = RecordedFiles()
    for one in recordings(folder):
        with contextlib.suppress(OSError):
            size = one.stat(follow_symlinks=False).st_size
            found = RecordedFiles(found.files + 1, found.size + size)
    return found


def remove_recorded(folder: Path) -> int:
    """Remove all of it; how many files. Raises OSError."""
    number = 0
    for one in recordings(folder):
        Path(one.path).unlink(missing_ok=True)
        number += 1
    with contextlib.suppress(OSError):  # there was none, or something of others is in it
        (folder / FOLDER).rmdir()
    return number
