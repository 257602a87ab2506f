"""Telemetry in doctor: what is missing, unheard or taken, and nothing where none is wanted."""

from __future__ import annotations

import pytest

from openclaude.aws.files import AwsFacts
from openclaude.diagnostics import Severity
from openclaude.doctor.checks.telemetry import check_telemetry
from openclaude.doctor.snapshot.world import Claude, ProfileSeen, StackSeen, TelemetrySeen, World

WORLD = World(env={}, claude=Claude("/c"), wanted=ProfileSeen("x"), aws=AwsFacts("c", "d"))
OTLP = TelemetrySeen(otlp="http://127.0.0.1:4318", is_heard=True)
PAGE = TelemetrySeen(prometheus=9464)


@pytest.mark.parametrize(
    ("seen", "is_live", "expected"),
    [
        (None, False, []),
        (OTLP, False, [("telemetry", Severity.OK)]),
        (OTLP._replace(is_heard=False), True, [("telemetry-unheard", Severity.WARNING)]),
        (PAGE, False, [("telemetry", Severity.OK)]),
        (PAGE._replace(is_port_open=True), True, [("telemetry", Severity.OK)]),
        (PAGE._replace(is_port_open=True), False, [("telemetry-port-taken", Severity.WARNING)]),
        (OTLP._replace(how_to_add="pip"), False, [("extra-missing", Severity.ERROR)]),
    ],
)
def test_telemetry_is_judged_by_what_is_there(
    seen: TelemetrySeen | None, is_live: bool, expected: list[tuple[str, Severity]]
) -> None:
    world = WORLD._replace(telemetry=seen, stack=StackSeen(is_live=is_live))

    assert [(one.code, one.severity) for one in check_telemetry(world)] == expected


def test_where_all_is_well_both_ways_are_named() -> None:
    seen = OTLP._replace(prometheus=9464)

    (one,) = check_telemetry(WORLD._replace(telemetry=seen))

    assert one.message == (
        "figures of requests are sent to http://127.0.0.1:4318 and can be read at "
        "http://127.0.0.1:9464/metrics while the proxies run"
    )


def test_a_stack_that_lacks_its_port_says_so_itself_and_nothing_says_that_all_is_well() -> None:
    report = {"degraded": ({"code": "telemetry-not-shown"},)}
    seen = PAGE._replace(is_port_open=True)
    stack = StackSeen(is_live=True, report=report)

    assert [*check_telemetry(WORLD._replace(telemetry=seen, stack=stack))] == []
