"""Processes of a stack that its folder does not lead to: record and socket were removed.

Knows: what our processes look like from outside. Independent of: why they are lost.

A process counts as ours only if all of this is so: it is this user's, it runs one of our modules,
and its command line names a folder of these stacks, or its log or its working directory is, or
was, in one. Only the command line can be read of a process that keeps its memory private. It says
where the process runs, too: those of a container can be seen from outside, and are not ours to end.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from openclaude.run.os.environment import Relation, relation
from openclaude.run.os.processes import is_alive, start_time
from openclaude.run.stack.client import STOP_TIMEOUT_S
from openclaude.run.stack.holding import HOLDER

SUPERVISOR = "openclaude.run.supervisor.supervisor"
MODULES = frozenset(
    {SUPERVISOR, "openclaude.run.worker.forkserver", "openclaude.run.worker.instance"}
)
DELETED = " (deleted)"  # what Linux says of a file that was removed, behind its path
ALONE_S = 3.0  # for units whose supervisor has gone, which they notice
KILLED_S = 5.0


class Stray(NamedTuple):
    """One such process."""

    pid: int
    started: str
    stack: str  # the profile
    is_supervisor: bool


def end_strays(stacks: Path, stack: str = "") -> list[str]:
    """End those of all stacks, or of one, and wait for it; the names of the stacks.

    Supervisors first, in order: they let requests in flight end, and take their units with them.
    """
    found = find_strays(stacks, stack)
    supervisors = [one for one in found if one.is_supervisor]
    end(supervisors, signal.SIGTERM, STOP_TIMEOUT_S)
    end(supervisors, signal.SIGKILL, KILLED_S)
    wait_for_end(found, ALONE_S)
    rest = [one for one in find_strays(stacks, stack) if not one.is_supervisor]
    end(rest, signal.SIGTERM, ALONE_S)
    end(rest, signal.SIGKILL, KILLED_S)
    return sorted({one.stack for one in (*found, *rest)})


def end(strays: list[Stray], number: signal.Signals, patience_s: float) -> None:
    """Send those that still run a signal, and wait for them."""
    for one in strays:
        if is_alive(one.pid, one.started):
            with contextlib.suppress(ProcessLookupError):  # it ended since
                os.kill(one.pid, number)
    wait_for_end(strays, patience_s)


def wait_for_end(strays: list[Stray], patience_s: float) -> None:
    """Wait until none of them runs, or time is up."""
    deadline = time.monotonic() + patience_s
    while any(is_alive(one.pid, one.started) for one in strays) and time.monotonic() < deadline:
        time.sleep(0.02)


def find_strays(stacks: Path, stack: str = "") -> list[Stray]:
    """Every process of the stacks in a folder, or of one of them."""
    stacks = Path(os.path.realpath(stacks))  # as the system tells paths
    found = (stray_of(process, stacks) for process in psutil.process_iter())
    return [one for one in found if one and stack in {"", one.stack}]


def supervisors() -> Iterator[tuple[int, Path]]:
    """Pid and folder of every supervisor of this user, wherever its stack is."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            command = process.cmdline()
            if SUPERVISOR in command and process.uids().effective == os.geteuid():
                for folder in named_in(command):
                    yield process.pid, Path(folder)


def holder_of(port: int) -> tuple[int, Path] | None:
    """Pid and stack's folder of what keeps a port of a stopped stack for its open sessions."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError, ValueError):  # of a port that is none
            command = process.cmdline()
            kept = option("port", command) if HOLDER in command else ""
            if not kept or process.uids().effective != os.geteuid():
                continue
            is_here = relation(option("at", command)) is Relation.HERE
            if is_here and port in {int(kept), int(kept) + 1}:
                return process.pid, Path(option("stack", command))
    return None


def stray_of(process: psutil.Process, stacks: Path) -> Stray | None:
    """What a process is to the stacks in a folder; None where it is nothing."""
    try:
        if process.uids().effective != os.geteuid() or process.pid == os.getpid():
            return None
        command = process.cmdline()
        module = next((part for part in command if part in MODULES), "")
        if not module or relation(option("at", command)) is not Relation.HERE:
            return None
        places = [*named_in(command), *opened_by(process)]
    except (psutil.Error, OSError):
        return None
    for place in places:
        path = Path(os.path.realpath(place.removesuffix(DELETED)))
        if stacks in path.parents and (started := start_time(process.pid)):
            name = path.relative_to(stacks).parts[0]
            return Stray(process.pid, started, name, is_supervisor=module == SUPERVISOR)
    return None


def named_in(command: list[str]) -> list[str]:
    """The folder that a command line of ours names."""
    found = option("stack", command)
    return [found] if found else []


def option(name: str, command: list[str]) -> str:
    """The value of an option of a command line of ours, "" for none."""
    found = re.search(rf"\0--{name}[=\0]([^\0]+)", "\0".join(command))
    return found[1] if found else ""


def opened_by(process: psutil.Process) -> list[str]:
    """The working directory and the log, where they can be seen."""
    try:
        return [process.cwd(), *log_of(process)]
    except (psutil.AccessDenied, PermissionError):
        return []


def log_of(process: psutil.Process) -> list[str]:
    """Where its standard error goes."""
    try:
        return [os.readlink(f"/proc/{process.pid}/fd/2")]  # noqa: PTH115 - it may be no path
    except OSError:  # no /proc here
        return [file.path for file in process.open_files() if file.fd == 2]
