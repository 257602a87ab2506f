"""What `doctor --online` asks AWS for a profile.

Knows: the models of a profile, and that AWS is asked exactly as `providers` would ask. Must not
depend on how AWS is asked and what its answers mean, which `aws/online.py` knows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from openclaude.aws.faults import AwsCall
from openclaude.aws.online import AwsQuestion, collect_answers, judge_answers
from openclaude.contracts.plan import Plan
from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.regions import (
    RegionQuestion,
    collect_regions,
    judge_regions,
    model_behind,
)
from openclaude.doctor.server import key_from, try_server
from openclaude.doctor.snapshot.world import World
from openclaude.doctor.way_out import try_ways_out
from openclaude.gateway.errors.redaction import presentable
from openclaude.models.catalog import Catalog
from openclaude.profile.validate.bedrock import name as id_to_write
from openclaude.run.os.processes import python_environment, python_module
from openclaude.run.worker.certificates import OF_SYSTEMS, trust
from openclaude.run.worker.secrets import SecretUnavailable

# The control plane's address, which no instance asks
CONTROL = "AWS_ENDPOINT_URL_BEDROCK"


def ask_online(world: World) -> tuple[Diagnostic, ...]:
    """The ways out of both lanes, a server, then AWS: each model, and what its region serves."""
    found = (*try_ways_out(world), *try_server(world))
    try:
        api_key = bedrock_key(world)
    except SecretUnavailable as error:
        lacking = key_missing(error, world.wanted.name)
        return (*found, lacking, *map(not_asked, world.wanted.others))
    found = (*found, *ask_aws(world, api_key))
    # without credentials AWS says nothing more, and this is said already
    if any(
        one.severity is Severity.ERROR and one.code.startswith(("aws-", "bedrock-key-"))
        for one in found
    ):
        return found
    return (*found, *ask_regions(world, api_key))


def ask_models(world: World) -> tuple[Diagnostic, ...]:
    """Ask AWS once, by whatever the profile has for that: who we are, and each model."""
    try:
        return ask_aws(world, bedrock_key(world))
    except SecretUnavailable as error:
        return (key_missing(error, world.wanted.name),)


def bedrock_key(world: World) -> str:
    """The Bedrock API key of the profile, or "". Raises SecretUnavailable."""
    wanted = world.wanted
    has_one = wanted.plan and wanted.bedrock and wanted.bedrock_key
    return key_from(wanted.bedrock_key, world.env) if has_one else ""


def key_missing(error: SecretUnavailable, profile: str) -> Diagnostic:
    """No model can be asked."""
    return Diagnostic(
        code="bedrock-key-missing",
        severity=Severity.ERROR,
        message=str(error),
        why="no request to Bedrock can work",
        fix=f"provide the key; `openclaude aws setup {profile} --method api-key` keeps one",
    )


def ask_regions(world: World, api_key: str) -> Iterator[Diagnostic]:
    """Ask Bedrock's control plane which of the models each region serves."""
    wanted = world.wanted
    if not wanted.plan or not wanted.bedrock or not (wanted.plan.aws_profile or api_key):
        return
    if api_key and wanted.endpoint_url:
        return  # it may be a gateway's own key, which no other address may get
    named = [(model_behind(model), region) for model, region in wanted.bedrock]
    question = RegionQuestion(
        aws_profile=wanted.plan.aws_profile,
        models=tuple(one for one in named if one[0]),
        api_key=api_key,
    )
    if question.models:
        argv = python_module("openclaude.doctor.regions_ask")
        with tempfile.TemporaryDirectory() as folder:
            env = providers_environment(wanted.plan, world.network)
            if CONTROL in world.network:
                env[CONTROL] = world.network[CONTROL]
            trust(env, Path(folder), OF_SYSTEMS)  # as the instance does
            answers = collect_regions(question, argv, env)
        yield from judge_regions(question.models, answers, presentable)


def ask_aws(world: World, api_key: str) -> tuple[Diagnostic, ...]:
    """Ask everything once; a diagnostic for each answer, and for each model that is not asked."""
    wanted = world.wanted
    found: list[Diagnostic] = []
    if wanted.plan and wanted.bedrock and not (wanted.plan.aws_profile or api_key):
        found += [not_asked(f"bedrock/{model}") for model, _ in wanted.bedrock]
    elif wanted.plan and wanted.bedrock:
        plan = wanted.plan
        question = AwsQuestion(
            aws_profile=plan.aws_profile,
            models=wanted.bedrock,
            endpoint_url=wanted.endpoint_url,
            api_key=api_key,
        )
        argv = python_module("openclaude.aws.online_ask")
        with tempfile.TemporaryDirectory() as folder:
            env = providers_environment(plan, world.network)
            trust(env, Path(folder), OF_SYSTEMS)  # as the instance does
            answers = collect_answers(question, argv, env)
        key = wanted.bedrock_key if api_key else ""
        asked = AwsCall(plan.aws_profile, wanted.name, key=key)
        found += judge_answers(answers, asked, show=presentable, suggest=suggest_id)
    found += [not_asked(model) for model in wanted.others]
    return tuple(found)


def suggest_id(model: str, region: str) -> str:
    """Which of a model's ids to use in a region, or "" where LiteLLM's map has none."""
    ids = Catalog.bundled().prefixed_ids("bedrock", model)
    return id_to_write(ids, region) if ids else ""


def not_asked(model: str) -> Diagnostic:
    """A model that only the running proxies can ask."""
    return Diagnostic(
        code="not-asked",
        severity=Severity.NOTE,
        message=f"`{model}` was not asked: the doctor can only ask Bedrock",
        why="other providers need LiteLLM and their keys",
        fix="ask it in a session: `openclaude -p hi --model TIER`",
    )


def providers_environment(plan: Plan, env: Mapping[str, str]) -> dict[str, str]:
    """What `providers` gets of the user's environment, which decides what botocore does."""
    units = [unit for unit in plan.units if unit.name == "providers"]
    names = [name for unit in units for name in unit.inherit]
    return {
        **python_environment(),
        **{name: env[name] for name in names if name in env},
        "AWS_EC2_METADATA_DISABLED": "true",
    }
