"""`openclaude aws`: the least-privilege policy of a profile, and an AWS profile to use it with.

Knows: the two actions and their options. Independent of: how either is done.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from openclaude.commands.help_page import (
    AWS_FILES,
    CONFIG,
    JSON_HELP,
    OVERRIDES,
    PROFILE,
    HelpPage,
    add_json,
    add_page,
    add_profile,
)
from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.paths import Places

if TYPE_CHECKING:
    Actions = argparse._SubParsersAction[argparse.ArgumentParser]

FORMATS = ("json", "terraform", "cloudformation")
METHODS = ("keys", "sso", "assume-role", "process")
AWS = HelpPage(
    text="""\
Print the IAM policy that a profile needs on AWS, or create an AWS profile for
it.""",
    examples=("openclaude aws policy", "openclaude aws setup --dry-run"),
    variables=(*PROFILE, *OVERRIDES, *AWS_FILES),
    docs="docs/aws.md",
)
POLICY = HelpPage(
    text="""\
Print the smallest IAM policy that a profile needs: exactly its models, regions
and fallbacks. It does not contact AWS and needs no credentials.""",
    examples=(
        "openclaude aws policy qwen",
        "openclaude aws policy --format terraform > bedrock.tf",
    ),
    variables=(*PROFILE, *OVERRIDES, *CONFIG),
    docs="docs/aws.md",
)
SETUP = HelpPage(
    text="""\
Create or change the AWS profile that your profile uses. It asks for what is
missing, shows the exact change to ~/.aws, and writes it after confirmation.
`--method api-key` keeps a Bedrock API key instead, and names it in your profile.""",
    examples=(
        "openclaude aws setup",
        "openclaude aws setup --method process --command my-credentials --dry-run",
    ),
    variables=(*PROFILE, *OVERRIDES, *AWS_FILES),
    docs="docs/aws.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two actions."""
    add_page(parser, AWS)
    add_json(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=False)
    add_policy(actions)
    add_setup(actions)


def add_action(actions: Actions, name: str, line: str, page: HelpPage) -> argparse.ArgumentParser:
    """One action; each can print JSON."""
    action = actions.add_parser(name, help=line, allow_abbrev=False)
    add_page(action, page)
    # SUPPRESS: a subcommand's default would hide what stands before the subcommand
    action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=JSON_HELP)
    add_profile(action)
    return action


def add_policy(actions: Actions) -> None:
    """`aws policy`."""
    policy = add_action(actions, "policy", "print the smallest IAM policy for a profile", POLICY)
    policy.add_argument(
        "--format", choices=FORMATS, default="json", help="how to print it (default: json)"
    )
    policy.add_argument("--account", metavar="NUMBER", help="the AWS account, 12 digits")


def add_setup(actions: Actions) -> None:
    """`aws setup`; it asks for what no option says."""
    setup = add_action(actions, "setup", "create or change an AWS profile in ~/.aws", SETUP)
    setup.add_argument(
        "--name", metavar="NAME", help="the AWS profile (default: the profile's `aws.profile`)"
    )
    setup.add_argument(
        "--method", choices=(*METHODS, "api-key"), help="where its credentials come from"
    )
    setup.add_argument(
        "--region", metavar="REGION", help="the AWS region (default: the profile's `aws.region`)"
    )
    setup.add_argument(
        "--keys-from-stdin",
        action="store_true",
        help="keys: read id, secret and optional token from stdin, one per line; api-key: the key",
    )
    setup.add_argument("--sso-start-url", metavar="URL", help="sso: the address where you log in")
    setup.add_argument(
        "--sso-region", metavar="REGION", help="sso: the region of IAM Identity Center"
    )
    setup.add_argument("--account", metavar="NUMBER", help="sso: the AWS account, 12 digits")
    setup.add_argument("--role", metavar="ROLE", help="sso: a role's name; assume-role: its ARN")
    setup.add_argument(
        "--source-profile", metavar="NAME", help="assume-role: the AWS profile that may assume it"
    )
    setup.add_argument(
        "--command", metavar="COMMAND", help="process: the program that prints credentials"
    )
    setup.add_argument("--dry-run", action="store_true", help="show the change without making it")
    setup.add_argument("--yes", action="store_true", help="make the change without confirmation")


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Do what `openclaude aws` was asked to do. Raises UsageError."""
    match arguments.action:
        case "policy":
            from openclaude.commands.aws.policy import show_policy

            return show_policy(arguments, places, env)
        case "setup":
            from openclaude.commands.aws.setup import set_up

            return set_up(arguments, places, env)
        case _:
            raise UsageError(
                "`openclaude aws` needs an action", hint="choose from `policy`, `setup`"
            )
