"""The IAM policy: the minimal permissions for the models of a profile.

Knows: ARNs of Bedrock, which resources one model needs. Independent of: profiles, files, AWS
itself. Written from AWS's documentation; no policy of ours has been evaluated by AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from openclaude.contracts.references import CLAUDE_AT_BEDROCK
from openclaude.providers.bedrock import GLOBAL, is_arn, read_arn, split_prefix

VERSION = "2012-10-17"
# What the identity behind a Bedrock API key needs beside; it has no resources
# https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html
WITH_API_KEY = "bedrock:CallWithBearerToken"
# Converse and ConverseStream; neither has an action of its own
ACTIONS = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
# How Claude's tokens are counted: with the model itself, whatever profile it is asked through; and
# with a project of the account, where only the other address counts the model. Reading a number of
# tokens costs nothing and shows nothing of a project
# https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html
COUNT = "bedrock:CountTokens"
COUNT_AT_MANTLE, MANTLE_WITH_API_KEY = (
    "bedrock-mantle:CountTokens",
    "bedrock-mantle:CallWithBearerToken",
)
ANY_ACCOUNT = "*"
THROUGH = "bedrock:InferenceProfileArn"
# The beginning of a region's name, and its partition where that is not `aws`
PARTITIONS = (
    ("us-gov-", "aws-us-gov"),
    ("cn-", "aws-cn"),
    ("eusc-", "aws-eusc"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
)
# Where a cross-region profile may send a request, beside the region that was asked. AWS decides and
# may add a region, so a continent is a wildcard: the condition, not the region, is the limit.
GEOGRAPHIES: dict[str, tuple[str, ...]] = {
    "us": ("us-*",),
    "us-gov": ("us-gov-*",),
    "eu": ("eu-*",),
    "apac": ("ap-*",),
    "jp": ("ap-northeast-1", "ap-northeast-3"),
    "au": ("ap-southeast-2", "ap-southeast-4"),
    "in": ("ap-south-1", "ap-south-2"),
    "ca": ("ca-*",),
    "sa": ("sa-*",),
    "me": ("me-*",),
    "af": ("af-*",),
    GLOBAL: ("",),  # AWS checks a request that left its region against an ARN without one
}


class Target(NamedTuple):
    """One model as requests name it, and the region they are sent to."""

    model_id: str  # an id, with or without a prefix, or an ARN
    region: str
    guardrail: str = ""  # the id or ARN of a guardrail that requests name


class Needs(NamedTuple):
    """The resources that requests to one target are checked against."""

    models: tuple[str, ...] = ()  # asked directly
    profile: str = ""  # an inference profile
    behind: tuple[str, ...] = ()  # asked through it
    guardrails: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()  # a model whose tokens are counted
    projects: tuple[str, ...] = ()  # with which they are counted at the other address


def build_policy(
    targets: Iterable[Target],
    account: str = ANY_ACCOUNT,
    *,
    with_api_key: bool = False,
    with_counts: bool = True,
) -> dict[str, Any]:
    """The policy document for exactly these targets; of a Bedrock API key's identity, if so.

    `with_counts`: Claude's tokens may be counted, which a session can do without.
    """
    needs = [find_needs(target, account) for target in dict.fromkeys(targets)]
    if not with_counts:
        needs = [one._replace(counted=(), projects=()) for one in needs]
    is_counted = any(one.counted for one in needs)
    actions = (WITH_API_KEY, *([MANTLE_WITH_API_KEY] if is_counted else []))
    by_key = [allow("OpenclaudeApiKey", ["*"], *actions)] if with_api_key else []
    return {"Version": VERSION, "Statement": [*statements(needs), *by_key]}


def statements(needs: list[Needs]) -> Iterator[dict[str, Any]]:
    """A statement for what is asked directly, and one for the models behind each profile."""
    models = unique(arn for one in needs for arn in one.models)
    behind = {one.profile: one.behind for one in needs if one.profile}
    guardrails = unique(arn for one in needs for arn in one.guardrails)
    if models:
        yield allow("OpenclaudeModels", models)
    if behind:
        yield allow("OpenclaudeInferenceProfiles", list(behind))
    for number, (profile, arns) in enumerate(behind.items(), 1):
        statement = allow(f"OpenclaudeBehindProfile{number}", list(arns))
        yield {**statement, "Condition": {"StringLike": {THROUGH: profile}}}
    if guardrails:
        yield allow("OpenclaudeGuardrails", guardrails, "bedrock:ApplyGuardrail")
    if counted := unique(arn for one in needs for arn in one.counted):
        yield allow("OpenclaudeCountTokens", counted, COUNT)
    if projects := unique(arn for one in needs for arn in one.projects):
        yield allow("OpenclaudeCountTokensAtMantle", projects, COUNT_AT_MANTLE)


def allow(sid: str, resources: list[str], *actions: str) -> dict[str, Any]:
    """One statement."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions or ACTIONS),
        "Resource": resources,
    }


