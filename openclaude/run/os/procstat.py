"""Resources of a process: memory and CPU time.

Knows: how to read them. Independent of: whose process it is. Read by the client that asks, never by
the supervisor.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from openclaude.run.os.processes import start_time

NOTHING: dict[str, Any] = {"rss_bytes": 0, "pss_bytes": 0, "cpu_s": 0.0}


def usage(pid: int) -> dict[str, Any]:
    """A process's memory (bytes; PSS counts shared pages by their share) and CPU time (seconds)."""
    if sys.platform != "linux":
        return look(pid)
    try:
        sizes = memory(pid)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return NOTHING
    ticks = int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
    return {
        **sizes,
        "cpu_s": round(ticks / os.sysconf("SC_CLK_TCK"), 2),
    }


def origin(pid: int, started: str) -> tuple[str, float | None]:
    """Where the process (pid, start time) runs, and since when, in seconds since 1970.

    "" and None where that is not known. By the clock of now: its age is right whatever was set.
    """
    if start_time(pid) != started:
        return "", None
    if sys.platform != "linux":
        return look_at_origin(pid)
    try:
        folder = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115 - a name
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        up_s = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:  # it has just ended
        return "", None
    return folder, time.time() - (up_s - int(fields[19]) / os.sysconf("SC_CLK_TCK"))


def look_at_origin(pid: int) -> tuple[str, float | None]:
    """The same through psutil, where there is no /proc."""
    import psutil

    try:
        process = psutil.Process(pid)
        return process.cwd(), process.create_time()
    except psutil.Error:
        return "", None


def memory(pid: int) -> dict[str, int]:
    """The same without CPU time.

    Of a process that keeps its memory private, the size is public, the shares are not.
    Raises OSError.
    """
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except PermissionError:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return {"rss_bytes": pages * os.sysconf("SC_PAGE_SIZE"), "pss_bytes": 0}
    sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in rollup.splitlines()[1:]}
    return {"rss_bytes": sizes.get("Rss:", 0), "pss_bytes": sizes.get("Pss:", 0)}


def own_pss() -> int:
    """This process's share of the memory, bytes; 0 where the system does not tell.

    Some milliseconds for an instance.
    """
    try:
        return memory(os.getpid())["pss_bytes"] if sys.platform == "linux" else 0
    except OSError:
        return 0


def look(pid: int) -> dict[str, Any]:
    """The same through psutil, where there is no /proc; PSS is then not known."""
    import psutil

    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        rss = process.memory_info().rss
    except psutil.Error:
        return NOTHING
    return {"rss_bytes": rss, "pss_bytes": 0, "cpu_s": times.user + times.system}
