"""`openclaude profiles`: which profiles there are, what one says, and whether it is right.

Knows: how the answers look. Refuses to know: the rules of a profile. pydantic and tomlkit are
imported inside the functions that need them.
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from openclaude.errors import NotSupportedYet, OpenclaudeError, UsageError
from openclaude.output import Result, table
from openclaude.places import Places
from openclaude.profile.names import default_profile_name

if TYPE_CHECKING:
    from openclaude.profile.library import Entry, Library, Loaded
    from openclaude.profile.mistakes import Mistake

TIERS = ("opus", "sonnet", "haiku", "fable")
UNKNOWN = "?"
# Words of the design that wait, and what does the same today.
WAITING = {
    "new": "write `{profiles}/NAME.toml`",
    "copy": "copy the file with `cp` into `{profiles}`",
    "edit": "edit `{profiles}/NAME.toml`",
    "set": "edit `{profiles}/NAME.toml`",
    "unset": "edit `{profiles}/NAME.toml`",
    "use": "set OPENCLAUDE_PROFILE",
    "rename": "rename the file in `{profiles}`",
    "remove": "remove the file from `{profiles}`",
    "diff": "compare the files in `{profiles}` with `diff`",
    "path": "`openclaude profiles show NAME` names the files",
    "import": "copy the file with `cp` into `{profiles}`",
    "export": "copy the file with `cp` from `{profiles}`",
}


class Checked(NamedTuple):
    """What `validate` found of one profile."""

    name: str
    error: OpenclaudeError | None
    warnings: tuple[Mistake, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `openclaude profiles`; without one it is `list`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=False)
    parser.set_defaults(action="list")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_action(actions, "list", "every profile and what its tiers run on")
    show = add_action(actions, "show", "one profile, and where each of its values comes from")
    show.add_argument("name", metavar="NAME", nargs="?", help="default: the one a launch uses")
    validate = add_action(actions, "validate", "every mistake of a profile, in one report")
    validate.add_argument(
        "names", metavar="NAME", nargs="*", help="a name or the path of a .toml file"
    )
    validate.add_argument("--all", action="store_true", help="every profile there is")
    for name in WAITING:
        # no prefix: whatever follows, flags too, is taken, so that the answer is why and not what
        waiting = actions.add_parser(name, add_help=False, prefix_chars="\0")
        waiting.add_argument("rest", nargs="*")


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_text: str
) -> argparse.ArgumentParser:
    """One subcommand; each can print JSON."""
    action = actions.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
    # SUPPRESS: a subcommand's default would hide what stands before the subcommand
    action.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document"
    )
    return action


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Do what `openclaude profiles` was asked to do."""
    if arguments.action in WAITING:
        raise NotSupportedYet(
            f"`openclaude profiles {arguments.action}` is not supported yet",
            hint=WAITING[arguments.action].format(profiles=places.profiles),
        )
    library = open_library(places)
    match arguments.action:
        case "show":
            return show_profile(library, arguments.name or default_profile_name(env, places), env)
        case "validate":
            today = datetime.datetime.now(tz=datetime.UTC).date()
            return validate_profiles(
                library, choose_names(arguments, library, env, places), env, today
            )
        case _:
            return list_profiles(library, default_profile_name(env, places), env)


def open_library(places: Places) -> Library:
    """The profiles of the user that `places` belongs to."""
    from openclaude.profile.library import Library

    return Library(places.profiles, places.shipped)


# --- list


def list_profiles(library: Library, default: str, env: Mapping[str, str]) -> Result:
    """Every profile; a broken one is in the list and does not stop it."""
    from openclaude.profile.mistakes import ProfileMistakes, UnreadableProfile

    entries = library.entries()
    loaded: dict[str, Loaded | OpenclaudeError] = {}
    for entry in entries:
        try:
            loaded[entry.name] = library.load(entry.name, env=env)
        except (ProfileMistakes, UnreadableProfile) as error:
            loaded[entry.name] = error
    rows = [list_row(entry, loaded[entry.name], default) for entry in entries]
    notes = [*broken_notes(loaded), *library_notes(library, default)]
    text = table(("  NAME", *(tier.upper() for tier in TIERS), "FROM"), rows)
    if notes:
        text += "\n" + "".join(f"{note}\n" for note in notes)
    items = [list_item(entry, loaded[entry.name], default) for entry in entries]
    return Result(text=text, data={"default": default, "profiles": items})


def list_row(entry: Entry, loaded: Loaded | OpenclaudeError, default: str) -> Sequence[str]:
    """A profile's line in the table."""
    mark = "*" if entry.name == default else " "
    return (f"{mark} {entry.name}", *tier_models(loaded).values(), entry.where)


def tier_models(loaded: Loaded | OpenclaudeError) -> dict[str, str]:
    """What each tier runs on; of a broken profile nobody can say."""
    if isinstance(loaded, OpenclaudeError):
        return dict.fromkeys(TIERS, UNKNOWN)
    return {name: tier.model for name, tier in loaded.profile.tiers.items()}


def broken_notes(loaded: Mapping[str, Loaded | OpenclaudeError]) -> Iterator[str]:
    """The first mistake of each broken profile, and how to see the others."""
    for name, one in loaded.items():
        if isinstance(one, OpenclaudeError):
            first, *others = reports(one)
            more = f" (and {len(others)} more: `openclaude profiles validate {name}`)"
            yield f"broken: {name}: {first}{more if others else ''}"


