"""What the supervisor does next, as pure functions of its observations; each action has a cause.

Knows: unit states, back-off, deadlines, when a stack may sleep or end. Independent of: processes,
the clock (given as `now`, in seconds), plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openclaude.contracts.record import Record
from openclaude.contracts.report import UnitState
from openclaude.run.supervisor.actions import (
    Action,
    End,
    Kill,
    KillDraining,
    ReportUnavailable,
    Sleep,
    Start,
)

NEVER = float("inf")
AT_ONCE_S = -1.0  # as a linger: without a session nothing is waited for, not even a start


class UnitStatus(Record):
    """A unit's state and what led to it."""

    state: UnitState
    since: float  # when the state began, s
    at: float = NEVER  # when something is due: a waiting unit's start, the end of a patience, s
    cause: str = ""  # why it is in this state
    unready_since: float = 0.0  # since when it has not answered, s
    failures: int = 0  # starts in a row that ended early
    restarts: int = 0
    last_error: str = ""
    fatal_error: str = ""  # why it cannot start before the user fixes something


class Drain(Record):
    """A process that was told to stop."""

    pid: int
    unit: str
    since: float  # s
    kill_at: float  # s
    cause: str
    is_patient: bool = False  # it may finish what it has, however long that takes


class Usage(Record):
    """The usage of a stack."""

    sessions: int  # launches that are still claude
    in_flight: int  # requests
    active_at: float  # when a request last began or ended, or the units were started, s
    left_at: float  # when the last session ended, or the stack began, s


START_TIMEOUT_S = 120.0  # a cold disk and a busy machine: LiteLLM was seen to take 33 s
STOP_TIMEOUT_S = 16.0  # more than the instance's own grace for streams (10) and their farewell (3)
HANG_TIMEOUT_S = 30.0  # a unit says every 5 s that it lives; LiteLLM blocks its loop now and then
LATE_S = 150.0  # claude was seen to wait 330 s for a first byte
BACKOFF_S = (0.0, 0.5, 2.0, 5.0, 10.0)
STEADY_S = 60.0  # having lived this long, a crash is a new story
START_FAILURES = 5


# a unit's next state ------------------------------------------------------------------------------


def waiting(now: float, cause: str) -> UnitStatus:
    """A unit that must start at once."""
    return UnitStatus(state=UnitState.WAITING, since=now, at=now, cause=cause, unready_since=now)


def starting(status: UnitStatus, now: float) -> UnitStatus:
    """The unit's process was started."""
    return status._replace(state=UnitState.STARTING, since=now, at=now + START_TIMEOUT_S)


def on_heartbeat(status: UnitStatus, now: float) -> UnitStatus:
    """The unit sent a heartbeat; with the first one it becomes ready."""
    if status.state is UnitState.READY:
        return status._replace(at=now + HANG_TIMEOUT_S)
    if status.state is not UnitState.STARTING:
        return status
    return status._replace(state=UnitState.READY, since=now, at=now + HANG_TIMEOUT_S)


def draining(status: UnitStatus, now: float, cause: str) -> UnitStatus:
    """The unit must stop, and finishes its requests until its Drain's deadline."""
    return status._replace(state=UnitState.DRAINING, since=now, at=NEVER, cause=cause)


def stopped(status: UnitStatus, now: float, cause: str) -> UnitStatus:
    """The unit is stopped."""
    return UnitStatus(
        state=UnitState.STOPPED,
        since=now,
        cause=cause,
        restarts=status.restarts,
        last_error=status.last_error,
    )


def asleep(now: float, cause: str, *, restarts: int = 0) -> UnitStatus:
    """The unit rests until the next connection."""
    return UnitStatus(state=UnitState.ASLEEP, since=now, cause=cause, restarts=restarts)


def on_exit(status: UnitStatus, now: float, error: str, *, is_fatal: bool = False) -> UnitStatus:
    """The next state of a unit whose process exited, with `error` as the reason.

    A fatal error would repeat until the user has fixed its cause.
    """
    was_ready = status.state is UnitState.READY
    steady = was_ready and now - status.since >= STEADY_S
    failures = 1 if steady else status.failures + 1
    after = status._replace(
        since=now,
        cause=error.partition("\n")[0],
        unready_since=now if was_ready else status.unready_since,
        failures=failures,
        last_error=error,
    )
    if is_fatal or failures > START_FAILURES:
        fatal = error if is_fatal else ""
        return after._replace(state=UnitState.FAILED, at=NEVER, fatal_error=fatal)
    pause = BACKOFF_S[min(failures, len(BACKOFF_S)) - 1]
    return after._replace(
        state=UnitState.WAITING, at=now + pause, restarts=status.restarts + 1, fatal_error=""
    )


