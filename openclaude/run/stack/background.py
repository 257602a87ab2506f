"""claude processes that use a stack without being a launch: background and nested sessions.

Knows: how a process tells that it asks a stack. Independent of: who counts them.

A launch tells claude its address in a settings file. claude passes it on in the environment of what
its tools start. The daemon that `claude --bg` leaves behind has it in memory only, but its command
line names the process that it comes from: `--spawned-by {"label":"claude --bg",...,"pid":15477}`.
With `--worktree --tmux`, and for teammates in panes, claude is started again by a tmux server, with
`--settings=FILE` of the launch among its arguments (all measured with 2.1.330). One whose
environment and arguments say nothing is known by its open connection.
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
from openclaude.run.os.environment import Relation, namespace, relation
from openclaude.run.os.peers import clients
from openclaude.run.os.processes import sees_itself, start_time
from openclaude.run.stack.folder import SETTINGS, settings_folder, settings_of

VARIABLE = "ANTHROPIC_BASE_URL"
SPAWNED_BY = "--spawned-by"
NAME = "claude"
SETTINGS_INSIDE = f"/{SETTINGS}/"
PACKAGE = "claude-code"  # in the path of a script that node runs
VERSIONS = "/claude/versions/"  # where the native installer keeps binaries named 2.1.330
DELETED = " (deleted)"  # behind the path of a program that was replaced since


def find_background_sessions(port: int, launches: Collection[int], folder: Path) -> list[Session]:
    """The claude processes that use the stack in `folder`, or come from one of its launches."""
    connected = clients(port)
    asked = {f"{VARIABLE}={scheme}://127.0.0.1:{port}" for scheme in ("https", "http")}
    found = []
    for pid, command, environment in processes():
        uses_it = (
            (asked & environment and shares_ports(pid))
            or parent_of(command) in launches
            or any(is_file_of(name, folder) for name in settings_named(command))
            or pid in connected
        )
        is_one = uses_it and (is_claude(command) or is_claude([program_of(pid)]))
        if is_one and is_ours(pid) and (started := start_time(pid)):
            found.append(Session(pid=pid, started=started))
    return found


def settings_in_use() -> set[str]:
    """The names of settings files that a process names, or whose claude has left a daemon."""
    found = set()
    for pid, command, _ in processes():
        found |= {Path(path).name for path in settings_named(command)}
        if (launched := parent_of(command)) and start_time(pid):
            found.add(f"{launched}-")
    return found


def is_in_use(path: Path, in_use: set[str]) -> bool:
    """Whether a settings file is among those."""
    return path.name in in_use or f"{path.name.partition('-')[0]}-" in in_use


def settings_named(command: list[str]) -> Iterator[str]:
    """The settings files of launches that a command line names."""
    for part in command:
        if SETTINGS_INSIDE in part and part.endswith(".json"):
            yield part.removeprefix("--settings=")


def is_file_of(name: str, folder: Path) -> bool:
    """Whether a settings file is of a launch of the stack in `folder`, here."""
    path = Path(name)
    owner = settings_of(path)
    return (
        path.parent == settings_folder(folder)
        and owner is not None
        and owner.stack == folder.name
        and relation(owner.where) is Relation.HERE
    )


def shares_ports(pid: int) -> bool:
    """Whether a process has the loopback ports that we have, as far as the system tells."""
    try:
        theirs = os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115 - a name
    except OSError:
        return True
    return theirs in {"", namespace("net")}


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
    return any(
        Path(part).name == NAME or PACKAGE in part or VERSIONS in part for part in command[:3]
    )


def program_of(pid: int) -> str:
    """The path of the program that a process runs, whatever it calls itself; "" if unknown."""
    try:
        return os.readlink(f"/proc/{pid}/exe").removesuffix(DELETED)  # noqa: PTH115 - it may be gone
    except OSError:
        return ""


def is_ours(pid: int) -> bool:
    """Whether a process is this user's: another one's may be named as it likes.

    The owner of its folder in /proc is root where it keeps its memory private.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:  # no /proc, where only our own were looked at
        return sys.platform != "linux"
    return b"\nUid:\t%d\t%d\t" % (os.getuid(), os.geteuid()) in status


def processes() -> Iterator[tuple[int, list[str], set[str]]]:
    """Pid, command line and environment, where it can be seen, of every process."""
    if sys.platform != "linux":
        yield from look()
        return
    if not sees_itself():  # these are processes of another namespace
        return
    for name in os.listdir("/proc"):  # noqa: PTH208 - no Path for each of hundreds
        if name.isdigit():
            try:
                command = Path("/proc", name, "cmdline").read_bytes()
            except OSError:  # it has just ended
                continue
            environment = b""
            with contextlib.suppress(OSError):  # another user's, or it keeps its memory private
                environment = Path("/proc", name, "environ").read_bytes()
            yield (
                int(name),
                os.fsdecode(command).split("\0"),
                {*os.fsdecode(environment).split("\0")},
            )


def look() -> Iterator[tuple[int, list[str], set[str]]]:
    """The same where there is no /proc."""
    import psutil

    for process in psutil.process_iter():
        try:
            environment = {f"{name}={value}" for name, value in process.environ().items()}
            yield process.pid, process.cmdline(), environment
        except (psutil.Error, OSError):
            continue
