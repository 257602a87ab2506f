"""What the supervisor does next: tables of states and histories of events, the clock injected."""

from __future__ import annotations

import pytest

from openclaude.contracts.report import UnitState
from openclaude.run.supervisor.actions import (
    Action,
    End,
    Kill,
    KillDraining,
    ReportUnavailable,
    Sleep,
    Start,
    describe,
)
from openclaude.run.supervisor.reconcile import (
    AT_ONCE_S,
    BACKOFF_S,
    HANG_TIMEOUT_S,
    LATE_S,
    NEVER,
    START_FAILURES,
    START_TIMEOUT_S,
    STEADY_S,
    Drain,
    UnitStatus,
    Usage,
    asleep,
    draining,
    idle_action,
    next_due,
    on_exit,
    on_heartbeat,
    reconcile,
    starting,
    stopped,
    waiting,
)


def status(state: UnitState, at: float = NEVER, cause: str = "") -> UnitStatus:
    return UnitStatus(state=state, since=0.0, at=at, cause=cause)


WAITING = status(UnitState.WAITING, 10, "restart was asked for")
STARTING = status(UnitState.STARTING, 10)
READY = status(UnitState.READY)
SPOKE_AT_0 = status(UnitState.READY, HANG_TIMEOUT_S)
DRAINING = status(UnitState.DRAINING)
FAILED = status(UnitState.FAILED, cause="`main` ended with exit status 3")
ASLEEP = status(UnitState.ASLEEP)
OLD_MAIN = Drain(pid=7, unit="main", since=0.0, kill_at=12.0, cause="restart was asked for")


@pytest.mark.parametrize(
    ("main", "providers", "now", "actions"),
    [
        (
            waiting(0, "the stack was started"),
            waiting(0, "a connection arrived"),
            0,
            [
                Start(unit="main", cause="the stack was started"),
                Start(unit="providers", cause="a connection arrived"),
            ],
        ),
        (WAITING, READY, 9.9, []),
        (WAITING, READY, 10, [Start(unit="main", cause="restart was asked for")]),
        (STARTING, STARTING, 9.9, []),
        (STARTING, READY, 10, [Kill(unit="main", cause="it did not answer within 120 s")]),
        (SPOKE_AT_0, READY, HANG_TIMEOUT_S - 0.1, []),
        (
            SPOKE_AT_0,
            READY,
            HANG_TIMEOUT_S,
            [Kill(unit="main", cause="it sent no heartbeat for 30 s")],
        ),
        (DRAINING, DRAINING, 1e9, []),
        (ASLEEP, ASLEEP, 1e9, []),
        (
            READY,
            FAILED,
            0,
            [
                ReportUnavailable(
                    unit="providers", is_final=True, cause="`main` ended with exit status 3"
                )
            ],
        ),
        (
            status(UnitState.STARTING),
            READY,
            LATE_S,
            [ReportUnavailable(unit="main", is_final=False, cause="it has not answered for 150 s")],
        ),
    ],
)
def test_what_is_due_is_done_for_a_cause_and_nothing_else(
    main: UnitStatus, providers: UnitStatus, now: float, actions: list[Action]
) -> None:
    statuses = {"main": main, "providers": providers}

    assert reconcile(statuses, (), now, unavailable={}) == tuple(actions)


def test_a_draining_process_is_killed_when_its_time_is_up() -> None:
    units = {"main": READY}

    assert reconcile(units, (OLD_MAIN,), 11.9, unavailable={}) == ()
    assert reconcile(units, (OLD_MAIN,), 12.0, unavailable={}) == (
        KillDraining(unit="main", pid=7, cause="still busy 12 s after it was told to stop"),
    )


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (Start(unit="main", cause="a connection arrived"), "start main: a connection arrived"),
        (
            KillDraining(unit="main", pid=7, cause="still busy"),
            "kill main (draining, pid 7): still busy",
        ),
        (
            ReportUnavailable(unit="main", is_final=True, cause="it failed"),
            "answer for main with 424: it failed",
        ),
        (
            ReportUnavailable(unit="main", is_final=False, cause="it is late"),
            "answer for main with 503: it is late",
        ),
        (End(cause="signal SIGTERM"), "end: signal SIGTERM"),
    ],
)
def test_an_action_reads_as_what_is_done_to_whom_and_why(action: Action, line: str) -> None:
    assert describe(action) == line


def test_actions_of_different_kinds_are_never_equal() -> None:
    assert Start(unit="main", cause="x") != Kill(unit="main", cause="x")
    assert Sleep(cause="x") != End(cause="x")


