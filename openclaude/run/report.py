"""Units and processes as `openclaude status` shows them.

Knows: the names of the columns, how to look at a process. Refuses to know: how it came to be so.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from openclaude.run.decide import Status
from openclaude.run.units import Process


def report_unit(
    name: str, status: Status, process: Process | None, *, port: int, now: float
) -> dict[str, Any]:
    """One unit's row; `now` is on the clock that `status` was made with."""
    measured = report_process(process.pid) if process else NOTHING
    return {
        "name": name,
        "state": status.state.value,
        "port": port,
        "state_s": round(now - status.since, 1),
        "in_flight": process.in_flight if process else 0,
        "served": process.served if process else 0,
        "restarts": status.restarts,
        "last_error": status.last_error,
        **measured,
    }


NOTHING: dict[str, Any] = {"pid": None, "rss_bytes": 0, "pss_bytes": 0, "cpu_s": 0.0}


def report_process(pid: int) -> dict[str, Any]:
    """A process's memory (bytes; PSS counts shared pages by their share) and CPU time (seconds)."""
    if sys.platform != "linux":
        return look(pid)
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return {**NOTHING, "pid": pid}
    sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in rollup.splitlines()[1:]}
    ticks = int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
    return {
        "pid": pid,
        "rss_bytes": sizes.get("Rss:", 0),
        "pss_bytes": sizes.get("Pss:", 0),
        "cpu_s": round(ticks / os.sysconf("SC_CLK_TCK"), 2),
    }


def look(pid: int) -> dict[str, Any]:
    """The same through psutil, where there is no /proc; PSS is then not known."""
    import psutil

    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        rss = process.memory_info().rss
    except psutil.Error:
        return {**NOTHING, "pid": pid}
    return {"pid": pid, "rss_bytes": rss, "pss_bytes": 0, "cpu_s": times.user + times.system}