def unique(texts: Iterable[str]) -> list[str]:
    """The values in order, without duplicates."""
    return list(dict.fromkeys(texts))


def find_needs(target: Target, account: str) -> Needs:
    """The resources of one target."""
    if is_arn(target.model_id):
        found = arn_needs(target)
    elif split_prefix(target.model_id)[0]:
        profile = arn_of(target.region, account, f"inference-profile/{target.model_id}")
        found = profile_needs(profile, target.model_id, target.region)
    else:
        found = Needs(models=(model_arn(target.region, target.region, target.model_id),))
    counted, projects = count_needs(target, account)
    return found._replace(
        guardrails=guardrail_arns(target, account), counted=counted, projects=projects
    )


def count_needs(target: Target, account: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """With which resources the tokens of a target are counted: only where it is a Claude.

    The model is the one of the region that is asked. Of an application's profile it is unknown.
    """
    arn = read_arn(target.model_id)
    model_id = arn.model_id if arn else target.model_id
    if CLAUDE_AT_BEDROCK not in model_id or (is_arn(target.model_id) and not arn):
        return (), ()
    region = (arn.region if arn else "") or target.region
    bare = split_prefix(model_id)[1]
    project = f"arn:{partition(region)}:bedrock-mantle:{region}:{account}:project/*"
    return (model_arn(region, region, bare),), (project,)


def arn_needs(target: Target) -> Needs:
    """The resources of a model named by an ARN: the ARN itself, and what it points to."""
    text = target.model_id
    kind = text.split(":", 5)[-1].partition("/")[0]
    arn = read_arn(text)
    region = (arn.region if arn else "") or target.region
    if arn and kind == "inference-profile":
        return profile_needs(text, arn.model_id, region)
    if kind == "application-inference-profile":
        # which model it leads to is known to AWS alone; the condition leaves no other way to any
        anything = f"arn:{partition(region)}:bedrock:*::foundation-model/*"
        return Needs(profile=text, behind=(anything,))
    return Needs(models=(text,))


def profile_needs(profile: str, model_id: str, region: str) -> Needs:
    """An inference profile and its model in every region it may be served from."""
    prefix, bare = split_prefix(model_id)
    served_from = GEOGRAPHIES.get(prefix, ())
    own = () if is_among(region, served_from) else (region,)
    behind = tuple(model_arn(region, one, bare) for one in (*own, *served_from))
    return Needs(profile=profile, behind=behind)


def is_among(region: str, patterns: tuple[str, ...]) -> bool:
    """Whether a region is one of those that are listed or meant by a wildcard."""
    return any(
        region.startswith(one[:-1]) if one.endswith("*") else region == one for one in patterns
    )


def model_arn(asked: str, region: str, model_id: str) -> str:
    """A foundation model in `region`, in the partition of the region that is asked."""
    return f"arn:{partition(asked)}:bedrock:{region}::foundation-model/{model_id}"


def arn_of(region: str, account: str, resource: str) -> str:
    """A resource of an account."""
    return f"arn:{partition(region)}:bedrock:{region}:{account}:{resource}"


def guardrail_arns(target: Target, account: str) -> tuple[str, ...]:
    """The guardrail of requests, if any."""
    if not target.guardrail or is_arn(target.guardrail):
        return (target.guardrail,) if target.guardrail else ()
    return (arn_of(target.region, account, f"guardrail/{target.guardrail}"),)


def partition(region: str) -> str:
    """The AWS partition of a region."""
    return next((name for start, name in PARTITIONS if region.startswith(start)), "aws")
