"""Looking at what a profile's telemetry needs: packages, a receiver, a port.

Knows: the plan's main, loopback connections. Independent of: what it means.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from openclaude.contracts.plan import Plan
from openclaude.contracts.routing import telemetry_targets_in
from openclaude.doctor.snapshot.world import TelemetrySeen
from openclaude.program import has_otel, how_to_add

CONNECT_TIMEOUT_S = 0.5


def look_at_telemetry(plan: Plan | None) -> TelemetrySeen | None:
    """What is there of it; None where the profile wants none."""
    units = plan.units if plan else ()
    found = (telemetry_targets_in(unit.environment) for unit in units)
    targets = next((one for one in found if one), None)
    if targets is None:
        return None
    has_packages = has_otel()
    address = urlsplit(targets.otlp)
    return TelemetrySeen(
        otlp=targets.otlp,
        prometheus=targets.prometheus,
        is_heard=bool(targets.otlp) and is_open(address.hostname or "", address.port or 80),
        is_port_open=bool(targets.prometheus) and is_open("127.0.0.1", targets.prometheus),
        how_to_add="" if has_packages else how_to_add(),
    )


def is_open(host: str, port: int) -> bool:
    """Whether anything listens there."""
    try:
        socket.create_connection((host, port), CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True
