"""What the supervisor does next, as pure functions of what it sees.

Knows: unit states, back-off, deadlines. Refuses to know: processes, the clock (given as `now`, in
seconds), plans.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple


class State(enum.Enum):
    """Where a unit stands."""

    WAITING = "waiting"  # will be started at `at`
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"  # was told to end; killed at `at`
    STOPPED = "stopped"
    FAILED = "failed"  # will not be started again


class Status(NamedTuple):
    """A unit's state and what led to it."""

    state: State
    since: float  # when the state began, s
    at: float  # when something is due: the start of a waiting unit, the end of a patience, s
    failures: int = 0  # starts in a row that ended early
    restarts: int = 0
    last_error: str = ""


class Start(NamedTuple):
    """Start the unit's process."""

    unit: str


class Kill(NamedTuple):
    """End the unit's process without asking."""

    unit: str


Action = Start | Kill

START_TIMEOUT_S = 120.0  # a cold disk and a busy machine: LiteLLM was seen to take 33 s
STOP_TIMEOUT_S = 12.0  # more than the instance's own grace for streams
BACKOFF_S = (0.0, 0.5, 2.0, 5.0, 10.0)
STEADY_S = 60.0  # having lived this long, a crash is a new story
START_FAILURES = 5


def waiting(now: float) -> Status:
    """A unit that is to start at once."""
    return Status(State.WAITING, now, now)


def starting(status: Status, now: float) -> Status:
    """The unit's process was started."""
    return status._replace(state=State.STARTING, since=now, at=now + START_TIMEOUT_S)


def ready(status: Status, now: float) -> Status:
    """The unit said that it answers."""
    return status._replace(state=State.READY, since=now, at=float("inf"))


def stopping(status: Status, now: float) -> Status:
    """The unit was told to end."""
    return status._replace(state=State.STOPPING, since=now, at=now + STOP_TIMEOUT_S)


def exited(status: Status, now: float, error: str) -> Status:
    """The unit's process ended, with `error` saying how; what becomes of the unit."""
    if status.state is State.STOPPING:
        return status._replace(state=State.STOPPED, since=now, at=float("inf"))
    steady = status.state is State.READY and now - status.since >= STEADY_S
    failures = 1 if steady else status.failures + 1
    if failures > START_FAILURES:
        return Status(State.FAILED, now, float("inf"), failures, status.restarts, last_error=error)
    pause = BACKOFF_S[min(failures, len(BACKOFF_S)) - 1]
    return Status(State.WAITING, now, now + pause, failures, status.restarts + 1, error)


def react(statuses: Mapping[str, Status], now: float) -> tuple[Action, ...]:
    """The actions that are due."""
    actions: list[Action] = []
    for name, status in statuses.items():
        if now < status.at:
            continue
        if status.state is State.WAITING:
            actions.append(Start(name))
        elif status.state in {State.STARTING, State.STOPPING}:
            actions.append(Kill(name))
    return tuple(actions)


def next_due(statuses: Mapping[str, Status], now: float) -> float | None:
    """Seconds until the next action is due, or None when nothing is."""
    due = min((status.at for status in statuses.values()), default=float("inf"))
    return None if due == float("inf") else max(0.0, due - now)
