"""claude processes that use a stack without being a launch: background and nested sessions.

Knows: how a process tells that it asks a stack. Independent of: who counts them.

A launch tells claude its address in a settings file. claude passes it on in the environment of what
its tools start. The daemon that `claude --bg` leaves behind has it in memory only, but its command
line names the process that it comes from: `--spawned-by {"label":"claude --bg",...,"pid":15477}`
(both measured with 2.1.330).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path

from openclaude.contracts.control import Session
from openclaude.run.os.processes import sees_itself, start_time

VARIABLE = "ANTHROPIC_BASE_URL"
SPAWNED_BY = "--spawned-by"
NAME = "claude"
PACKAGE = "claude-code"  # in the path of a script that node runs


def find_background_sessions(port: int, launches: Collection[int]) -> list[Session]:
    """The claude processes that use the stack on `port`, or come from one of its launches."""
    asked = {f"{VARIABLE}={scheme}://127.0.0.1:{port}" for scheme in ("https", "http")}
    found = []
    for pid, command, environment in processes():
        uses_it = asked & environment or parent_of(command) in launches
        if uses_it and is_claude(command) and (started := start_time(pid)):
            found.append(Session(pid=pid, started=started))
    return found


def parent_of(command: list[str]) -> int | None:
    """The process that a claude daemon says it was started by."""
    for option, value in pairwise(command):
        if option == SPAWNED_BY:
            with contextlib.suppress(ValueError, RecursionError):
                said = json.loads(value)
                pid = said.get("pid") if isinstance(said, dict) else None
                return pid if isinstance(pid, int) else None
    return None


def is_claude(command: list[str]) -> bool:
    """Whether a command line is claude's, also where an interpreter runs it."""
    return any(Path(part).name == NAME or PACKAGE in part for part in command[:3])


def processes() -> Iterator[tuple[int, list[str], set[str]]]:
    """Pid, command line and environment of every process that we may look at."""
    if sys.platform != "linux":
        yield from look()
        return
    if not sees_itself():  # these are processes of another namespace
        return
    for name in os.listdir("/proc"):  # noqa: PTH208 - no Path for each of hundreds
        if name.isdigit():
            try:
                parts = [Path("/proc", name, what).read_bytes() for what in ("cmdline", "environ")]
            except OSError:  # another user's, or it has just ended
                continue
            command, environment = (os.fsdecode(part).split("\0") for part in parts)
            yield int(name), command, {*environment}


def look() -> Iterator[tuple[int, list[str], set[str]]]:
    """The same where there is no /proc."""
    import psutil

    for process in psutil.process_iter():
        try:
            environment = {f"{name}={value}" for name, value in process.environ().items()}
            yield process.pid, process.cmdline(), environment
        except (psutil.Error, OSError):
            continue
