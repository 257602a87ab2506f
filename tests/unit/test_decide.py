"""What the supervisor does next: tables of states and histories of events, the clock injected."""

from __future__ import annotations

import pytest

from openclaude.run.decide import (
    BACKOFF_S,
    EXCUSE_S,
    HANG_TIMEOUT_S,
    NEVER,
    START_FAILURES,
    START_TIMEOUT_S,
    STEADY_S,
    STOP_TIMEOUT_S,
    Action,
    End,
    Excuse,
    Kill,
    Sleep,
    Start,
    State,
    Status,
    Use,
    asleep,
    exited,
    heard,
    next_due,
    react,
    rest,
    starting,
    stopping,
    waiting,
)

WAITING = Status(State.WAITING, 0, 10)
STARTING = Status(State.STARTING, 0, 10)
READY = Status(State.READY, 0, NEVER)
SPOKE_AT_0 = Status(State.READY, 0, HANG_TIMEOUT_S)
STOPPING = Status(State.STOPPING, 0, 10)
FAILED = Status(State.FAILED, 0, NEVER)
ASLEEP = Status(State.ASLEEP, 0, NEVER)


@pytest.mark.parametrize(
    ("main", "providers", "now", "actions"),
    [
        (waiting(0), waiting(0), 0, (Start("main"), Start("providers"))),
        (WAITING, READY, 9.9, ()),
        (WAITING, READY, 10, (Start("main"),)),
        (STARTING, STARTING, 9.9, ()),
        (STARTING, READY, 10, (Kill("main"),)),
        (SPOKE_AT_0, READY, HANG_TIMEOUT_S - 0.1, ()),
        (SPOKE_AT_0, READY, HANG_TIMEOUT_S, (Kill("main"),)),
        (STOPPING, STOPPING, 10, (Kill("main"), Kill("providers"))),
        (READY, FAILED, 1e9, ()),
        (ASLEEP, ASLEEP, 1e9, ()),
        (
            Status(State.STARTING, 0, NEVER),
            READY,
            EXCUSE_S,
            (Excuse("main"),),
        ),
    ],
)
def test_what_is_due_is_done_and_nothing_else(
    main: Status, providers: Status, now: float, actions: tuple[Action, ...]
) -> None:
    assert react({"main": main, "providers": providers}, now) == actions


def test_actions_of_different_kinds_are_never_equal() -> None:
    assert Start("main") != Kill("main")
    assert Sleep() != End()


def test_a_unit_is_excused_once() -> None:
    late = {"main": Status(State.WAITING, 0, NEVER)}

    assert react(late, EXCUSE_S) == (Excuse("main"),)
    assert react(late, EXCUSE_S, excused=frozenset({"main"})) == ()


IDLE = {"idle_sleep_s": 100.0, "linger_s": 50.0}


@pytest.mark.parametrize(
    ("statuses", "use", "now", "action"),
    [
        # a session, nothing asked for
        ((READY, READY), Use(1, 0, 10.0, 0.0), 109.9, None),
        ((READY, READY), Use(1, 0, 10.0, 0.0), 110.0, Sleep()),
        ((READY, FAILED), Use(1, 0, 10.0, 0.0), 110.0, Sleep()),
        ((READY, STARTING), Use(1, 0, 10.0, 0.0), 110.0, None),
        ((ASLEEP, ASLEEP), Use(1, 0, 10.0, 0.0), 1e6, None),
        # a request that runs keeps everything, with or without a session
        ((READY, READY), Use(1, 1, 10.0, 0.0), 1e6, None),
        ((READY, READY), Use(0, 1, 10.0, 0.0), 1e6, None),
        # no session: linger counts from the last session's end or the last request
        ((READY, READY), Use(0, 0, 10.0, 30.0), 79.9, None),
        ((READY, READY), Use(0, 0, 10.0, 30.0), 80.0, End()),
        ((READY, READY), Use(0, 0, 60.0, 30.0), 109.9, None),
        ((ASLEEP, ASLEEP), Use(0, 0, 10.0, 30.0), 80.0, End()),
        ((READY, STARTING), Use(0, 0, 10.0, 30.0), 1e6, None),
    ],
)
def test_a_stack_rests_when_nobody_needs_it(
    statuses: tuple[Status, Status], use: Use, now: float, action: Action | None
) -> None:
    units = dict(zip(("main", "providers"), statuses, strict=True))

    assert rest(units, use, now, **IDLE) == action


