"""`openclaude profiles new` and `copy`: a further profile.

Knows: the questions, the steps. Independent of: TOML, the rules of a profile.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from openclaude.commands.profiles.store import (
    check_free,
    encoded,
    find_kept,
    save,
    user_path,
    writing,
)
from openclaude.diagnostics import Diagnostic, dotted
from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.prompt import ask, is_attended, tell

if TYPE_CHECKING:
    from openclaude.profile.author.template import Wanted
    from openclaude.profile.library import Library

PARENT = "base"
BRACKETS = "Press Enter for the value in [brackets]; Ctrl-C cancels without changes."
AWS = {"aws.profile": "openclaude", "aws.region": "us-west-2"}


def new_profile(
    places: Places, library: Library, arguments: argparse.Namespace, env: Mapping[str, str]
) -> Result:
    """Write a new profile from flags, or from prompts if there are none."""
    from openclaude.profile.author.drafts import judge_draft
    from openclaude.profile.author.template import new_text

    name = arguments.name
    path = check_free(places, name)
    wanted = read_flags(arguments)
    if not was_flagged(arguments) and is_attended():
        wanted = interview(places, library, name, env)
    text = new_text(name, wanted)
    library.load(wanted.parent, env=env)
    judge_draft(library, name, path, encoded(text), env)
    return put_new(places, name, text, f"extends `{wanted.parent}`")


def put_new(places: Places, name: str, text: str, what: str) -> Result:
    """Save a text under a name that is free."""
    with writing(places):
        path = check_free(places, name)
        save(path, text)
    return Result(
        text=f"wrote `{path}`, which {what}\nuse it: `openclaude --profile {name}`\n",
        data={"name": name, "path": str(path)},
    )


def copy_profile(places: Places, library: Library, source: str, name: str) -> Result:
    """The same text under another name."""
    from openclaude.profile.read.document import decode_text

    check_free(places, name)
    kept = find_kept(places, library, source)
    text = kept.same_mark(decode_text(kept.path, kept.content))
    return put_new(places, name, text, f"is a copy of `{source}`")


# --- flags


def was_flagged(arguments: argparse.Namespace) -> bool:
    """Whether any flag that replaces a prompt was given."""
    given = (arguments.tier, arguments.parent, arguments.description)
    return any(given) or bool(arguments.aws_profile or arguments.region)


def read_flags(arguments: argparse.Namespace) -> Wanted:
    """The values of the new profile, from flags."""
    from openclaude.profile.author.template import Wanted
    from openclaude.profile.names import check_name

    return Wanted(
        parent=check_name(arguments.parent or PARENT),
        tiers=read_tiers(arguments.tier or ()),
        description=arguments.description or "",
        aws_profile=arguments.aws_profile or "",
        region=arguments.region or "",
    )


def read_tiers(given: Iterable[str]) -> dict[str, str]:
    """`TIER=MODEL` as a table; the last of several for one tier holds. Raises UsageError."""
    from openclaude.profile.names import shorten
    from openclaude.profile.schema import TIERS
    from openclaude.profile.values import did_you_mean

    tiers: dict[str, str] = {}
    for one in given:
        tier, equals, model = one.partition("=")
        if not equals or not model:
            raise UsageError(
                f"`--tier` takes TIER=MODEL, not `{shorten(one)}`",
                hint="for example `--tier haiku=bedrock/qwen.qwen3-next-80b-a3b`",
            )
        if tier not in TIERS:
            raise UsageError(f"no tier named `{shorten(tier)}`", hint=did_you_mean(tier, TIERS))
        tiers[tier] = model
    return {name: tiers[name] for name in TIERS if name in tiers}


# --- questions


def interview(places: Places, library: Library, name: str, env: Mapping[str, str]) -> Wanted:
    """The values from prompts. Raises KeyboardInterrupt for Ctrl-C, before anything is written."""
    from openclaude.profile.author.template import Wanted
    from openclaude.profile.mistakes import key_of

    tell(f"A new profile, `{name}`. {BRACKETS}\n")
    wanted = Wanted(parent=ask_parent(library, env))
    inherited = library.load(wanted.parent, env=env).profile.tiers
    for tier in inherited:
        wanted = ask_tier(places, library, name, env, wanted, tier, inherited[tier].model)
    for mistake in mistakes_in(places, library, name, env, wanted):
        key = dotted(key_of(mistake))
        if key in AWS:
            if key == "aws.profile":
                wanted = wanted._replace(aws_profile=ask_aws_profile(env, places))
            else:
                wanted = wanted._replace(region=ask(f"{key} (for Bedrock)", AWS[key]))
    return wanted._replace(description=ask("description, one line", ""))


def ask_aws_profile(env: Mapping[str, str], places: Places) -> str:
    """An AWS profile for Bedrock, those of this machine offered."""
    from openclaude.aws.files import look_at_aws

    usual = AWS["aws.profile"]
    names = sorted(look_at_aws(env, places.home, time.time()).names())
    offered = f": {', '.join(names)}" if names else ""
    likely = [name for name in (usual, env.get("AWS_PROFILE", ""), "default") if name in names]
    return ask(f"aws.profile (for Bedrock{offered})", next(iter([*likely, *names]), usual))


def ask_parent(library: Library, env: Mapping[str, str]) -> str:
    """The profile to start from: one that can be loaded."""
    from openclaude.errors import OpenclaudeError

    while True:
        parent = ask(f"start from which profile? ({', '.join(library.names())})", PARENT)
        try:
            library.load(parent, env=env)
        except OpenclaudeError as error:
            tell(f"error: {error.message}\n")
        else:
            return parent


def ask_tier(
    places: Places,
    library: Library,
    name: str,
    env: Mapping[str, str],
    wanted: Wanted,
    tier: str,
    inherited: str,
) -> Wanted:
    """Ask for a tier's model until it is valid; Enter inherits it."""
    from openclaude.profile.mistakes import key_of

    while True:
        model = ask(f"model for {tier}", inherited)
        if model == inherited:
            return wanted
        longer = wanted._replace(tiers={**wanted.tiers, tier: model})
        found = mistakes_in(places, library, name, env, longer)
        wrong = [one for one in found if key_of(one)[:2] == ("tiers", tier)]
        if not wrong:
            return longer
        tell("".join(f"error: {dotted(key_of(one))}: {one.sentence}\n" for one in wrong))


def mistakes_in(
    places: Places, library: Library, name: str, env: Mapping[str, str], wanted: Wanted
) -> tuple[Diagnostic, ...]:
    """The mistakes in the profile as answered so far."""
    from openclaude.profile.author.drafts import judge_draft
    from openclaude.profile.author.template import new_text
    from openclaude.profile.mistakes import ProfileMistakes

    try:
        text = new_text(name, wanted)
        judge_draft(library, name, user_path(places, name), encoded(text), env)
    except ProfileMistakes as error:
        return error.mistakes
    return ()
