"""The AWS profile: where its credentials come from, what certainly cannot work.

Knows: how the verdict of a launch is reported. Must not depend on botocore's rules, which
`aws/profile_check.py` knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openclaude.aws.endpoints import VARIABLES, deciding, is_plain
from openclaude.aws.profile_check import is_role, resolve_credentials
from openclaude.aws.sections import Section
from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.doctor.checks.environment import without_password
from openclaude.doctor.snapshot.world import World

RETRIES = ("retry_mode", "max_attempts")


def check_aws(world: World) -> Iterator[Diagnostic]:
    """The AWS profile that the profile names, if anything needs one."""
    plan = world.wanted.plan
    if plan is None:
        return
    if not plan.aws_profile:
        yield Diagnostic(
            code="aws", severity=Severity.OK, message="this profile needs no AWS profile"
        )
        return
    found = resolve_credentials(world.aws, plan.aws_profile)
    where = where_of(world, plan.aws_profile)
    if found.fault:
        why = "every launch fails with this error"
        yield found.fault._replace(why=why, location=where)
        return
    what = f"AWS profile `{plan.aws_profile}`: {found.method}"
    yield Diagnostic(code="aws", severity=Severity.OK, message=what, location=where)
    section = world.aws.merged(plan.aws_profile)
    yield from endpoints(world, section, where)
    if is_role(section) and section.get("mfa_serial"):
        yield Diagnostic(
            code="aws-mfa",
            severity=Severity.WARNING,
            message=f"AWS profile `{plan.aws_profile}` asks for an MFA code",
            why="the proxies cannot ask you for a code, so its requests fail",
            fix="use an AWS profile without `mfa_serial`, or one with a `credential_process`",
            location=where,
        )


def endpoints(world: World, section: Section, where: Location) -> Iterator[Diagnostic]:
    """What of AWS's own configuration decides which address of Bedrock is asked, and how often."""
    named = [*deciding(world.network, section)]
    if named and not world.wanted.endpoint_url:
        yield Diagnostic(
            code="aws-endpoint",
            severity=Severity.NOTE,
            message=f"{' and '.join(named)} of your AWS configuration decides which address of "
            "Bedrock is asked",
            why="the proxies ask the address that AWS's own tools would ask",
            fix=f"nothing to do; `{own_endpoint(world)}` would take precedence",
            location=where,
        )
    addresses = [*(world.network.get(name, "") for name in VARIABLES), section.get("endpoint_url")]
    for url in filter(None, addresses):
        if is_plain(url) and not world.wanted.endpoint_url:
            yield Diagnostic(
                code="aws-endpoint-plain",
                severity=Severity.WARNING,
                message=f"your AWS configuration names {without_password(url)} for Bedrock, which "
                "is not encrypted",
                why="nothing is sent there: your conversation could be read on the way",
                fix=f"name an https address there, or in the profile: `{own_endpoint(world)}`",
                location=where,
            )
    if any(section.get(key) for key in RETRIES):
        yield Diagnostic(
            code="aws-retries",
            severity=Severity.NOTE,
            message="`retry_mode` and `max_attempts` do not count for requests to models",
            why="openclaude asks once, and claude asks again; they count for credentials",
            fix="nothing to do",
            location=where,
        )


def own_endpoint(world: World) -> str:
    """The command that names an address in the profile."""
    return f"openclaude profiles set {world.wanted.name} aws.endpoint_url=https://HOST"


def where_of(world: World, name: str) -> Location:
    """The file that has the AWS profile; the credentials file takes precedence."""
    has_keys = name in world.aws.keys
    return Location(path=Path(world.aws.credentials if has_keys else world.aws.config))
