"""`openclaude switch`: other models for the running sessions of a profile.

Knows: the steps, and in which order a failure leaves everything as it was. Independent of: how a
changed plan reaches the proxies (the way of an edited profile), the rules of a profile.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from openclaude import __version__
from openclaude.commands.changed import changes_between
from openclaude.commands.help_page import (
    CONFIG,
    OVERRIDES,
    PROFILE,
    STATE,
    HelpPage,
    add_json,
    add_page,
    add_profile_option,
)
from openclaude.commands.launch import SecretMissing, as_claude_goes, bring_up, is_running
from openclaude.commands.profiles.assignments import ASSIGNMENT, Assignments, one_profile
from openclaude.commands.running import (
    kept_plan,
    named_profile,
    not_running,
    sessions_of,
    these,
    wait_until_ready,
)
from openclaude.contracts.plan import Plan, TierPlan
from openclaude.contracts.references import parse_secret
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.files import locked, write_private
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import check_name
from openclaude.run.stack.folder import SWITCH, is_live, read_record, switch_in
from openclaude.run.stack.places import stack_folder

if TYPE_CHECKING:
    from openclaude.diagnostics import Key

PAGE = HelpPage(
    text="""\
Give a tier of the running sessions of a profile another model. Streams go on in
the old proxies, and each session is told in front of its next answer. It lasts
until the proxies stop, or until `--undo`; `--save` keeps it in the profile.""",
    examples=(
        "openclaude switch haiku=bedrock/zai.glm-5",
        "openclaude switch sonnet=openai/gpt-5.6-luna qwen --save",
        "openclaude switch --undo",
    ),
    variables=(*PROFILE, *OVERRIDES, *CONFIG, *STATE),
    docs="docs/profiles.md",
)
EXAMPLE = "for example `openclaude switch haiku=MODEL`"


class OutOfReach(OpenclaudeError):
    """A tier that open sessions ask for in a way in which the new model cannot be asked."""

    code = "switch-out-of-reach"


class Asked(NamedTuple):
    """What a command line asks for."""

    name: str
    assignments: Assignments  # keys from `tiers.` on
    is_saved: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    parser.add_argument(
        "words",
        metavar="TIER=MODEL",
        nargs="*",
        help="the tier and its model, or TIER.KEY=VALUE; the profile's name may follow",
    )
    add_profile_option(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--save", action="store_true", help="keep it in the profile")
    how.add_argument("--undo", action="store_true", help="go back to the profile's own models")
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Exchange models, or go back. Raises OpenclaudeError."""
    named, assignments = read_words(arguments.words)
    name = named_profile(one_profile(named, arguments.profile), env, places)
    if arguments.undo and assignments:
        raise UsageError("`--undo` takes no models", hint="`openclaude switch --undo`")
    if not arguments.undo and not assignments:
        raise UsageError("no tier is named", hint=EXAMPLE)
    asked = Asked(check_name(name), assignments, arguments.save)
    folder = stack_folder(places.stacks, name)
    record = read_record(folder)
    if record is None or not is_live(record):
        if asked.is_saved:
            return saved_only(asked, places, env)
        raise not_running(name, places)
    if record.version != __version__:
        raise OpenclaudeError(
            f"the proxies of `{name}` run openclaude {record.version}",
            hint=f"let this version take them over: `openclaude start {name}`",
        )
    with locked(folder / "switch.lock"):
        return switch(asked, folder, places, env)


def read_words(words: Sequence[str]) -> tuple[str | None, Assignments]:
    """The profile, if one is named, and each key with the text of its value. Raises UsageError."""
    found = [ASSIGNMENT.fullmatch(word) for word in words]
    names = [word for word, match in zip(words, found, strict=True) if match is None]
    if len(names) > 1:
        raise UsageError(f"`{names[1]}` is not TIER=MODEL", hint=EXAMPLE)
    keys = [(one[1], one[2]) for one in found if one]
    prefixed = [(key if key.startswith("tiers.") else f"tiers.{key}", text) for key, text in keys]
    return (names[0] if names else None), prefixed


