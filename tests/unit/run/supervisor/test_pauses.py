"""A supervisor that was itself suspended blames no unit for the silence."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from openclaude.contracts.report import UnitState
from openclaude.run.supervisor import reconcile
from openclaude.run.supervisor.reconcile import HANG_TIMEOUT_S, NEVER, UnitStatus
from openclaude.run.supervisor.supervisor import PAUSE_S, Supervisor

EVENT = ("the key", 1)


class Clock:
    """A time that passes while the selector waits: a second longer than requested, or many."""

    def __init__(self, pause_s: float) -> None:
        self.now = 1000.0
        self.pause_s = pause_s
        self.looks: list[float] = []

    def select(self, timeout_s: float) -> list[Any]:
        """Return nothing at the first call, as after SIGCONT; at the next, what is ready."""
        self.looks.append(timeout_s)
        if timeout_s:
            self.now += timeout_s + self.pause_s
            return []
        return [EVENT]


@pytest.mark.parametrize(
    ("pause_s", "forgiven"), [(0.5, []), (PAUSE_S, [30.0 + PAUSE_S]), (600, [630.0])]
)
def test_it_looks_again_and_gives_everybody_the_time_it_slept(
    monkeypatch: pytest.MonkeyPatch, pause_s: float, forgiven: list[float]
) -> None:
    clock = Clock(pause_s)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(Supervisor, "sleep_s", lambda _self: 30.0)
    given: list[float] = []
    supervisor: Any = Supervisor.__new__(Supervisor)
    supervisor.selector = clock
    supervisor.heard_at = clock.now
    supervisor.stopping_since = 0.0
    supervisor.log = lambda _text: None
    supervisor.units = SimpleNamespace(forgive=given.append)

    assert supervisor.wait() == [EVENT]
    assert clock.looks == [30.0, 0]
    assert given == forgiven


def test_a_patience_grows_by_the_pause() -> None:
    ready = UnitStatus(state=UnitState.READY, since=0.0, at=HANG_TIMEOUT_S)
    starting = UnitStatus(state=UnitState.STARTING, since=0.0, at=120.0, unready_since=5.0)

    assert reconcile.forgive(ready, 40.0) == ready._replace(at=HANG_TIMEOUT_S + 40.0)
    assert reconcile.forgive(starting, 40.0) == starting._replace(at=160.0, unready_since=45.0)
    assert reconcile.forgive(ready._replace(at=NEVER), 40.0).at == NEVER
    late = HANG_TIMEOUT_S + 10.0
    assert reconcile.reconcile({"main": ready}, (), late, unavailable={}) != ()
    forgiven = reconcile.forgive(ready, 40.0)
    assert reconcile.reconcile({"main": forgiven}, (), late, unavailable={}) == ()


def test_a_start_that_is_due_is_not_put_off_by_a_pause() -> None:
    waiting = reconcile.waiting(10.0, "requested by `openclaude restart`")

    assert reconcile.forgive(waiting, 40.0) == waiting._replace(unready_since=50.0)
