"""Asking AWS: who we are there, and whether each model answers.

Knows: how the question is put, what an answer means. Refuses to know: botocore (`online_ask`).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from openclaude.aws.policy import Target, build_policy
from openclaude.aws_faults import Asked, explain
from openclaude.compile.plan import Plan
from openclaude.doctor.finding import NOTE, OK, STOPS, WARNS, Finding
from openclaude.doctor.world import World
from openclaude.gateway.reply_sentence import presentable
from openclaude.profile.advice_bedrock import name
from openclaude.profile.catalog import Catalog
from openclaude.run.processes import python_environment, python_module

FindIds = Callable[[str, str], tuple[str, ...]]
# two minutes a model is more than botocore waits
PATIENCE_S = 120.0
THROTTLED = ("ThrottlingException", "TooManyRequests", "ServiceQuotaExceeded")
UNREACHED = ("Could not connect", "timeout on endpoint", "Connection was closed", "proxy URL")


def ask_aws(world: World) -> tuple[Finding, ...]:
    """Ask everything once; a finding for each answer, and for what is not asked."""
    wanted = world.wanted
    findings: list[Finding] = []
    if wanted.plan and wanted.bedrock:
        ids = Catalog.bundled().prefixed_ids
        findings += judge(run(wanted.plan, world), Asked(wanted.plan.aws_profile, wanted.name), ids)
    findings += [not_asked(model) for model in wanted.others]
    return tuple(findings)


def not_asked(model: str) -> Finding:
    """A model that only the running proxies can ask."""
    return Finding(
        "not-asked",
        NOTE,
        f"`{model}` was not asked: only Bedrock's models are",
        "asking others takes LiteLLM and their keys",
        "ask it in a session: `openclaude -p hi --model TIER`",
    )


def run(plan: Plan, world: World) -> list[dict[str, str]]:
    """The answers, as far as they came."""
    question = {
        "aws_profile": plan.aws_profile,
        "models": world.wanted.bedrock,
        "endpoint_url": world.wanted.endpoint_url,
    }
    try:
        done = subprocess.run(
            python_module("openclaude.doctor.online_ask"),
            env=providers_environment(plan, world.env),
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * (1 + len(world.wanted.bedrock)),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [{"asked": "identity", "region": "", "said": "", "error": "no answer in time"}]
    answers: list[dict[str, str]] = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode:  # botocore itself could not begin
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        answers.append({"asked": "identity", "region": "", "said": "", "error": last[0]})
    return answers


def providers_environment(plan: Plan, env: Mapping[str, str]) -> dict[str, str]:
    """What `providers` is given of the user's environment, which decides what botocore does."""
    names = [name for unit in plan.units if unit.name == "providers" for name in unit.inherit]
    return {
        **python_environment(),
        **{name: env[name] for name in names if name in env},
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def judge(
    answers: Iterable[Mapping[str, Any]], asked: Asked, find_ids: FindIds
) -> Iterator[Finding]:
    """A finding for each answer; what keeps everything from working is told once.

    `find_ids` gives the ids of Bedrock's inference profiles for a model.
    """
    told: set[str] = set()
    for answer in answers:
        model = "" if answer["asked"] == "identity" else str(answer["asked"])
        finding = judge_answer(answer, asked._replace(model=model))
        if finding.code == "bedrock-inference-profile" and (ids := find_ids("bedrock", model)):
            finding = finding._replace(mend=name(ids, str(answer["region"])))
        if finding.code == "bedrock-not-allowed" and model:
            finding = finding._replace(mend=f"{finding.mend}; {missing(model, answer)}")
        if finding.severity == OK or finding.what not in told:
            told.add(finding.what)
            yield finding


def missing(model: str, answer: Mapping[str, Any]) -> str:
    """The policy statements without which this model may not be asked."""
    policy = build_policy([Target(model, str(answer["region"]))])
    return "what is missing: " + ", ".join(json.dumps(one) for one in policy["Statement"])


def judge_answer(answer: Mapping[str, Any], asked: Asked) -> Finding:
    """What one answer means."""
    error = str(answer["error"])
    region = str(answer["region"])
    if not error:
        if not asked.model:
            return Finding("aws-identity", OK, f"AWS knows you as {presentable(answer['said'])}")
        return Finding("bedrock", OK, f"`{asked.model}` answers in {region}")
    who = f"`{asked.model}` in {region}: " if asked.model else ""
    why = "requests of its tier fail" if asked.model else "nothing can be asked of AWS"
    if fault := explain(error, asked, presentable):
        what = f"{who}{fault.problem}" if fault.code.startswith("bedrock-") else fault.problem
        return Finding(fault.code, STOPS, what, why, fault.mend)
    text = presentable(error)
    if any(word in error for word in THROTTLED):
        mend = "wait, or ask AWS for a higher quota (Service Quotas, Amazon Bedrock)"
        return Finding("bedrock-throttled", WARNS, f"{who}{text}", "AWS is asked too often", mend)
    if any(word in error for word in UNREACHED):
        mend = "look at your network, HTTPS_PROXY and the profile's `aws.endpoint_url`"
        return Finding("aws-unreachable", WARNS, f"{who}{text}", why, mend)
    return Finding("aws-error", WARNS, f"{who}{text}", why, "see what AWS said")
