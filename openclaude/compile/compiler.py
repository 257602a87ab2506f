"""Compile: a profile becomes a plan.

Knows: the order of the steps. Pure; `made_by` is the version of openclaude, part of the digest.
"""

from __future__ import annotations

from openclaude.compile.claude_environment import launch_plan, tier_plans
from openclaude.compile.litellm_configs import (
    BEFORE_FORK,
    LITELLM_FLAGS,
    aws_profile,
    main_config,
    providers_config,
    units,
)
from openclaude.compile.resolve import FindModel, resolve
from openclaude.contracts.plan import Plan
from openclaude.profile.schema import Profile

PROGRAM = "command:"  # how a profile writes a program


def compile_plan(name: str, profile: Profile, find_model: FindModel, *, made_by: str) -> Plan:
    """The plan of the profile called `name`."""
    resolution = resolve(name, profile, find_model)
    files = {"main.yaml": main_config(resolution)}
    if resolution.has_providers:
        files["providers.yaml"] = providers_config(resolution)
    return Plan(
        profile=name,
        port=profile.listen.port,
        strict=profile.listen.strict,
        is_tls=profile.listen.tls,
        anthropic_url=profile.anthropic.base_url,
        aws_profile=aws_profile(resolution),
        aws_on_expired=profile.aws.on_expired,
        aws_login=(profile.aws.login or "").removeprefix(PROGRAM),
        tiers=tier_plans(resolution),
        units=units(resolution),
        files=files,
        launch=launch_plan(resolution),
        preload_environment=LITELLM_FLAGS,
        before_fork=BEFORE_FORK,
        idle_sleep_s=profile.stack.idle_sleep_s,
        linger_s=profile.stack.linger_s,
    ).sealed(made_by)
