"""OS processes: their identity, and how ours are started.

Knows: pids and start times, the interpreter's own command line. Independent of: plans.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import site
import sys
from pathlib import Path

UNSEEN = "unseen"  # the start of a process that /proc does not show
PACKAGE_ROOT = Path(__file__).resolve().parents[3]


def start_time(pid: int) -> str | None:
    """When the process `pid` started, as text that is equal only for the same process, or None.

    A pid alone may have been reused. On Linux it is field 22 of /proc/PID/stat (clock ticks since
    boot, proc(5)), read without psutil, whose import would cost a warm launch 20 ms.
    """
    if sys.platform == "linux":
        if not sees_itself():
            return UNSEEN if is_there(pid) else None
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        state, *rest = fields.rpartition(")")[2].split()  # the name before may hold blanks
        return None if state == "Z" else rest[18]
    import psutil

    try:
        return repr(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


@functools.cache
def sees_itself() -> bool:
    """Whether /proc is of our pid namespace; `unshare --pid` alone leaves that of the one above."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())  # noqa: PTH115 - a number
    except OSError:
        return False


def is_there(pid: int) -> bool:
    """Whether a process has that pid, and has not ended (Linux): of a zombie it is readable."""
    try:
        descriptor = os.pidfd_open(pid)
    except (OSError, OverflowError):
        return False
    try:
        ended = select.poll()  # not select(), which ends at descriptor 1023
        ended.register(descriptor, select.POLLIN)
        return not ended.poll(0)
    finally:
        os.close(descriptor)


def parent(pid: int) -> int:
    """The parent of a process; 0 where there is none, or none that can be seen."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return 0
        return int(fields.rpartition(")")[2].split()[1])
    import psutil

    try:
        return psutil.Process(pid).ppid()
    except psutil.Error:
        return 0


def is_above(pid: int, started: str) -> bool | None:
    """Whether the process (pid, start time) is above this one; None if it is this one."""
    at, is_here = os.getpid(), True
    while at > 1 and at != pid:
        at, is_here = parent(at), False
    if at != pid or start_time(pid) != started:
        return False
    return None if is_here else True


def is_alive(pid: int, started: str) -> bool:
    """Whether the process (pid, start time) still runs."""
    return start_time(pid) == started


def leave_no_core() -> None:
    """Let a crash of this process, and of what it starts, write no memory: keys are in it.

    A limit of one byte and not of none: the kernel hands a core to a program such as
    systemd-coredump whatever the limit, unless it is 1 (core(5), do_coredump()).
    """
    import resource

    with contextlib.suppress(OSError, ValueError):  # it is lower already
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line that runs one of our modules in a fresh interpreter."""
    return (sys.executable, "-P", "-m", module, *arguments)


def python_environment() -> dict[str, str]:
    """What a fresh interpreter needs to find this package: nothing, where it is installed."""
    if str(PACKAGE_ROOT) in site.getsitepackages():
        return {}
    return {
        "PYTHONPATH": os.pathsep.join(
            entry
            for entry in dict.fromkeys(
                (str(PACKAGE_ROOT), *(path for path in sys.path if path.endswith("site-packages")))
            )
        )
    }
