"""`openclaude aws`: the least-privilege policy of a profile, and an AWS profile to use it with.

Knows: the two actions and their options. Refuses to know: how either is done.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.places import Places

if TYPE_CHECKING:
    Actions = argparse._SubParsersAction[argparse.ArgumentParser]

FORMATS = ("json", "terraform", "cloudformation")
METHODS = ("keys", "sso", "assume-role", "process")
PROFILE = "default: the one a launch uses"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two actions."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=False)
    add_policy(actions)
    add_setup(actions)


def add_action(actions: Actions, name: str, help_text: str) -> argparse.ArgumentParser:
    """One action; each can print JSON."""
    action = actions.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
    # SUPPRESS: a subcommand's default would hide what stands before the subcommand
    action.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document"
    )
    action.add_argument("--profile", metavar="NAME", help=PROFILE)
    return action


def add_policy(actions: Actions) -> None:
    """`aws policy`."""
    policy = add_action(actions, "policy", "the least a profile needs on AWS, as an IAM policy")
    policy.add_argument("--format", choices=FORMATS, default="json")
    policy.add_argument("--account", metavar="NUMBER", help="the AWS account, 12 digits")


def add_setup(actions: Actions) -> None:
    """`aws setup`; what is not said is asked on a terminal."""
    setup = add_action(actions, "setup", "make or change a named AWS profile in ~/.aws")
    setup.add_argument("--name", metavar="NAME", help="default: the one the profile names")
    setup.add_argument("--method", choices=METHODS, help="where its credentials come from")
    setup.add_argument("--region", metavar="REGION", help="default: the profile's")
    setup.add_argument(
        "--keys-from-stdin", action="store_true", help="two or three lines: id, secret, token"
    )
    setup.add_argument("--sso-start-url", metavar="URL", help="sso: where you log in")
    setup.add_argument("--sso-region", metavar="REGION", help="sso: where IAM Identity Center is")
    setup.add_argument("--account", metavar="NUMBER", help="sso: the AWS account, 12 digits")
    setup.add_argument("--role", metavar="ROLE", help="sso: a role's name; assume-role: its ARN")
    setup.add_argument(
        "--source-profile", metavar="NAME", help="assume-role: the AWS profile that may assume it"
    )
    setup.add_argument("--command", metavar="COMMAND", help="process: what prints credentials")
    setup.add_argument("--dry-run", action="store_true", help="show the change, write nothing")
    setup.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Do what `openclaude aws` was asked to do."""
    match arguments.action:
        case "policy":
            from openclaude.commands.aws_policy import show_policy

            return show_policy(arguments, places, env)
        case "setup":
            from openclaude.commands.aws_setup import set_up

            return set_up(arguments, places, env)
        case _:
            raise UsageError("`openclaude aws` needs an action", hint="`policy` or `setup`")
