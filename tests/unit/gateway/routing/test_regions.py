"""A model in several regions: sessions are spread, and a region that throttles is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from openclaude.gateway.routing.regions import COOL_DOWN_S, LONGEST_S, Regions

GROUPS = ["slot", "slot-region-eu-west-1", "slot-region-us-east-1", "slot-fallback-1"]
OWN, OTHER = GROUPS[:3], GROUPS[3]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def regions(clock: Clock) -> Regions:
    return Regions(clock)


def of(session: int) -> dict[str, Any]:
    return {"metadata": {"user_id": f"session-{session}"}}


def test_a_session_stays_in_its_region_and_sessions_are_spread(regions: Regions) -> None:
    firsts = [regions.order(GROUPS, of(session))[0] for session in range(300)]

    assert firsts == [regions.order(GROUPS, of(session))[0] for session in range(300)]
    assert {*firsts} == {*OWN}
    assert all(70 < firsts.count(group) < 130 for group in OWN)


@pytest.mark.parametrize("document", [{}, {"metadata": None}, {"metadata": {"user_id": 7}}])
def test_a_request_of_no_session_begins_with_the_first(
    regions: Regions, document: dict[str, Any]
) -> None:
    assert regions.order(GROUPS, document) == GROUPS


def test_another_model_comes_after_every_region(regions: Regions) -> None:
    for session in range(20):
        assert regions.order(GROUPS, of(session))[3:] == [OTHER]


def test_a_region_that_throttles_is_asked_last_until_it_has_cooled(
    regions: Regions, clock: Clock
) -> None:
    first, second, third, _ = regions.order(GROUPS, {})
    regions.failed(first, 429, "")

    assert regions.order(GROUPS, {}) == [second, third, first, OTHER]
    clock.now += COOL_DOWN_S - 1
    assert regions.order(GROUPS, {})[0] == second
    clock.now += 1
    assert regions.order(GROUPS, {})[0] == first


@pytest.mark.parametrize(
    ("said", "waits"),
    [("7", 7.0), ("86400", LONGEST_S), ("soon", COOL_DOWN_S), ("-5", COOL_DOWN_S)],
)
def test_it_is_left_alone_as_long_as_it_says_within_reason(
    regions: Regions, clock: Clock, said: str, waits: float
) -> None:
    regions.failed("slot", 429, said)

    clock.now += waits - 0.1
    assert regions.order(GROUPS, {})[0] != "slot"
    clock.now += 0.1
    assert regions.order(GROUPS, {})[0] == "slot"


def test_no_other_failure_cools_a_region(regions: Regions) -> None:
    regions.failed("slot", 503, "60")

    assert regions.order(GROUPS, {})[0] == "slot"


def test_a_slot_in_one_region_is_asked_in_the_order_of_the_profile(regions: Regions) -> None:
    regions.failed("slot", 429, "60")

    assert regions.order(["slot", OTHER], of(1)) == ["slot", OTHER]
