"""AWS's faults: the messages of botocore and AWS, and the one sentence for each."""

from __future__ import annotations

import pytest

from openclaude.aws.faults import RULES, AwsCall, explain
from openclaude.diagnostics import Diagnostic, Severity

WITH_KEY = AwsCall(profile="mine", model="zai.glm-5.3", key="env:AWS_BEARER_TOKEN_BEDROCK")
NEW_KEY = "put a valid key there; `openclaude aws setup mine --method api-key` keeps a new one"
ASKED = AwsCall(aws_profile="my work", profile="mine", model="zai.glm-5.3")
# a foreign message -> our code, how to fix it
TABLE = [
    (
        "The config profile (gone) could not be found",
        "aws-profile-missing",
        "run `openclaude aws setup --name gone`",
    ),
    (
        "Error loading SSO Token: Token for corp does not exist",
        "aws-sso-login",
        "run `aws sso login --profile 'my work'`",
    ),
    (
        "The SSO session associated with this profile has expired or is otherwise invalid.",
        "aws-sso-login",
        "run `aws sso login --profile 'my work'`",
    ),
    (
        "Error when retrieving token from sso: Token has expired and refresh failed",
        "aws-sso-login",
        "run `aws sso login --profile 'my work'`",
    ),
    (
        "Your session has expired. Please reauthenticate using 'aws login'.",
        "aws-login",
        "run `aws login --profile 'my work'`",
    ),
    (
        "Missing Dependency: Using the login credential provider requires an additional dependency",
        "aws-login-unsupported",
        "install it beside openclaude, or log in another way with "
        "`openclaude aws setup --name 'my work'`",
    ),
    (
        "Unable to locate credentials",
        "aws-no-credentials",
        "run `openclaude aws setup --name 'my work'`",
    ),
    (
        "Error when retrieving credentials from custom-process: hunter2",
        "aws-credentials-not-fetched",
        "run `aws sts get-caller-identity --profile 'my work'`",
    ),
    (
        "Signature expired: 20261122T100000Z is now earlier than 20261122T200000Z",
        "aws-clock",
        "correct the clock",
    ),
    (
        "An error occurred (ExpiredToken) when calling the GetCallerIdentity operation: x",
        "aws-credentials-expired",
        "run `aws sso login --profile 'my work'` or `openclaude aws setup --name 'my work'`",
    ),
    (
        "An error occurred (SignatureDoesNotMatch) when calling the GetCallerIdentity operation",
        "aws-key-refused",
        "run `openclaude aws setup --name 'my work'`",
    ),
    (
        "You don't have access to the model with the specified model ID.",
        "bedrock-no-access",
        "request access in the Amazon Bedrock console",
    ),
    (
        "User: x is not authorized to perform: bedrock:InvokeModel",
        "bedrock-not-allowed",
        "attach the policy that `openclaude aws policy --profile mine` prints",
    ),
    (
        "Invocation of model ID zai.glm-5.3 with on-demand throughput isn\u2019t supported. Retry "
        "your request with the ID or ARN of an inference profile that contains this model.",
        "bedrock-inference-profile",
        "use one of its ids, for example with the prefix `us.`; "
        "`openclaude models zai.glm-5.3` lists them",
    ),
    (
        "The provided model identifier is invalid.",
        "bedrock-unknown-model",
        "run `openclaude models zai.glm-5.3`; choose another model or region",
    ),
]


def shown(text: str) -> str:
    return text.replace("hunter2", "(removed)")


@pytest.mark.parametrize(("said", "code", "fix"), TABLE, ids=[row[1] for row in TABLE])
def test_what_aws_says_becomes_a_fault_with_its_fix(said: str, code: str, fix: str) -> None:
    fault = explain(said, ASKED, shown)

    assert fault is not None
    assert (fault.code, fault.fix) == (code, fix)
    assert "hunter2" not in fault.sentence
    assert fault.sentence == f"{fault.message}; {fix}"


def test_every_rule_is_in_the_table() -> None:
    met = [explain(said, ASKED, shown) for said, _, _ in TABLE]

    assert len({fault.code for fault in met if fault}) == len(TABLE) - 2  # SSO: three messages
    assert len(RULES) == len(TABLE)


def test_what_nobody_knows_stays_unexplained() -> None:
    assert explain("Too many tokens, please wait before trying again.", ASKED, shown) is None


def test_without_a_profile_the_commands_are_still_whole() -> None:
    fault = explain("Error loading SSO Token: Token for corp does not exist", AwsCall(), shown)

    assert fault == Diagnostic(
        code="aws-sso-login",
        severity=Severity.ERROR,
        message="the AWS profile is not logged in to SSO",
        fix="run `aws sso login --sso-session corp`",
        commands=("aws sso login --sso-session corp",),
    )


@pytest.mark.parametrize(
    ("said", "code", "begins", "fix"),
    [
        (
            "User: x is not authorized to perform: bedrock:CallWithBearerToken on resource: *",
            "bedrock-not-allowed",
            "the identity behind the API key from `env:AWS_BEARER_TOKEN_BEDROCK` lacks the "
            "permission `bedrock:CallWithBearerToken` (",
            "attach the policy that `openclaude aws policy --profile mine` prints to that identity",
        ),
        (
            "AccessDeniedException: no",
            "bedrock-not-allowed",
            "the identity behind the API key from `env:AWS_BEARER_TOKEN_BEDROCK` may not call "
            "this model (",
            "attach the policy that `openclaude aws policy --profile mine` prints to that identity",
        ),
        (
            "AccessDeniedException: Authentication failed: Please make sure your API Key is valid.",
            "bedrock-key-refused",
            "Bedrock refuses the API key from `env:AWS_BEARER_TOKEN_BEDROCK`",
            NEW_KEY,
        ),
        (
            "The security token included in the request is expired",
            "bedrock-key-refused",
            "Bedrock refuses the API key from `env:AWS_BEARER_TOKEN_BEDROCK`",
            NEW_KEY,
        ),
        (
            "You don't have access to the model with the specified model ID.",
            "bedrock-no-access",
            "the AWS account has no access to this model",
            "request access in the Amazon Bedrock console",
        ),
    ],
)
def test_what_was_asked_with_a_bedrock_api_key_blames_no_aws_profile(
    said: str, code: str, begins: str, fix: str
) -> None:
    found = explain(said, WITH_KEY, str)

    assert found
    assert (found.code, found.fix) == (code, fix)
    assert found.message.startswith(begins)
    assert "AWS profile" not in found.sentence
