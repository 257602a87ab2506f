"""`openclaude profiles`: which profiles there are, and everything that can be done with them.

Knows: the actions and their arguments, which module does what. Refuses to know: how. Only the
chosen action's module is imported; pydantic and tomlkit inside the functions that need them.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.places import Places
from openclaude.profile.names import default_profile_name, profile_name

if TYPE_CHECKING:
    from openclaude.profile.library import Library

    Actions = argparse._SubParsersAction[argparse.ArgumentParser]

NAME = "default: the one a launch uses"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `openclaude profiles`; without one it is `list`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=False)
    parser.set_defaults(action="list")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_reading_actions(actions)
    add_writing_actions(actions)
    add_naming_actions(actions)
    add_sharing_actions(actions)


def add_action(actions: Actions, name: str, help_text: str) -> argparse.ArgumentParser:
    """One subcommand; each can print JSON."""
    action = actions.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
    # SUPPRESS: a subcommand's default would hide what stands before the subcommand
    action.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document"
    )
    return action


def add_reading_actions(actions: Actions) -> None:
    """Those that change nothing."""
    add_action(actions, "list", "every profile and what its tiers run on")
    show = add_action(actions, "show", "one profile, and where each of its values comes from")
    show.add_argument("name", metavar="NAME", nargs="?", help=NAME)
    validate = add_action(actions, "validate", "every mistake of a profile, in one report")
    validate.add_argument(
        "names", metavar="NAME", nargs="*", help="a name or the path of a .toml file"
    )
    validate.add_argument("--all", action="store_true", help="every profile there is")
    diff = add_action(actions, "diff", "the values in which two profiles differ; exit status 1")
    diff.add_argument("names", metavar="NAME", nargs=2, help="a name or the path of a .toml file")
    path = add_action(actions, "path", "where a profile's file is, or the folder of your own")
    path.add_argument("name", metavar="NAME", nargs="?")


def add_writing_actions(actions: Actions) -> None:
    """Those that change what a profile says."""
    new = add_action(actions, "new", "a new profile; asks, on a terminal without flags")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--from", dest="parent", metavar="PROFILE", help="default: base")
    new.add_argument("--tier", action="append", metavar="TIER=MODEL", help="can be repeated")
    new.add_argument("--description", metavar="TEXT", help="one line for the list")
    new.add_argument("--aws-profile", metavar="NAME", help="for tiers on Bedrock")
    new.add_argument("--region", metavar="REGION", help="for tiers on Bedrock")
    copy = add_action(actions, "copy", "the same profile under another name")
    copy.add_argument("source", metavar="NAME")
    copy.add_argument("name", metavar="NEW-NAME")
    edit = add_action(actions, "edit", "open a profile in $VISUAL, $EDITOR or vi; save it if valid")
    edit.add_argument("name", metavar="NAME", nargs="?", help=NAME)
    setting = add_action(actions, "set", "give one key a value; the rest of the file stays")
    setting.add_argument("key", metavar="KEY", help="for example tiers.haiku or aws.region")
    setting.add_argument("value", metavar="VALUE", help="text, or TOML where the key is no text")
    setting.add_argument("--profile", metavar="NAME", help=NAME)
    unset = add_action(actions, "unset", "remove one key; the rest of the file stays")
    unset.add_argument("key", metavar="KEY")
    unset.add_argument("--profile", metavar="NAME", help=NAME)


def add_naming_actions(actions: Actions) -> None:
    """Those that are about names."""
    use = add_action(actions, "use", "make a profile the default")
    use.add_argument("name", metavar="NAME", nargs="?")
    use.add_argument("--clear", action="store_true", help="back to openclaude's own default")
    rename = add_action(actions, "rename", "another name, also where other profiles extend it")
    rename.add_argument("source", metavar="NAME")
    rename.add_argument("name", metavar="NEW-NAME")
    remove = add_action(actions, "remove", "remove a profile of your own; asks first")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--yes", action="store_true", help="do not ask")


def add_sharing_actions(actions: Actions) -> None:
    """Those that carry a profile from one machine to another."""
    export = add_action(actions, "export", "a profile and its parents as one file, without secrets")
    export.add_argument("name", metavar="NAME", nargs="?", help=NAME)
    export.add_argument("--out", metavar="FILE", type=Path, help="write it there, not to stdout")
    taking = add_action(actions, "import", "show a profile from elsewhere, ask, and keep it")
    taking.add_argument("file", metavar="FILE", help="a .toml file, or - for stdin")
    taking.add_argument("name", metavar="NAME", nargs="?", help="default: the file's name")
    taking.add_argument("--yes", action="store_true", help="do not ask")


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
            from openclaude.commands.profiles_show import show_profile

            return show_profile(library, profile_name(arguments.name, env, places), env)
        case "validate":
            from openclaude.commands.profiles_validate import validate_profiles

            today = datetime.datetime.now(tz=datetime.UTC).date()
            return validate_profiles(library, choose(arguments, places, library, env), env, today)
        case "diff":
            from openclaude.commands.profiles_compare import diff_profiles

            return diff_profiles(library, tuple(arguments.names), env)
        case "path":
            from openclaude.commands.profiles_compare import find_path

            return find_path(places, library, arguments.name)
        case _:
            from openclaude.commands.profiles_list import list_profiles

            return list_profiles(library, places, env)


def write(
    arguments: argparse.Namespace, places: Places, library: Library, env: Mapping[str, str]
) -> Result:
    """Change what a profile says."""
    from openclaude.commands.profiles_edit import edit_profile
    from openclaude.commands.profiles_new import copy_profile, new_profile
    from openclaude.commands.profiles_set import set_key, unset_key

    match arguments.action:
        case "new":
            return new_profile(places, library, arguments, env)
        case "copy":
            return copy_profile(places, library, arguments.source, arguments.name)
        case "edit":
            return edit_profile(places, library, profile_name(arguments.name, env, places), env)
    name, key = profile_name(arguments.profile, env, places), arguments.key
    if arguments.action == "set":
        return set_key(places, library, name, env, key_text=key, value_text=arguments.value)
    return unset_key(places, library, name, env, key_text=key)


def carry(
    arguments: argparse.Namespace, places: Places, library: Library, env: Mapping[str, str]
) -> Result:
    """Give a profile another name or another place."""
    from openclaude.commands import profiles_move as move
    from openclaude.commands import profiles_share as share

    match arguments.action:
        case "use" if arguments.clear == bool(arguments.name):
            raise UsageError("`use` takes a name or `--clear`", hint="give one of the two")
        case "use" if arguments.clear:
            return move.clear_default(places)
        case "use":
            return move.use_profile(places, library, arguments.name, env)
        case "rename":
            return move.rename_profile(places, library, arguments.source, arguments.name)
        case "remove":
            return move.remove_profile(places, library, arguments.name, is_sure=arguments.yes)
        case "export":
            name = profile_name(arguments.name, env, places)
            return share.export_profile(library, name, arguments.out)
        case _:
            return share.import_profile(
                places, library, arguments.file, arguments.name, env, is_sure=arguments.yes
            )


def choose(
    arguments: argparse.Namespace, places: Places, library: Library, env: Mapping[str, str]
) -> tuple[str, ...]:
    """Which profiles `validate` was asked about."""
    if arguments.all and arguments.names:
        raise UsageError("`--all` and names exclude each other", hint="give one of the two")
    if arguments.all:
        return library.names()
    return tuple(arguments.names) or (default_profile_name(env, places),)
