"""`openclaude profiles new` and `copy`: a further profile.

Knows: the questions, the steps. Refuses to know: TOML, the rules of a profile.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from openclaude.commands.profiles_ask import ask, is_attended, tell
from openclaude.commands.profiles_shelf import (
    check_free,
    encoded,
    find_kept,
    save,
    user_path,
    writing,
)
from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.places import Places

if TYPE_CHECKING:
    from openclaude.profile.library import Library
    from openclaude.profile.mistakes import Mistake
    from openclaude.profile.template import Wanted

PARENT = "base"
AWS = {"aws.profile": "openclaude", "aws.region": "us-west-2"}


def new_profile(
    places: Places, library: Library, arguments: argparse.Namespace, env: Mapping[str, str]
) -> Result:
    """Write a new profile from the flags, or from the answers of a person who gave none."""
    from openclaude.profile.drafts import judge_draft
    from openclaude.profile.template import new_text

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
    from openclaude.profile.document import decode

    check_free(places, name)
    kept = find_kept(places, library, source)
    text = kept.same_mark(decode(kept.path, kept.content))
    return put_new(places, name, text, f"is a copy of `{source}`")


# --- flags


def was_flagged(arguments: argparse.Namespace) -> bool:
    """Whether any of the flags that stand for an answer was given."""
    given = (arguments.tier, arguments.parent, arguments.description)
    return any(given) or bool(arguments.aws_profile or arguments.region)


def read_flags(arguments: argparse.Namespace) -> Wanted:
    """What the flags say of the new profile."""
    from openclaude.profile.names import check_name
    from openclaude.profile.template import Wanted

    return Wanted(
        parent=check_name(arguments.parent or PARENT),
        tiers=read_tiers(arguments.tier or ()),
        description=arguments.description or "",
        aws_profile=arguments.aws_profile or "",
        region=arguments.region or "",
    )


def read_tiers(given: Iterable[str]) -> dict[str, str]:
    """`TIER=MODEL` as a table; the last of several for one tier holds."""
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
    """What a person answers. Raises KeyboardInterrupt for Ctrl-C, when nothing is written yet."""
    from openclaude.profile.template import Wanted

    tell(f"A new profile, `{name}`. Enter takes what stands in brackets; Ctrl-C writes nothing.\n")
    wanted = Wanted(parent=ask_parent(library, env))
    inherited = library.load(wanted.parent, env=env).profile.tiers
    for tier in inherited:
        wanted = ask_tier(places, library, name, env, wanted, tier, inherited[tier].model)
    for mistake in mistakes_in(places, library, name, env, wanted):
        if mistake.key in AWS:
            answer = ask(f"{mistake.key} (for Bedrock)", AWS[mistake.key])
            if mistake.key == "aws.profile":
                wanted = wanted._replace(aws_profile=answer)
            else:
                wanted = wanted._replace(region=answer)
    return wanted._replace(description=ask("description, one line", ""))


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
    """A model for one tier, asked for until it is one; Enter leaves it to the parent."""
    while True:
        model = ask(f"model for {tier}", inherited)
        if model == inherited:
            return wanted
        longer = wanted._replace(tiers={**wanted.tiers, tier: model})
        found = mistakes_in(places, library, name, env, longer)
        wrong = [one for one in found if one.key.startswith(f"tiers.{tier}")]
        if not wrong:
            return longer
        tell("".join(f"error: {one.key}: {one.message}; {one.hint}\n" for one in wrong))


def mistakes_in(
    places: Places, library: Library, name: str, env: Mapping[str, str], wanted: Wanted
) -> tuple[Mistake, ...]:
    """What would be wrong with the profile as it has been answered so far."""
    from openclaude.profile.drafts import judge_draft
    from openclaude.profile.mistakes import ProfileMistakes
    from openclaude.profile.template import new_text

    try:
        text = new_text(name, wanted)
        judge_draft(library, name, user_path(places, name), encoded(text), env)
    except ProfileMistakes as error:
        return error.mistakes
    return ()
