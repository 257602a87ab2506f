"""`openclaude profiles`: which profiles there are, and everything that can be done with them.

Knows: the actions and their arguments, which module does what. Independent of: how. Only the
chosen action's module is imported; pydantic and tomlkit inside the functions that need them.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.commands.help_page import (
    JSON_HELP,
    add_json,
    add_page,
    add_profile,
    add_profile_option,
)
from openclaude.commands.profiles.pages import PAGES, PROFILES
from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import default_profile_name, profile_name

if TYPE_CHECKING:
    from openclaude.profile.library import Library

    Actions = argparse._SubParsersAction[argparse.ArgumentParser]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `openclaude profiles`; without one it is `list`."""
    add_page(parser, PROFILES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=False)
    parser.set_defaults(action="list")
    add_json(parser)
    add_reading_actions(actions)
    add_writing_actions(actions)
    add_naming_actions(actions)
    add_sharing_actions(actions)


def add_action(actions: Actions, name: str) -> argparse.ArgumentParser:
    """One subcommand; each can print JSON."""
    line, page = PAGES[name]
    action = actions.add_parser(name, help=line, allow_abbrev=False)
    add_page(action, page)
    # SUPPRESS: a subcommand's default would hide what stands before the subcommand
    action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=JSON_HELP)
    return action


def add_reading_actions(actions: Actions) -> None:
    """Subcommands that only read."""
    add_action(actions, "list")
    show = add_action(actions, "show")
    add_profile(show)
    validate = add_action(actions, "validate")
    validate.add_argument(
        "names", metavar="NAME", nargs="*", help="profiles, or paths of .toml files"
    )
    add_profile_option(validate)
    validate.add_argument("--all", action="store_true", help="check every profile")
    diff = add_action(actions, "diff")
    diff.add_argument(
        "names", metavar="NAME", nargs=2, help="a profile, or the path of a .toml file"
    )
    path = add_action(actions, "path")
    add_profile(path, "the profile")


def add_writing_actions(actions: Actions) -> None:
    """Subcommands that change the content of a profile."""
    new = add_action(actions, "new")
    new.add_argument("name", metavar="NAME", help="the name of the new profile")
    new.add_argument(
        "--from", dest="parent", metavar="PROFILE", help="the profile to extend (default: base)"
    )
    new.add_argument(
        "--tier", action="append", metavar="TIER=MODEL", help="a tier's model; can be repeated"
    )
    new.add_argument("--description", metavar="TEXT", help="one line for the list of profiles")
    new.add_argument("--aws-profile", metavar="NAME", help="the AWS profile for tiers on Bedrock")
    new.add_argument("--region", metavar="REGION", help="the AWS region for tiers on Bedrock")
    copy = add_action(actions, "copy")
    copy.add_argument("source", metavar="NAME", help="the profile to copy")
    copy.add_argument("name", metavar="NEW-NAME", help="the name of the copy")
    edit = add_action(actions, "edit")
    add_profile(edit)
    setting = add_action(actions, "set")
    setting.add_argument(
        "words",
        metavar="NAME",
        nargs="+",
        help="the profile (default: the one a launch uses), then KEY=VALUE, one or several: "
        "the value is text, or TOML if the key takes something else",
    )
    add_profile_option(setting)
    unset = add_action(actions, "unset")
    unset.add_argument(
        "words",
        metavar="NAME",
        nargs="+",
        help="the profile (default: the one a launch uses), then its keys, such as aws.region",
    )
    add_profile_option(unset)


def add_naming_actions(actions: Actions) -> None:
    """Subcommands that change names."""
    use = add_action(actions, "use")
    add_profile(use, "the new default")
    use.add_argument("--clear", action="store_true", help="return to the built-in default, qwen")
    rename = add_action(actions, "rename")
    rename.add_argument("source", metavar="NAME", help="the profile to rename")
    rename.add_argument("name", metavar="NEW-NAME", help="its new name")
    remove = add_action(actions, "remove")
    remove.add_argument("name", metavar="NAME", help="the profile to remove")
    remove.add_argument("--yes", action="store_true", help="remove it without confirmation")


