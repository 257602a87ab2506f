"""The AWS profile: where its credentials come from, what certainly cannot work.

Knows: how the verdict of a launch is reported. Must not depend on botocore's rules, which
`aws/profile_check.py` knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openclaude.aws.profile_check import is_role, resolve_credentials
from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.doctor.snapshot.world import World


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
    if is_role(section) and section.get("mfa_serial"):
        yield Diagnostic(
            code="aws-mfa",
            severity=Severity.WARNING,
            message=f"AWS profile `{plan.aws_profile}` asks for an MFA code",
            why="the proxies cannot ask you for a code, so its requests fail",
            fix="use an AWS profile without `mfa_serial`, or one with a `credential_process`",
            location=where,
        )


def where_of(world: World, name: str) -> Location:
    """The file that has the AWS profile; the credentials file takes precedence."""
    has_keys = name in world.aws.keys
    return Location(path=Path(world.aws.credentials if has_keys else world.aws.config))
