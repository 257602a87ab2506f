"""Telemetry: whether the figures of requests can get to where the profile says.

Knows: what an unheard receiver and a taken port mean. Must not look at either.
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.snapshot.world import TelemetrySeen, World

NOT_SHOWN = "telemetry-not-shown"  # of a stack that runs its supervisor says so


def check_telemetry(world: World) -> Iterator[Diagnostic]:
    """Nothing for a profile that wants none."""
    seen = world.telemetry
    if seen is None:
        return
    if seen.how_to_add:
        yield Diagnostic(
            code="extra-missing",
            severity=Severity.ERROR,
            message="`telemetry` of this profile needs OpenTelemetry, which is not installed",
            why="no launch starts before it is, so that no figures are missed",
            fix=seen.how_to_add,
        )
        return
    problems = [*unheard(seen), *taken(seen, is_live=world.stack.is_live)]
    yield from problems
    running = (world.stack.report or {}).get("degraded", ())
    if not problems and not any(row["code"] == NOT_SHOWN for row in running):
        yield Diagnostic(code="telemetry", severity=Severity.OK, message=told(seen))


def unheard(seen: TelemetrySeen) -> Iterator[Diagnostic]:
    """A receiver that is not there."""
    if seen.otlp and not seen.is_heard:
        yield Diagnostic(
            code="telemetry-unheard",
            severity=Severity.WARNING,
            message=f"nothing listens at {seen.otlp}, where figures of requests are sent",
            why="they are dropped, and requests go on",
            fix="start the OpenTelemetry collector, or correct `telemetry.otlp`",
        )


def taken(seen: TelemetrySeen, *, is_live: bool) -> Iterator[Diagnostic]:
    """A port that is not ours: the profile's stack, which would have it, does not run."""
    if seen.is_port_open and not is_live:
        yield Diagnostic(
            code="telemetry-port-taken",
            severity=Severity.WARNING,
            message=f"another program listens on port {seen.prometheus} of `telemetry.prometheus`",
            why="Prometheus would read its page, not the figures of this profile",
            fix="choose another port, or end that program",
        )


def told(seen: TelemetrySeen) -> str:
    """Who gets figures."""
    ways = (
        f"are sent to {seen.otlp}" if seen.otlp else "",
        f"can be read at http://127.0.0.1:{seen.prometheus}/metrics while the proxies run"
        if seen.prometheus
        else "",
    )
    return f"figures of requests {' and '.join(filter(None, ways))}"