@pytest.mark.parametrize(
    ("unit", "answered", "finals"),
    [
        (status(UnitState.WAITING), {}, [False]),
        (status(UnitState.WAITING), {"main": False}, []),
        (FAILED, {}, [True]),
        (FAILED, {"main": False}, [True]),  # it was late, and has failed since
        (FAILED, {"main": True}, []),
    ],
)
def test_a_unit_is_answered_for_once_in_each_way(
    unit: UnitStatus, answered: dict[str, bool], finals: list[bool]
) -> None:
    actions = reconcile({"main": unit}, (), LATE_S, unavailable=answered)

    assert [one.is_final for one in actions if isinstance(one, ReportUnavailable)] == finals


IDLE = {"idle_sleep_s": 100.0, "linger_s": 50.0}
SLEEP = Sleep(cause="no request for 100 s")
END = End(cause="no session and no request for 50 s")


def usage(sessions: int, in_flight: int, active_at: float, left_at: float) -> Usage:
    return Usage(sessions=sessions, in_flight=in_flight, active_at=active_at, left_at=left_at)


@pytest.mark.parametrize(
    ("statuses", "used", "now", "action"),
    [
        # a session without requests
        ((READY, READY), usage(1, 0, 10.0, 0.0), 109.9, None),
        ((READY, READY), usage(1, 0, 10.0, 0.0), 110.0, SLEEP),
        ((READY, FAILED), usage(1, 0, 10.0, 0.0), 110.0, SLEEP),
        ((READY, STARTING), usage(1, 0, 10.0, 0.0), 110.0, None),
        ((ASLEEP, ASLEEP), usage(1, 0, 10.0, 0.0), 1e6, None),
        # a request in flight keeps everything, with or without a session
        ((READY, READY), usage(1, 1, 10.0, 0.0), 1e6, None),
        ((READY, READY), usage(0, 1, 10.0, 0.0), 1e6, None),
        # no session: linger counts from the last session's end or the last request
        ((READY, READY), usage(0, 0, 10.0, 30.0), 79.9, None),
        ((READY, READY), usage(0, 0, 10.0, 30.0), 80.0, END),
        ((READY, READY), usage(0, 0, 60.0, 30.0), 109.9, None),
        ((ASLEEP, ASLEEP), usage(0, 0, 10.0, 30.0), 80.0, END),
        ((READY, STARTING), usage(0, 0, 10.0, 30.0), 1e6, None),
    ],
)
def test_a_stack_rests_when_nobody_needs_it(
    statuses: tuple[UnitStatus, UnitStatus], used: Usage, now: float, action: Action | None
) -> None:
    units = dict(zip(("main", "providers"), statuses, strict=True))

    assert idle_action(units, used, now, **IDLE) == action


@pytest.mark.parametrize(
    ("main", "used", "is_over"),
    [
        (READY, usage(0, 0, 10.0, 10.0), True),
        (STARTING, usage(0, 0, 10.0, 10.0), True),  # nobody waits for it
        (READY, usage(1, 0, 10.0, 10.0), False),
        (READY, usage(0, 1, 10.0, 10.0), False),
    ],
)
def test_a_stack_of_an_ephemeral_launch_ends_with_its_last_session(
    main: UnitStatus, used: Usage, is_over: bool
) -> None:
    patience = {"idle_sleep_s": 100.0, "linger_s": AT_ONCE_S}

    action = idle_action({"main": main}, used, 10.0, **patience)

    assert action == (
        End(cause="the launch that it was started for has ended") if is_over else None
    )
    due = next_due({"main": main}, (), 10.0, used, **patience)
    assert (due == 0.0) is is_over


@pytest.mark.parametrize(
    ("statuses", "now", "seconds"),
    [
        ({}, 5, None),
        ({"main": READY}, 5, None),
        ({"main": SPOKE_AT_0}, 5, HANG_TIMEOUT_S - 5),
        ({"main": WAITING}, 5, 5.0),
        ({"main": WAITING, "providers": status(UnitState.STARTING, 7)}, 5, 2.0),
        ({"main": WAITING}, 50, 0.0),
    ],
)
def test_the_loop_sleeps_until_something_is_due(
    statuses: dict[str, UnitStatus], now: float, seconds: float | None
) -> None:
    assert next_due(statuses, (), now) == seconds


def test_the_loop_wakes_for_a_draining_process_whose_time_is_up() -> None:
    assert next_due({"main": READY}, (OLD_MAIN,), 5.0) == 7.0


