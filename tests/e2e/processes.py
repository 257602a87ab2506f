"""Which processes belong to a house, whatever happened to their parents.

Knows: /proc. Independent of: what a process is for.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def processes_of(folder: Path) -> dict[int, str]:
    """Return every process that names `folder` or has a file in it open: pid to command line.

    Except this process and its own parents.
    """
    wanted = os.fsencode(folder)
    return {
        pid: command_line(pid).decode(errors="replace").replace("\0", " ")
        for pid in pids()
        if pid != os.getpid() and any(wanted in trace for trace in traces(pid))
    }


def pids() -> list[int]:
    """Return the pids of all processes."""
    return sorted(int(path.name) for path in PROC.iterdir() if path.name.isdigit())


def traces(pid: int) -> Iterator[bytes]:
    """Return everything about a process that can name a folder; nothing if it has ended."""
    yield command_line(pid)
    yield environment(pid)
    with contextlib.suppress(OSError):
        yield os.fsencode((PROC / str(pid) / "cwd").readlink())
    with contextlib.suppress(OSError):
        for link in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield os.fsencode(link.readlink())


def command_line(pid: int) -> bytes:
    """Return the arguments of a process, each ended by a NUL; empty if it has ended."""
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes()
    return b""


def environment(pid: int) -> bytes:
    """Return the environment a process was started with; empty if it has ended."""
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "environ").read_bytes()
    return b""


def executable(pid: int) -> Path:
    """The file that a process runs."""
    return (PROC / str(pid) / "exe").readlink()


def wait_until_none(folder: Path, timeout_s: float) -> dict[int, str]:
    """Return what `processes_of` still finds when the time is up; earlier if nothing is left."""
    deadline = time.monotonic() + timeout_s
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