def add_sharing_actions(actions: Actions) -> None:
    """Subcommands that move a profile between machines."""
    export = add_action(actions, "export")
    add_profile(export)
    export.add_argument(
        "--out", metavar="FILE", type=Path, help="write to this file instead of stdout"
    )
    taking = add_action(actions, "import")
    taking.add_argument("file", metavar="FILE", help="a .toml file, - for stdin, or an address")
    taking.add_argument(
        "name", metavar="NAME", nargs="?", help="the profile's name (default: the file's name)"
    )
    taking.add_argument("--yes", action="store_true", help="save it without confirmation")


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Do what `openclaude profiles` was asked to do."""
    library = open_library(places)
    match arguments.action:
        case "list" | "show" | "validate" | "diff" | "path":
            return read(arguments, places, library, env)
        case "new" | "copy" | "edit" | "set" | "unset":
            return write(arguments, places, library, env)
        case _:
            return carry(arguments, places, library, env)


def open_library(places: Places) -> Library:
    """The profiles of the user that `places` belongs to."""
    from openclaude.profile.library import Library

    return Library(places.profiles, places.shipped)


def read(
    arguments: argparse.Namespace, places: Places, library: Library, env: Mapping[str, str]
) -> Result:
    """Answer a question about profiles."""
    match arguments.action:
        case "show":
            from openclaude.commands.profiles.show import show_profile

            return show_profile(library, profile_name(arguments.profile, env, places), env)
        case "validate":
            from openclaude.commands.profiles.validate import validate_profiles

            today = datetime.datetime.now(tz=datetime.UTC).date()
            return validate_profiles(library, choose(arguments, places, library, env), env, today)
        case "diff":
            from openclaude.commands.profiles.compare import diff_profiles

            return diff_profiles(library, tuple(arguments.names), env)
        case "path":
            from openclaude.commands.profiles.compare import find_path

            return find_path(places, library, arguments.profile)
        case _:
            from openclaude.commands.profiles.listing import list_profiles

            return list_profiles(library, places, env)


def write(
    arguments: argparse.Namespace, places: Places, library: Library, env: Mapping[str, str]
) -> Result:
    """Change the content of a profile."""
    from openclaude.commands.profiles.assignments import one_profile, read_set, read_unset
    from openclaude.commands.profiles.edit import edit_profile
    from openclaude.commands.profiles.new import copy_profile, new_profile
    from openclaude.commands.profiles.set import set_keys, unset_keys
    from openclaude.profile.schema import allowed_keys

    match arguments.action:
        case "new":
            return new_profile(places, library, arguments, env)
        case "copy":
            return copy_profile(places, library, arguments.source, arguments.name)
        case "edit":
            return edit_profile(places, library, profile_name(arguments.profile, env, places), env)
    keys = allowed_keys(())
    if arguments.action == "set":
        named, assignments = read_set(arguments.words, keys)
        name = profile_name(one_profile(named, arguments.profile), env, places)
        return set_keys(places, library, name, env, assignments)
    named, removed = read_unset(arguments.words, keys)
    name = profile_name(one_profile(named, arguments.profile), env, places)
    return unset_keys(places, library, name, env, removed)


def carry(
    arguments: argparse.Namespace, places: Places, library: Library, env: Mapping[str, str]
) -> Result:
    """Give a profile another name or another place. Raises UsageError."""
    from openclaude.commands.profiles import move, share

    match arguments.action:
        case "use" if arguments.clear == bool(arguments.profile):
            raise UsageError("`use` takes a name or `--clear`", hint="use one of the two")
        case "use" if arguments.clear:
            return move.clear_default(places)
        case "use":
            return move.use_profile(places, library, arguments.profile, env)
        case "rename":
            return move.rename_profile(places, library, arguments.source, arguments.name)
        case "remove":
            return move.remove_profile(places, library, arguments.name, is_sure=arguments.yes)
        case "export":
            name = profile_name(arguments.profile, env, places)
            return share.export_profile(library, name, arguments.out)
        case _:
            return share.import_profile(
                places, library, arguments.file, arguments.name, env, is_sure=arguments.yes
            )


def choose(
    arguments: argparse.Namespace, places: Places, library: Library, env: Mapping[str, str]
) -> tuple[str, ...]:
    """Which profiles `validate` was asked about. Raises UsageError."""
    names = tuple(dict.fromkeys([*arguments.names, *filter(None, [arguments.profile])]))
    if arguments.all and names:
        raise UsageError("`--all` and names exclude each other", hint="use one of the two")
    if arguments.all:
        return library.names()
    return names or (default_profile_name(env, places),)
