"""Asking AWS which identity we have, and whether each model answers.

Knows: how the question is put, what an answer means. Must not depend on botocore, which only the
asking process imports (`online_ask`), nor on profiles and LiteLLM's map.
"""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from openclaude.aws.faults import AwsCall, explain
from openclaude.aws.policy.policy import Target, build_policy
from openclaude.contracts.decode import encode, read
from openclaude.contracts.record import Record
from openclaude.diagnostics import Diagnostic, Severity

# two minutes a model is more than botocore waits
PATIENCE_S = 120.0
THROTTLED = ("ThrottlingException", "TooManyRequests", "ServiceQuotaExceeded")
UNREACHED = ("Could not connect", "timeout on endpoint", "Connection was closed", "proxy URL")


class AwsQuestion(Record):
    """What to ask: the identity of this AWS profile, and one token from each model.

    With a Bedrock API key only the models: AWS tells nobody whose key it is.
    """

    aws_profile: str
    models: tuple[tuple[str, str], ...]  # (Bedrock's id, region)
    endpoint_url: str = ""
    api_key: str = ""  # of Bedrock, in place of the AWS profile; it goes by a pipe


class AwsAnswer(Record):
    """AWS's answer."""

    model: str = ""  # empty: the answer to "who am I"
    region: str = ""
    text: str = ""
    error: str = ""


def collect_answers(
    question: AwsQuestion, argv: Sequence[str], env: Mapping[str, str]
) -> list[AwsAnswer]:
    """The answers that the process `argv` received before it ended. Raises Malformed."""
    try:
        done = subprocess.run(
            argv,
            env=dict(env),
            input=json.dumps(encode(question)),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * (1 + len(question.models)),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [AwsAnswer(error="no answer in time")]
    answers = [read(AwsAnswer, line, "an AWS answer") for line in done.stdout.splitlines()]
    if done.returncode:  # botocore itself could not begin
        last = done.stderr.strip().splitlines()[-1:] or ["no error message"]
        answers.append(AwsAnswer(error=last[0]))
    return answers


def judge_answers(
    answers: Iterable[AwsAnswer],
    asked: AwsCall,
    *,
    show: Callable[[str], str],
    suggest: Callable[[str, str], str],
) -> Iterator[Diagnostic]:
    """A diagnostic for each answer; a fault of all models is reported once.

    `show` makes foreign text safe to print; `suggest` names the id of a model to use in a region,
    or "".
    """
    reported: set[str] = set()
    for answer in answers:
        found = judge_answer(answer, asked._replace(model=answer.model), show)
        if found.code == "bedrock-inference-profile":
            found = found._replace(fix=suggest(answer.model, answer.region) or found.fix)
        if found.code == "bedrock-not-allowed" and answer.model:
            found = found._replace(fix=f"{found.fix}; {missing_policy(answer, asked)}")
        if found.severity is Severity.OK or found.message not in reported:
            reported.add(found.message)
            yield found


def missing_policy(answer: AwsAnswer, asked: AwsCall) -> str:
    """The policy statements without which this model may not be called."""
    target = Target(answer.model, answer.region)
    policy = build_policy([target], with_api_key=bool(asked.key), with_counts=False)
    return "the missing statements: " + ", ".join(json.dumps(one) for one in policy["Statement"])


def judge_answer(answer: AwsAnswer, asked: AwsCall, show: Callable[[str], str]) -> Diagnostic:
    """What one answer means."""
    if not answer.error:
        return success(answer, show)
    who = f"`{answer.model}` in {answer.region}: " if answer.model else ""
    why = "requests of its tier fail" if answer.model else "no request to AWS can work"
    if fault := explain(answer.error, asked, show):
        is_of_model = fault.code.startswith("bedrock-") and fault.code != "bedrock-key-refused"
        message = f"{who}{fault.message}" if is_of_model else fault.message
        return fault._replace(message=message, why=why)
    found = Diagnostic(
        code="aws-error",
        severity=Severity.WARNING,
        message=f"{who}{show(answer.error)}",
        why=why,
        fix="see AWS's error message",
    )
    if any(word in answer.error for word in THROTTLED):
        fix = "wait, or ask AWS for a higher quota (Service Quotas, Amazon Bedrock)"
        why = "you send more requests than your AWS quota allows"
        return found._replace(code="bedrock-throttled", why=why, fix=fix)
    if any(word in answer.error for word in UNREACHED):
        fix = "check your network, HTTPS_PROXY and the profile's `aws.endpoint_url`"
        return found._replace(code="aws-unreachable", fix=fix)
    return found


def success(answer: AwsAnswer, show: Callable[[str], str]) -> Diagnostic:
    """The diagnostic for a successful answer."""
    if not answer.model:
        message = f"you are known to AWS as {show(answer.text)}"
        return Diagnostic(code="aws-identity", severity=Severity.OK, message=message)
    message = f"`{answer.model}` answers in {answer.region}"
    return Diagnostic(code="bedrock", severity=Severity.OK, message=message)