def forgive(status: UnitStatus, pause_s: float) -> UnitStatus:
    """The unit's patience, longer by a time in which it could not be heard.

    A start that is due is not put off.
    """
    late_s = pause_s if is_unready(status) else 0.0
    patience_s = 0.0 if status.state is UnitState.WAITING else pause_s
    return status._replace(at=status.at + patience_s, unready_since=status.unready_since + late_s)


# what is due --------------------------------------------------------------------------------------


def reconcile(
    statuses: Mapping[str, UnitStatus],
    drains: Iterable[Drain],
    now: float,
    *,
    unavailable: Mapping[str, bool],
) -> tuple[Action, ...]:
    """The actions that are due.

    `unavailable` are the units that are already answered for, and whether finally: once when a unit
    is late, and once more when it has failed.
    """
    actions: list[Action] = []
    for name, status in statuses.items():
        actions += report_unavailable(name, status, now, unavailable.get(name))
        if now >= status.at:
            actions += due(name, status)
    return (
        *actions,
        *(
            KillDraining(
                unit=drain.unit,
                pid=drain.pid,
                cause=f"it sent no heartbeat for {HANG_TIMEOUT_S:g} s"
                if drain.is_patient
                else f"still busy {now - drain.since:.0f} s after it was told to stop",
            )
            for drain in drains
            if now >= drain.kill_at
        ),
    )


def due(name: str, status: UnitStatus) -> list[Action]:
    """The actions after a unit's back-off or timeout."""
    match status.state:
        case UnitState.WAITING:
            return [Start(unit=name, cause=status.cause)]
        case UnitState.STARTING:
            return [Kill(unit=name, cause=f"it did not answer within {START_TIMEOUT_S:g} s")]
        case UnitState.READY:
            return [Kill(unit=name, cause=f"it sent no heartbeat for {HANG_TIMEOUT_S:g} s")]
        case _:
            return []


def report_unavailable(
    name: str, status: UnitStatus, now: float, answered_finally: bool | None
) -> list[Action]:
    """The answer for a unit that has failed, or takes longer than a client should wait."""
    if status.state is UnitState.FAILED and answered_finally is not True:
        return [ReportUnavailable(unit=name, is_final=True, cause=status.cause)]
    if is_unready(status) and answered_finally is None and now >= status.unready_since + LATE_S:
        cause = f"it has not answered for {LATE_S:g} s"
        return [ReportUnavailable(unit=name, is_final=False, cause=cause)]
    return []


def idle_action(
    statuses: Mapping[str, UnitStatus],
    usage: Usage,
    now: float,
    *,
    idle_sleep_s: float,
    linger_s: float,
) -> Action | None:
    """Whether the stack may end (no sessions) or sleep (no requests)."""
    if usage.in_flight:
        return None
    if (
        not usage.sessions
        and (linger_s == AT_ONCE_S or not are_starting(statuses))
        and now >= max(usage.left_at, usage.active_at) + linger_s
    ):
        if linger_s == AT_ONCE_S:
            return End(cause="the launch that it was started for has ended")
        return End(cause=f"no session and no request for {linger_s:g} s")
    if may_sleep(statuses) and now >= usage.active_at + idle_sleep_s:
        return Sleep(cause=f"no request for {idle_sleep_s:g} s")
    return None


def may_sleep(statuses: Mapping[str, UnitStatus]) -> bool:
    """Whether nothing is under way; failed units have nothing to put to sleep."""
    states = {status.state for status in statuses.values()}
    return UnitState.READY in states and states <= {UnitState.READY, UnitState.FAILED}


def is_unready(status: UnitStatus) -> bool:
    """Whether the unit is starting."""
    return status.state in {UnitState.WAITING, UnitState.STARTING}


def are_starting(statuses: Mapping[str, UnitStatus]) -> bool:
    """Whether a unit is starting: a stack does not end before it is up."""
    return any(is_unready(status) for status in statuses.values())


def next_due(
    statuses: Mapping[str, UnitStatus],
    drains: Iterable[Drain],
    now: float,
    usage: Usage | None = None,
    *,
    idle_sleep_s: float = NEVER,
    linger_s: float = NEVER,
) -> float | None:
    """Seconds until an action may be due, or None if there is no deadline."""
    times = [status.at for status in statuses.values()]
    times += [drain.kill_at for drain in drains]
    times += [
        status.unready_since + LATE_S
        for status in statuses.values()
        if is_unready(status) and now < status.unready_since + LATE_S
    ]
    if usage and not usage.in_flight:
        if not usage.sessions and (linger_s == AT_ONCE_S or not are_starting(statuses)):
            times.append(max(usage.left_at, usage.active_at) + linger_s)
        if may_sleep(statuses):
            times.append(usage.active_at + idle_sleep_s)
    next_time = min(times, default=NEVER)
    return None if next_time == NEVER else max(0.0, next_time - now)
