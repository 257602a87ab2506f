"""The examination: every check, in the order in which a launch would meet its subject.

Knows: the order. Refuses to know: what any check finds.
"""

from __future__ import annotations

from openclaude.doctor.aws import check_aws
from openclaude.doctor.claude import check_claude, check_login
from openclaude.doctor.disk import check_disk
from openclaude.doctor.environment import check_environment
from openclaude.doctor.finding import Finding
from openclaude.doctor.litellm import check_litellm
from openclaude.doctor.profile import check_profile
from openclaude.doctor.settings import check_settings
from openclaude.doctor.stack import check_ports, check_stack
from openclaude.doctor.world import World

CHECKS = (
    check_claude,
    check_login,
    check_litellm,
    check_profile,
    check_aws,
    check_settings,
    check_environment,
    check_stack,
    check_ports,
    check_disk,
)


def examine(world: World) -> tuple[Finding, ...]:
    """Everything there is to say of a world."""
    return tuple(finding for check in CHECKS for finding in check(world))
