"""A unit as `openclaude status` shows it.

Knows: the columns, how to look at a process. Refuses to know: how a unit came to be so.
"""

from __future__ import annotations

from typing import Any

from openclaude.run.decide import Status


def report_unit(
    name: str, status: Status, *, pid: int | None, port: int, now: float
) -> dict[str, Any]:
    """One unit's row; `now` is on the clock that `status` was made with."""
    return {
        "name": name,
        "state": status.state.value,
        "pid": pid,
        "port": port,
        "state_s": round(now - status.since, 1),
        "rss_bytes": resident(pid) if pid else 0,
        "restarts": status.restarts,
        "last_error": status.last_error,
    }


def resident(pid: int) -> int:
    """Resident memory of a process, bytes; 0 when it has just ended."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