@pytest.mark.parametrize(
    ("unit", "used", "seconds"),
    [
        (READY, usage(1, 0, 10.0, 0.0), 90.0),
        (READY, usage(0, 0, 10.0, 30.0), 60.0),
        (ASLEEP, usage(0, 0, 10.0, 30.0), 60.0),
        (ASLEEP, usage(1, 0, 10.0, 30.0), None),
        (READY, usage(0, 1, 10.0, 30.0), None),
    ],
)
def test_the_loop_wakes_when_it_may_be_time_to_rest(
    unit: UnitStatus, used: Usage, seconds: float | None
) -> None:
    assert next_due({"main": unit}, (), 20.0, used, **IDLE) == seconds


def test_the_loop_does_not_run_hot_while_one_unit_could_sleep_and_the_other_starts() -> None:
    units = {"main": READY, "providers": status(UnitState.STARTING, at=200.0)}
    used = usage(1, 0, 10.0, 0.0)

    assert idle_action(units, used, 120.0, **IDLE) is None
    assert next_due(units, (), 120.0, used, **IDLE) == 30.0  # until it answers for the late one


def new(now: float = 0.0) -> UnitStatus:
    return waiting(now, "the stack was started")


def test_a_unit_that_never_stays_up_is_given_ever_longer_pauses_and_then_up() -> None:
    unit, now, pauses = new(), 0.0, []
    while unit.state is UnitState.WAITING:
        pauses.append(unit.at - now)
        now = unit.at
        unit = on_exit(starting(unit, now), now + 1, "`main` ended with exit status 3\nwhy")
        now += 1

    assert pauses == [0.0, *BACKOFF_S][: START_FAILURES + 1]
    assert unit.state is UnitState.FAILED
    assert unit.last_error == "`main` ended with exit status 3\nwhy"
    assert unit.cause == "`main` ended with exit status 3"
    assert unit.fatal_error == ""
    assert unit.unready_since == 0.0  # no unit has answered since the start


def test_a_fatal_error_is_tried_once() -> None:
    unit = on_exit(starting(new(), 0.0), 1.0, "the secret `env:X` is empty", is_fatal=True)

    assert (unit.state, unit.fatal_error) == (UnitState.FAILED, "the secret `env:X` is empty")


def test_a_crash_after_a_long_life_is_a_new_story() -> None:
    unit = on_heartbeat(starting(new()._replace(failures=4), 0.0), 5.0)

    soon = on_exit(unit, 5.0 + STEADY_S - 1, "signal SIGSEGV")
    late = on_exit(unit, 5.0 + STEADY_S, "signal SIGSEGV")

    assert (soon.failures, late.failures) == (5, 1)
    assert late.at == 5.0 + STEADY_S + BACKOFF_S[0]
    assert late.restarts == unit.restarts + 1
    assert late.unready_since == 5.0 + STEADY_S


def test_every_word_of_a_ready_unit_puts_its_hanging_off() -> None:
    unit = on_heartbeat(on_heartbeat(starting(new(), 0.0), 1.0), 20.0)

    assert (unit.state, unit.since, unit.at) == (UnitState.READY, 1.0, 20.0 + HANG_TIMEOUT_S)


def test_a_draining_unit_is_not_ready_again_and_keeps_its_cause_when_it_has_stopped() -> None:
    unit = draining(on_heartbeat(starting(new(), 0.0), 1.0), 2.0, "signal SIGTERM")

    assert (unit.state, unit.since, unit.cause) == (UnitState.DRAINING, 2.0, "signal SIGTERM")
    assert on_heartbeat(unit, 2.5) == unit
    after = stopped(unit._replace(restarts=2), 3.0, unit.cause)
    assert (after.state, after.at, after.cause) == (UnitState.STOPPED, NEVER, "signal SIGTERM")
    assert after.restarts == 2


def test_a_sleeping_unit_keeps_count_of_its_restarts_and_is_due_never() -> None:
    unit = asleep(5.0, "no request for 100 s", restarts=3)

    assert (unit.state, unit.at, unit.restarts) == (UnitState.ASLEEP, NEVER, 3)


def test_a_start_that_takes_too_long_ends_in_a_kill() -> None:
    unit = starting(new(), 0.0)

    assert reconcile({"main": unit}, (), START_TIMEOUT_S, unavailable={}) == (
        Kill(unit="main", cause="it did not answer within 120 s"),
    )
