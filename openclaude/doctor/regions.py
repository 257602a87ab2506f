"""What AWS says about the models of a region: which it serves, which the account may use.

Knows: how the question is put, what an answer means for each model of a profile. Must not depend
on botocore, which only the asking process imports (`regions_ask`). Annotations are not postponed
here: `decode` reads them.
"""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence

from openclaude.contracts.decode import encode, read
from openclaude.contracts.record import Record
from openclaude.diagnostics import Diagnostic, Severity
from openclaude.providers.bedrock import is_arn, read_arn, split_prefix

PATIENCE_S = 60.0  # for all regions, which are asked at once
NAMED = 6  # regions in a sentence
ACTIONS = (
    *("bedrock:ListFoundationModels", "bedrock:ListInferenceProfiles"),
    "bedrock:GetFoundationModelAvailability",
)


class RegionQuestion(Record):
    """What to ask: with whose credentials, for which models in which regions."""

    aws_profile: str
    models: tuple[tuple[str, str], ...]  # (the id of `model_behind`, region)
    api_key: str = ""  # of Bedrock, in place of the AWS profile


class RegionAnswer(Record):
    """What AWS says of one region."""

    region: str
    error: str = ""  # of the list of models
    profiles_error: str = ""  # of the list of inference profiles
    took_ms: int = 0  # until the list of models was there
    on_demand: tuple[str, ...] = ()  # models that are asked by their own id
    others: tuple[str, ...] = ()  # models that are not
    profiles: tuple[tuple[str, ...], ...] = ()  # each: its id, then the ARNs of its models
    lacking: tuple[tuple[str, str], ...] = ()  # (model, what the account lacks to use it)

    def offers(self, model: str) -> bool:
        """Whether requests for an id can be answered here."""
        return model in self.on_demand or any(one[:1] == (model,) for one in self.profiles)


def model_behind(model: str) -> str:
    """The id by which AWS's lists have a model; "" where they have none, as of some ARNs."""
    if not is_arn(model):
        return model
    arn = read_arn(model)
    return arn.model_id if arn else ""


def collect_regions(
    question: RegionQuestion, argv: Sequence[str], env: Mapping[str, str]
) -> list[RegionAnswer]:
    """What the process `argv` has learned by the time it ends or is ended. Raises Malformed."""
    problem = ""
    try:
        done = subprocess.run(
            argv,
            env=dict(env),
            input=json.dumps(encode(question)).encode(),
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        out = done.stdout
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            problem = lines[-1] if lines else "no error message"
    except subprocess.TimeoutExpired as late:
        out, problem = late.stdout or b"", "no answer in time"
    whole = out[: out.rfind(b"\n") + 1]  # a process that is ended may have written half a line
    answers = [read(RegionAnswer, line, "a region's answer") for line in whole.splitlines()]
    heard = {answer.region for answer in answers}
    missing = sorted({region for _, region in question.models} - heard) if problem else ()
    return answers + [RegionAnswer(region=region, error=problem) for region in missing]


def judge_regions(
    models: Sequence[tuple[str, str]],
    answers: Sequence[RegionAnswer],
    show: Callable[[str], str],
) -> Iterator[Diagnostic]:
    """A diagnostic for each model (id, region), and one for each region that did not say."""
    by_region = {answer.region: answer for answer in answers}
    for region in dict.fromkeys(region for _, region in models):
        answer = by_region.get(region, RegionAnswer(region=region, error="no answer"))
        if answer.error:
            yield unknown("models", region, answer.error, show)
        if answer.profiles_error:
            yield unknown("inference profiles", region, answer.profiles_error, show)
    for model, region in models:
        found = by_region.get(region)
        wanted = model_behind(model)
        if found is None or not wanted:
            continue
        is_profile = bool(split_prefix(wanted)[0])
        if not (found.profiles_error if is_profile else found.error):
            yield judge_model(wanted, found, answers, show)


def judge_model(
    model: str,
    here: RegionAnswer,
    answers: Sequence[RegionAnswer],
    show: Callable[[str], str],
) -> Diagnostic:
    """What its region's answer, and those of others, mean for a model."""
    if here.offers(model):
        return served(model, here, show)
    ids = sorted(
        show(one[0]) for one in here.profiles if any(arn.endswith(f"/{model}") for arn in one[1:])
    )
    if model in here.others and ids:
        return not_served(
            f"{here.region} serves `{model}` only through an inference profile",
            f"write one of {listed([f'`bedrock/{one}`' for one in ids])} in the profile",
        )
    asked = [one for one in answers if one.region != here.region and not one.error]
    regions = sorted(show(one.region) for one in asked if one.offers(model))
    if regions:
        return not_served(
            f"{here.region} does not serve `{model}`, only {listed(regions)}",
            "name one of them as the tier's `region`, or choose another model: "
            f"`openclaude models {split_prefix(model)[1]}`",
        )
    beside = f", nor does any of {len(asked)} other regions" if asked else ""
    return not_served(
        f"{here.region} does not serve `{model}`{beside}",
        f"choose another model: `openclaude models {split_prefix(model)[1]}`",
    )


def served(model: str, here: RegionAnswer, show: Callable[[str], str]) -> Diagnostic:
    """A model that its region has; the account may have to be let to it."""
    lacking = dict(here.lacking).get(model, "")
    if lacking:
        return Diagnostic(
            code="bedrock-not-enabled",
            severity=Severity.WARNING,
            message=f"{here.region} serves `{model}`, but it is not enabled for your AWS account "
            f"({show(lacking)})",
            why="requests of its tier fail",
            fix="request access in the Amazon Bedrock console, in this region",
        )
    arns = next((one[1:] for one in here.profiles if one[0] == model), ())
    through = sorted({arn.region for arn in map(read_arn, arns) if arn and arn.region})
    by = f" by way of {listed([show(one) for one in through])}" if through else ""
    return Diagnostic(
        code="bedrock-served",
        severity=Severity.OK,
        message=f"{here.region} serves `{model}`{by} (AWS said so in {here.took_ms} ms)",
    )


def not_served(message: str, fix: str) -> Diagnostic:
    """A model that its region does not have under this id."""
    return Diagnostic(
        code="bedrock-not-served",
        severity=Severity.WARNING,
        message=message,
        why="requests of its tier fail",
        fix=fix,
    )


def unknown(what: str, region: str, error: str, show: Callable[[str], str]) -> Diagnostic:
    """A list that AWS did not give; nothing fails by that."""
    fix = "see AWS's error message"
    if "AccessDenied" in error or "not authorized" in error:
        fix = f"allow {', '.join(ACTIONS)}, if you want to know"
    elif "Throttling" in error or "TooManyRequests" in error:
        fix = "ask again in a minute"
    elif any(word in error for word in ("connect", "timeout", "in time", "proxy")):
        fix = "check your network, HTTPS_PROXY and AWS_ENDPOINT_URL_BEDROCK"
    return Diagnostic(
        code="bedrock-regions-unknown",
        severity=Severity.NOTE,
        message=f"AWS did not say which {what} {region} has: {show(error) or 'not AWS answered'}",
        why="a model that a region does not serve is only found by a request",
        fix=fix,
    )


def listed(names: Sequence[str]) -> str:
    """Names in a sentence; of many the first."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