def switch(asked: Asked, folder: Path, places: Places, env: Mapping[str, str]) -> Result:
    """Check everything, then change it; if it cannot be applied, it is as it was.

    Raises OutOfReach, SecretMissing, and what loading a profile raises.
    """
    from openclaude.plan_cache import switched_plan

    former, before = switch_in(folder), kept_plan(folder)
    text = changed_text(former, asked.assignments) if asked.assignments else ""
    plan = switched_plan(asked.name, places, env, text)
    users = sessions_of(folder)
    lost = lost_tiers(before, plan) if users and before else []
    if lost and not asked.is_saved:
        raise out_of_reach(lost[0])
    check_secrets_of(before, plan, env)
    notes = []
    if asked.is_saved:
        notes = save_in_profile(asked, places, env)
        text = without_tiers(former, asked.assignments)
        plan = switched_plan(asked.name, places, env, text)
    changes = changes_between(before, plan)
    apply(plan, folder, places, env, Switched(text, former, before))
    notes += [f"open sessions keep asking for {tier} as before: {AGAIN}" for tier in lost]
    return Result(
        text=said(asked, changes, notes, users, is_lasting=not text),
        data={
            **{"profile": asked.name, "changes": changes, "saved": asked.is_saved},
            **{"switched": tiers_of(text), "sessions": users, "notes": notes},
        },
    )


AGAIN = "exit, and go on with `openclaude --continue`"


def saved_only(asked: Asked, places: Places, env: Mapping[str, str]) -> Result:
    """Change the profile; nothing runs that would have to know."""
    notes = save_in_profile(asked, places, env)
    text = "".join(f"note: {note}\n" for note in notes)
    return Result(
        text=f"{asked.name}: saved; its proxies are not running\n{text}",
        data={
            **{"profile": asked.name, "changes": [], "saved": True, "switched": []},
            **{"sessions": [], "notes": notes},
        },
    )


class Switched(NamedTuple):
    """What is switched, and what it was before."""

    text: str
    former: str
    plan: Plan | None  # of the running proxies, before


def apply(
    plan: Plan, folder: Path, places: Places, env: Mapping[str, str], switched: Switched
) -> None:
    """Have the running proxies follow a plan, which launches from now on find as well.

    Returns when they do: what a session asks next is answered by the new model. Raises
    OpenclaudeError if they have ended, or cannot start with it; then it is as it was.
    """
    seen = as_claude_goes(env, places)
    put(folder, switched.text)
    try:
        joined = bring_up(plan, places, seen)
        if joined.is_new:  # they ended just now, and what was to be switched with them
            from openclaude.run.launcher.stop import stop_stack

            stop_stack(folder)
            raise not_running(plan.profile, places)
        wait_until_ready(folder)
    except BaseException:
        put(folder, switched.former)
        if switched.plan and is_running(folder):
            with contextlib.suppress(OpenclaudeError):
                bring_up(switched.plan, places, seen)
        raise


def put(folder: Path, text: str) -> None:
    """Write what is switched; nothing where nothing is."""
    if text:
        write_private(folder / SWITCH, text)
    else:
        (folder / SWITCH).unlink(missing_ok=True)


# --- what is asked for ----------------------------------------------------------------------------


def changed_text(former: str, assignments: Assignments) -> str:
    """What is switched from now on, in TOML; a tier with another model starts afresh.

    Raises UnknownKey or BadValue.
    """
    from openclaude.profile.author.edit import set_value, unset_value
    from openclaude.profile.author.parse_value import read_value

    values = [(key, read_value(key, text)) for key, text in parsed(assignments)]
    text = former
    for key, _ in values:
        if len(key) == 2 or key[2:] == ("model",):
            text = unset_value(text, key[:2])
    for key, value in values:
        text = set_value(text, key, value)
    return text