@pytest.mark.parametrize(
    ("statuses", "now", "seconds"),
    [
        ({}, 5, None),
        ({"main": READY}, 5, None),
        ({"main": SPOKE_AT_0}, 5, HANG_TIMEOUT_S - 5),
        ({"main": WAITING}, 5, 5.0),
        ({"main": WAITING, "providers": Status(State.STARTING, 0, 7)}, 5, 2.0),
        ({"main": WAITING}, 50, 0.0),
    ],
)
def test_the_loop_sleeps_until_something_is_due(
    statuses: dict[str, Status], now: float, seconds: float | None
) -> None:
    assert next_due(statuses, now) == seconds


@pytest.mark.parametrize(
    ("status", "use", "seconds"),
    [
        (READY, Use(1, 0, 10.0, 0.0), 90.0),
        (READY, Use(0, 0, 10.0, 30.0), 60.0),
        (ASLEEP, Use(0, 0, 10.0, 30.0), 60.0),
        (ASLEEP, Use(1, 0, 10.0, 30.0), None),
        (READY, Use(0, 1, 10.0, 30.0), None),
    ],
)
def test_the_loop_wakes_when_it_may_be_time_to_rest(
    status: Status, use: Use, seconds: float | None
) -> None:
    assert next_due({"main": status}, 20.0, use, **IDLE) == seconds


def test_a_unit_that_never_stays_up_is_given_ever_longer_pauses_and_then_up() -> None:
    status, now, pauses = waiting(0.0), 0.0, []
    while status.state is State.WAITING:
        pauses.append(status.at - now)
        now = status.at
        status = exited(starting(status, now), now + 1, "exit status 3")
        now += 1

    assert pauses == [0.0, *BACKOFF_S][: START_FAILURES + 1]
    assert status.state is State.FAILED
    assert status.last_error == "exit status 3"
    assert status.unready_since == 0.0  # nobody has answered since the beginning


def test_a_crash_after_a_long_life_is_a_new_story() -> None:
    status = heard(starting(waiting(0.0)._replace(failures=4), 0.0), 5.0)

    soon = exited(status, 5.0 + STEADY_S - 1, "signal SIGSEGV")
    late = exited(status, 5.0 + STEADY_S, "signal SIGSEGV")

    assert (soon.failures, late.failures) == (5, 1)
    assert late.at == 5.0 + STEADY_S + BACKOFF_S[0]
    assert late.restarts == status.restarts + 1
    assert late.unready_since == 5.0 + STEADY_S


def test_every_word_of_a_ready_unit_puts_its_hanging_off() -> None:
    status = heard(heard(starting(waiting(0.0), 0.0), 1.0), 20.0)

    assert (status.state, status.since, status.at) == (State.READY, 1.0, 20.0 + HANG_TIMEOUT_S)


def test_a_unit_told_to_end_does_not_come_back_and_is_not_ready_again() -> None:
    status = stopping(heard(starting(waiting(0.0), 0.0), 1.0), 2.0)

    assert status.at == 2.0 + STOP_TIMEOUT_S
    assert heard(status, 2.5) == status
    assert exited(status, 3.0, "exit status 0").state is State.STOPPED


def test_a_sleeping_unit_keeps_count_of_its_restarts_and_is_due_never() -> None:
    status = asleep(READY._replace(restarts=3), 5.0)

    assert (status.state, status.at, status.restarts) == (State.ASLEEP, NEVER, 3)


def test_a_start_that_takes_too_long_ends_in_a_kill() -> None:
    status = starting(waiting(0.0), 0.0)

    assert react({"main": status}, START_TIMEOUT_S) == (Kill("main"),)
