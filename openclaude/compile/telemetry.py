"""Telemetry: what main is told of who gets the figures of requests.

Knows: the variables. Independent of: how they are sent. Pure.
"""

from __future__ import annotations

from openclaude.compile.resolve import Resolution
from openclaude.contracts.plan import STACK_FOLDER
from openclaude.contracts.routing import TELEMETRY_VARIABLE, TelemetryTargets
from openclaude.contracts.worker import FURTHER_PORT_VARIABLE


def telemetry(resolution: Resolution) -> dict[str, str]:
    """The variables of main; none by default."""
    wanted = resolution.profile.telemetry
    if not wanted.is_wanted:
        return {}
    targets = TelemetryTargets(
        profile=resolution.name, otlp=wanted.otlp or "", prometheus=wanted.prometheus or 0
    )
    variables = {TELEMETRY_VARIABLE: targets.to_json()}
    if wanted.prometheus:
        variables[FURTHER_PORT_VARIABLE] = f"{wanted.prometheus} {STACK_FOLDER}"
    return variables


def receivers(resolution: Resolution) -> list[str]:
    """The addresses that main connects to for it."""
    return [otlp] if (otlp := resolution.profile.telemetry.otlp) else []