def without_tiers(former: str, assignments: Assignments) -> str:
    """What stays switched when these tiers are the profile's own."""
    from openclaude.profile.author.edit import unset_value

    text = former
    for key, _ in parsed(assignments):
        text = unset_value(text, key[:2])
    return text if text.strip() else ""


def parsed(assignments: Assignments) -> list[tuple[Key, str]]:
    """The keys, read. Raises UnknownKey."""
    from openclaude.profile.author.parse_value import read_key

    return [(read_key(key), text) for key, text in assignments]


def save_in_profile(asked: Asked, places: Places, env: Mapping[str, str]) -> list[str]:
    """Write the keys into the profile; what there is to note. Raises what `profiles set` raises."""
    from openclaude.commands.profiles.set import set_keys
    from openclaude.profile.library import Library

    library = Library(places.profiles, places.shipped)
    result = set_keys(places, library, asked.name, env, asked.assignments)
    notes = result.data["notes"]
    return [str(note) for note in notes] if isinstance(notes, list) else []


# --- what stands against it -----------------------------------------------------------------------


def lost_tiers(before: Plan, after: Plan) -> list[str]:
    """The tiers of which open sessions would get another model than the new one, or none.

    claude asks for a tier by Claude's own id where the slot's window allows it, else by the slot's.
    """
    old = {tier.tier: tier for tier in before.tiers}
    return [
        tier.tier
        for tier in after.tiers
        if tier.tier in old and not is_reached(old[tier.tier], tier)
    ]


def is_reached(old: TierPlan, new: TierPlan) -> bool:
    """Whether who was told the old model of a tier reaches the new one."""
    asks_by_slot = bool(old.slot) and not old.behaves_as
    if old.model == new.model or (asks_by_slot and new.slot):
        return True
    return not asks_by_slot and (not new.slot or bool(new.behaves_as))


def out_of_reach(tier: str) -> OutOfReach:
    """The error for a tier of which open sessions would not get the new model."""
    return OutOfReach(
        f"open sessions cannot be given this model in {tier}: they ask for the tier by an id that "
        "does not lead there, because the model's window is of another kind",
        hint=f"add `--save`; then in each session {AGAIN}",
    )


def check_secrets_of(before: Plan | None, plan: Plan, env: Mapping[str, str]) -> None:
    """Raise SecretMissing for a key that the new model needs and nobody has."""
    from openclaude.doctor.checks.profile import fix_secret

    had = {one for unit in (before.units if before else ()) for one in unit.secrets.values()}
    for reference in (one for unit in plan.units for one in unit.secrets.values()):
        variable = parse_secret(reference).variable
        if variable and reference not in had and not env.get(variable):
            raise SecretMissing(
                f"the model needs the secret `{reference}`, but {variable} is not set",
                hint=fix_secret(reference, plan.profile),
            )


# --- what is said ---------------------------------------------------------------------------------


def tiers_of(text: str) -> list[dict[str, str]]:
    """What is switched, a row for each tier."""
    import tomllib

    tiers = tomllib.loads(text).get("tiers", {}) if text else {}
    return [
        {"tier": tier, "model": value if isinstance(value, str) else str(value.get("model", ""))}
        for tier, value in tiers.items()
    ]


def said(
    asked: Asked, changes: list[str], notes: list[str], users: list[int], *, is_lasting: bool
) -> str:
    """The report."""
    lines = [f"{asked.name}: {change}" for change in changes] or [f"{asked.name}: nothing changed"]
    if changes and not is_lasting:
        lines.append(
            f"  until its proxies stop, or `openclaude switch --undo {asked.name}`; `--save` keeps "
            "it in the profile"
        )
    if changes and users:
        lines.append(
            f"  {these(users)} {'hears' if len(users) == 1 else 'hear'} of it with the next answer"
        )
    return "".join(f"{line}\n" for line in (*lines, *(f"note: {note}" for note in notes)))
