"""How an instance ends: which signal counts, and when the last requests are in."""

from __future__ import annotations

import pytest

from openclaude.contracts.decode import Malformed
from openclaude.contracts.worker import ServiceEnd, ending_text, read_ending
from openclaude.run.worker import ending as module
from openclaude.run.worker.ending import InstanceEnd


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def test_without_a_drain_the_first_signal_ends_it(clock: Clock) -> None:
    end = InstanceEnd()

    assert not end.begin_drain()
    assert not end.is_drained


def test_a_drain_begins_with_the_first_signal_and_lasts_as_long_as_was_said(clock: Clock) -> None:
    end = InstanceEnd(ServiceEnd(drain_s=5, grace_s=60))
    assert not end.is_drained

    assert end.begin_drain()
    clock.now += 4.9
    assert not end.is_drained
    clock.now += 0.2
    assert end.is_drained


def test_a_second_signal_ends_it_now(clock: Clock) -> None:
    end = InstanceEnd(ServiceEnd(drain_s=5, grace_s=60))

    assert [end.begin_drain(), end.begin_drain()] == [True, False]


def test_what_is_said_of_the_end_is_read_again() -> None:
    said = ServiceEnd(drain_s=5, grace_s=120)

    assert read_ending(ending_text(said)) == said
    with pytest.raises(Malformed):
        read_ending("5 120")
