"""A unit as the supervisor reports it.

Knows: the names of the columns. Refuses to know: how a unit came to be so, and its memory: looking
waits for a process that is busy mapping some, and the supervisor must not wait.
"""

from __future__ import annotations

from typing import Any

from openclaude.run.decide import Status
from openclaude.run.units import Process


def report_unit(
    name: str, status: Status, process: Process | None, *, port: int, now: float
) -> dict[str, Any]:
    """One unit's row; `now` is on the clock that `status` was made with."""
    return {
        "name": name,
        "state": status.state.value,
        "pid": process.pid if process else None,
        "port": port,
        "state_s": round(now - status.since, 1),
        "in_flight": process.in_flight if process else 0,
        "served": process.served if process else 0,
        "restarts": status.restarts,
        "last_error": status.last_error,
    }
