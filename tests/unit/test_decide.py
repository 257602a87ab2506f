"""What the supervisor does next: tables of states and histories of events, the clock injected."""

from __future__ import annotations

import pytest

from openclaude.run.decide import (
    BACKOFF_S,
    START_FAILURES,
    START_TIMEOUT_S,
    STEADY_S,
    STOP_TIMEOUT_S,
    Action,
    Kill,
    Start,
    State,
    Status,
    exited,
    next_due,
    react,
    ready,
    starting,
    stopping,
    waiting,
)

NEVER = float("inf")
WAITING = Status(State.WAITING, 0, 10)
STARTING = Status(State.STARTING, 0, 10)
READY = Status(State.READY, 0, NEVER)
STOPPING = Status(State.STOPPING, 0, 10)
FAILED = Status(State.FAILED, 0, NEVER)


@pytest.mark.parametrize(
    ("main", "providers", "now", "actions"),
    [
        (waiting(0), waiting(0), 0, (Start("main"), Start("providers"))),
        (WAITING, READY, 9.9, ()),
        (WAITING, READY, 10, (Start("main"),)),
        (STARTING, STARTING, 9.9, ()),
        (STARTING, READY, 10, (Kill("main"),)),
        (STOPPING, STOPPING, 10, (Kill("main"), Kill("providers"))),
        (READY, FAILED, 1e9, ()),
    ],
)
def test_what_is_due_is_done_and_nothing_else(
    main: Status, providers: Status, now: float, actions: tuple[Action, ...]
) -> None:
    assert react({"main": main, "providers": providers}, now) == actions


@pytest.mark.parametrize(
    ("statuses", "now", "seconds"),
    [
        ({}, 5, None),
        ({"main": READY}, 5, None),
        ({"main": WAITING}, 5, 5.0),
        ({"main": WAITING, "providers": Status(State.STARTING, 0, 7)}, 5, 2.0),
        ({"main": WAITING}, 50, 0.0),
    ],
)
def test_the_loop_sleeps_until_something_is_due(
    statuses: dict[str, Status], now: float, seconds: float | None
) -> None:
    assert next_due(statuses, now) == seconds


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


def test_a_crash_after_a_long_life_is_a_new_story() -> None:
    status = ready(starting(waiting(0.0)._replace(failures=4), 0.0), 5.0)

    soon = exited(status, 5.0 + STEADY_S - 1, "signal SIGSEGV")
    late = exited(status, 5.0 + STEADY_S, "signal SIGSEGV")

    assert (soon.failures, late.failures) == (5, 1)
    assert late.at == 5.0 + STEADY_S + BACKOFF_S[0]
    assert late.restarts == status.restarts + 1


def test_a_unit_told_to_end_does_not_come_back() -> None:
    status = stopping(ready(starting(waiting(0.0), 0.0), 1.0), 2.0)

    assert status.at == 2.0 + STOP_TIMEOUT_S
    assert exited(status, 3.0, "exit status 0").state is State.STOPPED


def test_a_start_that_takes_too_long_ends_in_a_kill() -> None:
    status = starting(waiting(0.0), 0.0)

    assert react({"main": status}, START_TIMEOUT_S) == (Kill("main"),)
