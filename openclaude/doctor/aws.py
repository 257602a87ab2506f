"""The AWS profile: where its credentials come from, what is certainly wrong with it.

Knows: how the judgement of a launch is told. Refuses to know: botocore's rules (`aws_profiles`).
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaude.doctor.aws_profiles import is_role, resolve
from openclaude.doctor.finding import OK, STOPS, WARNS, Finding
from openclaude.doctor.world import World


def check_aws(world: World) -> Iterator[Finding]:
    """The AWS profile that the profile names, if anything needs one."""
    plan = world.wanted.plan
    if plan is None:
        return
    if not plan.aws_profile:
        yield Finding("aws", OK, "this profile needs no AWS profile")
        return
    found = resolve(world.aws, plan.aws_profile)
    where = where_of(world, plan.aws_profile)
    if found.fault:
        why = "a launch ends with this error"
        fault = found.fault
        yield Finding(fault.code, STOPS, fault.problem, why, fault.mend, where)
        return
    what = f"AWS profile `{plan.aws_profile}`: {found.method}"
    yield Finding("aws", OK, what, where=where)
    section = world.aws.merged(plan.aws_profile)
    if is_role(section) and section.get("mfa_serial"):
        yield Finding(
            "aws-mfa",
            WARNS,
            f"AWS profile `{plan.aws_profile}` asks for an MFA code",
            "the proxies have no terminal to ask on, so its requests fail",
            "name an AWS profile without `mfa_serial`, or one that a `credential_process` serves",
            where,
        )


def where_of(world: World, name: str) -> str:
    """The file that has the AWS profile; the credentials file goes first."""
    if name in world.aws.keys:
        return world.aws.credentials
    return world.aws.config
