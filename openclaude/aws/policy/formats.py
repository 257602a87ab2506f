"""A policy in three formats: JSON, Terraform, CloudFormation.

Knows: what each form looks like, and how it names the account it is applied to. Independent of:
what the policy allows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from openclaude.aws.policy.policy import ANY_ACCOUNT

# Both name the account by themselves, so that the policy needs no wildcard and nobody has to look
TERRAFORM_ACCOUNT = "${data.aws_caller_identity.current.account_id}"
CLOUDFORMATION_ACCOUNT = "${AWS::AccountId}"
ACCOUNTS = {
    "json": ANY_ACCOUNT,
    "terraform": TERRAFORM_ACCOUNT,
    "cloudformation": CLOUDFORMATION_ACCOUNT,
}
FORMATS = tuple(ACCOUNTS)


def render(policy: dict[str, Any], form: str, profile: str) -> str:
    """The policy of a profile as a text in one of the forms."""
    write: dict[str, Callable[[dict[str, Any], str], str]] = {
        "json": lambda policy, _: to_json(policy),
        "terraform": to_terraform,
        "cloudformation": to_cloudformation,
    }
    return write[form](policy, profile)


def to_json(policy: dict[str, Any]) -> str:
    """The document as IAM takes it."""
    return json.dumps(policy, indent=2) + "\n"


def to_terraform(policy: dict[str, Any], profile: str) -> str:
    """A resource for Terraform: its expressions take an object as JSON writes it."""
    document = json.dumps(policy, indent=2).replace("\n", "\n  ")
    asks = 'data "aws_caller_identity" "current" {}\n\n' if TERRAFORM_ACCOUNT in document else ""
    return (
        f'{asks}resource "aws_iam_policy" "openclaude" {{\n'
        f'  name        = "openclaude-{profile}"\n'
        f'  description = "{describe(profile)}"\n'
        f"  policy = jsonencode({document})\n"
        "}\n"
    )


def to_cloudformation(policy: dict[str, Any], profile: str) -> str:
    """A template of one managed policy."""
    import yaml  # 20 ms that the other forms do not need

    resource = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"Description": describe(profile), "PolicyDocument": substituted(policy)},
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {"OpenclaudePolicy": resource},
        "Outputs": {"PolicyArn": {"Value": {"Ref": "OpenclaudePolicy"}}},
    }
    return yaml.safe_dump(template, sort_keys=False, width=200)


def describe(profile: str) -> str:
    """A one-line description for the AWS console."""
    return f"What Claude Code needs on Bedrock for the openclaude profile {profile}"


def substituted(value: Any) -> Any:
    """The same with `Fn::Sub` around every text that names the account."""
    if isinstance(value, dict):
        return {key: substituted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [substituted(one) for one in value]
    is_named = isinstance(value, str) and CLOUDFORMATION_ACCOUNT in value
    return {"Fn::Sub": value} if is_named else value