def library_notes(library: Library, default: str) -> Iterator[str]:
    """What a reader of the list would look for in vain."""
    from openclaude.profile.names import NAME_RULE

    for path in library.misnamed():
        yield f"not listed: {path}: {NAME_RULE}"
    if default not in library.names():
        yield f"the default, `{default}`, is not among them"


def list_item(entry: Entry, loaded: Loaded | OpenclaudeError, default: str) -> Mapping[str, object]:
    """A profile in the JSON list."""
    item = {
        "name": entry.name,
        "path": str(entry.path),
        "from": entry.where,
        "default": entry.name == default,
    }
    if isinstance(loaded, OpenclaudeError):
        return item | {"description": None, "tiers": None, "errors": loaded.entries()}
    description = loaded.profile.description
    return item | {"description": description, "tiers": tier_models(loaded), "errors": []}


def reports(error: OpenclaudeError) -> list[str]:
    """A failure as lines that each say where, what and how to mend it."""
    from openclaude.profile.mistakes import ProfileMistakes

    if isinstance(error, ProfileMistakes):
        return [str(mistake) for mistake in error.mistakes]
    return [f"{error.message}; {error.hint}" if error.hint else error.message]


# --- show


def show_profile(library: Library, name: str, env: Mapping[str, str]) -> Result:
    """A profile with everything merged in, and where each value comes from."""
    loaded = library.load(name, env=env)
    values = loaded.profile.model_dump(mode="json", by_alias=True)
    known = map_values(library, loaded)
    rows = [
        (
            key,
            json.dumps(known.get(key, value), ensure_ascii=False),
            origin_text(loaded, key, known),
        )
        for key, value in flat(values)
        if key in known or value not in (None, "", [], {})
    ]
    data = {
        "name": name,
        "values": values,
        "from_map": known,
        "origins": {key: origin.as_data() for key, origin in loaded.provenance.items()},
        "sources": [
            {"name": source.name, "path": str(source.path), "sha256": source.sha256}
            for source in loaded.sources
        ],
    }
    return Result(text=table(("KEY", "VALUE", "FROM"), rows), data=data)


def flat(values: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Every value of nested tables with its dotted key."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def map_values(library: Library, loaded: Loaded) -> Mapping[str, object]:
    """What the profile leaves to LiteLLM's map: the limits a launch will use."""
    known: dict[str, object] = {}
    for name, tier in loaded.profile.tiers.items():
        if tier.is_claude:
            continue
        model = library.catalog.find_model(tier.model, loaded.profile.region_of(name))
        for key, own, found in (
            ("max_output_tokens", tier.max_output_tokens, model.max_output_tokens),
            ("context_window", tier.context_window, model.max_input_tokens),
            ("vision", tier.vision, model.vision),
        ):
            if own is None:
                known[f"tiers.{name}.{key}"] = found
    return known


def origin_text(loaded: Loaded, key: str, known: Mapping[str, object]) -> str:
    """Where a value comes from, for the table."""
    return "LiteLLM's map" if key in known else str(loaded.provenance[key])


# --- validate


def choose_names(
    arguments: argparse.Namespace, library: Library, env: Mapping[str, str], places: Places
) -> tuple[str, ...]:
    """Which profiles `validate` was asked about."""
    if arguments.all and arguments.names:
        raise UsageError("`--all` and names exclude each other", hint="give one of the two")
    if arguments.all:
        return library.names()
    return tuple(arguments.names) or (default_profile_name(env, places),)


def validate_profiles(
    library: Library, names: Iterable[str], env: Mapping[str, str], today: datetime.date
) -> Result:
    """Every mistake and every warning of these profiles; 2 if there is a mistake."""
    checked = [check_profile(library, name, env, today) for name in names]
    errors = [entry for one in checked if one.error for entry in one.error.entries()]
    return Result(
        text="".join(f"{line}\n" for one in checked for line in checked_lines(one)),
        data={"profiles": [checked_item(one) for one in checked]},
        exit_code=2 if errors else 0,
        errors=tuple(errors),
    )


def check_profile(
    library: Library, name: str, env: Mapping[str, str], today: datetime.date
) -> Checked:
    """One profile: what is wrong with it, or what is worth a warning."""
    from openclaude.profile.advice import find_warnings
    from openclaude.profile.mistakes import ProfileMistakes, UnreadableProfile
    from openclaude.profile.names import BadProfileName, UnknownProfile

    try:
        loaded = load(library, name, env)
    except (ProfileMistakes, UnreadableProfile, UnknownProfile, BadProfileName) as error:
        return Checked(name, error)
    return Checked(name, None, find_warnings(loaded, library.catalog, today))


def load(library: Library, name: str, env: Mapping[str, str]) -> Loaded:
    """A profile by its name, or by the path of its file."""
    if "/" in name or name.endswith(".toml"):
        return library.load_file(Path(name), env=env)
    return library.load(name, env=env)


def checked_lines(checked: Checked) -> Iterator[str]:
    """The verdict on one profile, then each mistake or warning on a line of its own."""
    if checked.error is None:
        yield f"`{checked.name}` is valid"
        yield from (f"warning: {warning}" for warning in checked.warnings)
    else:
        mistakes = reports(checked.error)
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        yield f"`{checked.name}` has {count}"
        yield from (f"error: {mistake}" for mistake in mistakes)


def checked_item(checked: Checked) -> Mapping[str, object]:
    """The verdict on one profile as JSON."""
    return {
        "name": checked.name,
        "valid": checked.error is None,
        "errors": checked.error.entries() if checked.error else [],
        "warnings": [warning.entry("profile-warning") for warning in checked.warnings],
    }
