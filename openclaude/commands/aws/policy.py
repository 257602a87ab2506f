"""`openclaude aws policy`: the permissions that a profile needs on AWS.

Knows: which models of a profile are Bedrock's. Independent of: what a policy looks like. It does
not contact AWS: the user gives the account number.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import default_profile_name
from openclaude.prompt import tell

if TYPE_CHECKING:
    from openclaude.aws.policy.policy import Target
    from openclaude.compile.resolve import Resolution

ACCOUNT = re.compile(r"[0-9]{12}")
ANY_ACCOUNT_NOTE = (
    "note: `*` stands for your account. Set it with `--account NUMBER`; "
    "`aws sts get-caller-identity --query Account --output text` prints it\n"
)


class NotOnBedrock(OpenclaudeError):
    """A profile that does not use AWS."""

    code = "not-on-bedrock"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"no model of `{name}` is on Bedrock, so it needs no policy",
            hint="`openclaude profiles list` shows what each profile runs on",
        )


def show_policy(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """The policy of the chosen profile. Raises NotOnBedrock."""
    from openclaude.aws.policy.formats import ACCOUNTS, render
    from openclaude.aws.policy.policy import build_policy

    given = check_account(arguments.account)
    name = arguments.profile or default_profile_name(env, places)
    resolution = resolve_profile(name, places, env)
    targets = list(find_targets(resolution))
    if not targets:
        raise NotOnBedrock(name)
    account = given or ACCOUNTS[arguments.format]
    with_api_key = bool(resolution.profile.aws.api_key)
    policy = build_policy(targets, account, with_api_key=with_api_key)
    text = render(policy, arguments.format, name)
    if ":*:" in text and sys.stderr.isatty():
        tell(ANY_ACCOUNT_NOTE)
    models = [{"model": one.model_id, "region": one.region} for one in dict.fromkeys(targets)]
    data = {"profile": name, "account": given, "models": models, "policy": policy, "text": text}
    return Result(text=text, data={**data, "format": arguments.format})


def check_account(given: str | None) -> str | None:
    """An account's number, if one was given. Raises UsageError."""
    if given is not None and not ACCOUNT.fullmatch(given):
        raise UsageError(
            "`--account` takes the 12 digits of an AWS account",
            hint="`aws sts get-caller-identity --query Account --output text` prints them",
        )
    return given


def resolve_profile(name: str, places: Places, env: Mapping[str, str]) -> Resolution:
    """The resolved profile, with the overrides set in `env`."""
    from openclaude.compile.resolve import resolve
    from openclaude.models.catalog import Catalog
    from openclaude.plan_cache import OVERRIDES
    from openclaude.profile.library import Library

    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    overrides = {key: env[key] for key in OVERRIDES if env.get(key)}
    return resolve(name, library.load(name, env=overrides).profile, catalog.find)


def find_targets(resolution: Resolution) -> Iterator[Target]:
    """Every model that `providers` may ask Bedrock for: tiers, fallbacks, the plan's limit."""
    from openclaude.aws.policy.policy import Target
    from openclaude.contracts.references import BEDROCK

    for one in resolution.deployments if resolution.has_providers else ():
        if one.provider != BEDROCK:
            continue
        # LiteLLM asks for `model_id` in place of the model, where it is given (read in 1.108.14)
        model = str(one.params.get("model_id") or one.model_id)
        guardrail = one.params.get("guardrailConfig")
        named = guardrail.get("guardrailIdentifier", "") if isinstance(guardrail, dict) else ""
        yield Target(model_id=model, region=one.region, guardrail=str(named))
