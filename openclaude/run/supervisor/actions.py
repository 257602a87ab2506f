"""The actions of a supervisor, each with its unit and its cause.

Knows: the kinds of actions, how each is logged. Independent of: when and how they are carried out.
"""

from __future__ import annotations

from openclaude.contracts.record import Record


class Start(Record):
    """Start the unit's process."""

    unit: str
    cause: str


class Kill(Record):
    """Kill the unit's process."""

    unit: str
    cause: str


class KillDraining(Record):
    """Kill a draining process after its grace period."""

    unit: str
    pid: int
    cause: str


class ReportUnavailable(Record):
    """Answer on the unit's socket until the unit is ready, or (`is_final`) until a restart."""

    unit: str
    is_final: bool
    cause: str


class Replace(Record):
    """Start a new process for the unit; the old one finishes its requests."""

    unit: str
    cause: str


class Remove(Record):
    """Remove the unit after it has finished its requests."""

    unit: str
    cause: str


class Wake(Record):
    """Wake the sleeping units."""

    cause: str


class Sleep(Record):
    """Stop every process; keep the sockets."""

    cause: str


class End(Record):
    """End the stack; with `is_patient`, its streams take as long as they need."""

    cause: str
    is_patient: bool = False


Action = Start | Kill | KillDraining | ReportUnavailable | Replace | Remove | Wake | Sleep | End


def describe(action: Action) -> str:
    """The action as a line of the log: `replace main: its config changed (...)`."""
    match action:
        case KillDraining(unit=unit, pid=pid):
            what = f"kill {unit} (draining, pid {pid})"
        case ReportUnavailable(unit=unit, is_final=is_final):
            what = f"answer for {unit} with {424 if is_final else 503}"
        case Wake() | Sleep() | End():
            what = type(action).__name__.lower()
        case _:
            what = f"{type(action).__name__.lower()} {action.unit}"
    return f"{what}: {action.cause}"
