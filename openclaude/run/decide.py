"""What the supervisor does next, as pure functions of what it sees.

Knows: unit states, back-off, deadlines, when a stack may rest. Refuses to know: processes, the
clock (given as `now`, in seconds), plans.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

NEVER = float("inf")


class State(enum.Enum):
    """Where a unit stands."""

    WAITING = "waiting"  # will be started at `at`
    STARTING = "starting"
    READY = "ready"  # taken for hung when it says nothing until `at`
    STOPPING = "stopping"  # was told to end; killed at `at`
    STOPPED = "stopped"
    ASLEEP = "asleep"  # started again by the next connection
    FAILED = "failed"  # will not be started again


class Status(NamedTuple):
    """A unit's state and what led to it."""

    state: State
    since: float  # when the state began, s
    at: float  # when something is due: the start of a waiting unit, the end of a patience, s
    unready_since: float = 0.0  # since when nobody has answered, s
    failures: int = 0  # starts in a row that ended early
    restarts: int = 0
    last_error: str = ""


class Use(NamedTuple):
    """How a stack is being used."""

    sessions: int  # launches that are still claude
    in_flight: int  # requests
    active_at: float  # when a request last began or ended, or the units were started, s
    left_at: float  # when the last session ended, or the stack began, s


@dataclass(frozen=True, slots=True)
class Start:
    """Start the unit's process."""

    unit: str


@dataclass(frozen=True, slots=True)
class Kill:
    """End the unit's process without asking."""

    unit: str


@dataclass(frozen=True, slots=True)
class Excuse:
    """Answer for a unit that takes longer to start than a client should wait."""

    unit: str


@dataclass(frozen=True, slots=True)
class Sleep:
    """End every unit; the sockets stay."""


@dataclass(frozen=True, slots=True)
class End:
    """End the stack."""


Action = Start | Kill | Excuse | Sleep | End

START_TIMEOUT_S = 120.0  # a cold disk and a busy machine: LiteLLM was seen to take 33 s
STOP_TIMEOUT_S = 12.0  # more than the instance's own grace for streams
HANG_TIMEOUT_S = 30.0  # a unit says every 5 s that it lives; LiteLLM blocks its loop now and then
EXCUSE_S = 150.0  # claude was seen to wait 330 s for a first byte
BACKOFF_S = (0.0, 0.5, 2.0, 5.0, 10.0)
STEADY_S = 60.0  # having lived this long, a crash is a new story
START_FAILURES = 5


def waiting(now: float) -> Status:
    """A unit that is to start at once."""
    return Status(State.WAITING, now, now, unready_since=now)


def starting(status: Status, now: float) -> Status:
    """The unit's process was started."""
    return status._replace(state=State.STARTING, since=now, at=now + START_TIMEOUT_S)


def heard(status: Status, now: float) -> Status:
    """The unit said that it answers; the first time it becomes ready."""
    if status.state is State.READY:
        return status._replace(at=now + HANG_TIMEOUT_S)
    if status.state is not State.STARTING:
        return status
    return status._replace(state=State.READY, since=now, at=now + HANG_TIMEOUT_S)


def stopping(status: Status, now: float) -> Status:
    """The unit was told to end."""
    return status._replace(state=State.STOPPING, since=now, at=now + STOP_TIMEOUT_S)


def stopped(now: float) -> Status:
    """The unit is not to run any more."""
    return Status(State.STOPPED, now, NEVER)


def asleep(status: Status, now: float) -> Status:
    """The unit rests until the next connection."""
    return Status(State.ASLEEP, now, NEVER, restarts=status.restarts)


def exited(status: Status, now: float, error: str, *, is_hopeless: bool = False) -> Status:
    """The unit's process ended, with `error` saying how; what becomes of the unit.

    One that `is_hopeless` would end in the same way again, until the user has mended something.
    """
    if status.state is State.STOPPING:
        return status._replace(state=State.STOPPED, since=now, at=NEVER)
    was_ready = status.state is State.READY
    steady = was_ready and now - status.since >= STEADY_S
    failures = 1 if steady else status.failures + 1
    unready_since = now if was_ready else status.unready_since
    if is_hopeless or failures > START_FAILURES:
        return Status(
            State.FAILED, now, NEVER, unready_since, failures, status.restarts, last_error=error
        )
    pause = BACKOFF_S[min(failures, len(BACKOFF_S)) - 1]
    restarts = status.restarts + 1
    return Status(State.WAITING, now, now + pause, unready_since, failures, restarts, error)


def react(
    statuses: Mapping[str, Status], now: float, *, excused: frozenset[str] = frozenset()
) -> tuple[Action, ...]:
    """The actions that are due for the units; `excused` are answered for already."""
    actions: list[Action] = []
    for name, status in statuses.items():
        unready = status.state in {State.WAITING, State.STARTING}
        if unready and name not in excused and now - status.unready_since >= EXCUSE_S:
            actions.append(Excuse(name))
        if now < status.at:
            continue
        if status.state is State.WAITING:
            actions.append(Start(name))
        elif status.state in {State.STARTING, State.STOPPING, State.READY}:
            actions.append(Kill(name))
    return tuple(actions)


def rest(
    statuses: Mapping[str, Status], use: Use, now: float, *, idle_sleep_s: float, linger_s: float
) -> Action | None:
    """Whether the stack may end (nobody uses it any more) or sleep (nobody asks for anything)."""
    if use.in_flight:
        return None
    if (
        not use.sessions
        and not are_starting(statuses)
        and now >= max(use.left_at, use.active_at) + linger_s
    ):
        return End()
    are_idle = all(status.state in {State.READY, State.FAILED} for status in statuses.values())
    if are_idle and now >= use.active_at + idle_sleep_s:
        return Sleep()
    return None


def are_starting(statuses: Mapping[str, Status]) -> bool:
    """Whether some unit is on its way: a stack does not end before it has begun."""
    return any(status.state in {State.WAITING, State.STARTING} for status in statuses.values())


def next_due(
    statuses: Mapping[str, Status],
    now: float,
    use: Use | None = None,
    *,
    idle_sleep_s: float = NEVER,
    linger_s: float = NEVER,
) -> float | None:
    """Seconds until something may be due, or None when nothing will be by itself."""
    times = [status.at for status in statuses.values()]
    times += [
        status.unready_since + EXCUSE_S
        for status in statuses.values()
        if status.state in {State.WAITING, State.STARTING} and now < status.unready_since + EXCUSE_S
    ]
    if use and not use.in_flight:
        if not use.sessions and not are_starting(statuses):
            times.append(max(use.left_at, use.active_at) + linger_s)
        if any(status.state is State.READY for status in statuses.values()):
            times.append(use.active_at + idle_sleep_s)
    due = min(times, default=NEVER)
    return None if due == NEVER else max(0.0, due - now)
