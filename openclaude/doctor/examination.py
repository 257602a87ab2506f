"""The examination: every check, in the order in which a launch would meet its subject.

Knows: the order. Must not depend on what any check finds.
"""

from __future__ import annotations

from openclaude.diagnostics import Diagnostic
from openclaude.doctor.checks.aws import check_aws
from openclaude.doctor.checks.claude import check_claude, check_login
from openclaude.doctor.checks.disk import check_disk, check_recording
from openclaude.doctor.checks.environment import check_environment
from openclaude.doctor.checks.kernel import check_kernel, check_open_files
from openclaude.doctor.checks.litellm import check_litellm
from openclaude.doctor.checks.network import check_network
from openclaude.doctor.checks.pins import check_pins
from openclaude.doctor.checks.profile import check_profile
from openclaude.doctor.checks.settings import check_settings
from openclaude.doctor.checks.stack import check_elsewhere, check_ports, check_stack
from openclaude.doctor.checks.telemetry import check_telemetry
from openclaude.doctor.snapshot.world import World

CHECKS = (
    check_claude,
    check_login,
    check_litellm,
    check_profile,
    check_aws,
    check_settings,
    check_pins,
    check_environment,
    check_network,
    check_telemetry,
    check_stack,
    check_elsewhere,
    check_ports,
    check_disk,
    check_recording,
    check_kernel,
    check_open_files,
)


def examine(world: World) -> tuple[Diagnostic, ...]:
    """All diagnostics for a world."""
    return tuple(finding for check in CHECKS for finding in check(world))
