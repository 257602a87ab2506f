"""The arguments of openclaude's command line, read from its own parsers.

Knows: argparse. Independent of: shells and roff.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from openclaude.commands.registry import COMMANDS
from openclaude.commands.runner import command_parser

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "openclaude"
# type of a value by its metavar; any other is text that cannot be completed
KINDS = {"NAME": "profile", "PROFILE": "profile", "FILE": "file", "DIR": "folder"}
# NAMEs that are not the name of an existing profile: (command, argparse's name)
OTHER_NAMES = {
    ("profiles new", "name"),
    ("profiles new", "aws_profile"),
    ("profiles import", "name"),
    ("aws setup", "name"),
    ("aws setup", "source_profile"),
    ("models", "provider"),
}


class Value(NamedTuple):
    """The value of an option or a positional argument."""

    name: str  # as displayed in help
    kind: str  # profile, file, folder, choice or text
    choices: tuple[str, ...] = ()
    is_repeated: bool = False
    is_optional: bool = False
    help: str = ""


class Option(NamedTuple):
    """One option."""

    flags: tuple[str, ...]
    help: str
    value: Value | None
    is_repeated: bool


class Command(NamedTuple):
    """One command line that can be typed: a command, or a command and its action."""

    path: str  # "profiles new"
    help: str
    options: tuple[Option, ...]
    positions: tuple[Value, ...]
    actions: tuple[Command, ...]


def commands() -> tuple[Command, ...]:
    """Return the commands, in the order of the help."""
    return tuple(
        read_command(command.name, command.summary, command_parser(command)[1])
        for command in COMMANDS
    )


def every_command() -> Iterator[Command]:
    """Return each command, followed by its actions."""
    for word in commands():
        yield word
        yield from word.actions


def shipped_profiles() -> tuple[str, ...]:
    """Return the names of the built-in profiles."""
    return tuple(sorted(path.stem for path in (ROOT / "profiles").glob("*.toml")))


def read_command(path: str, help_text: str, parser: argparse.ArgumentParser) -> Command:
    """One parser."""
    options, positions, actions = [], [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help for choice in action._choices_actions}
            actions += [
                read_command(f"{path} {name}", helps[name] or "", inner)
                for name, inner in action.choices.items()
            ]
        elif action.option_strings:
            options.append(read_option(path, action))
        else:
            positions.append(read_value(path, action))
    return Command(path, help_text, tuple(options), tuple(positions), tuple(actions))


def read_option(path: str, action: argparse.Action) -> Option:
    """One option."""
    return Option(
        flags=tuple(action.option_strings),
        help=action.help or "",
        value=None if action.nargs == 0 else read_value(path, action),
        is_repeated=isinstance(action, argparse._AppendAction),
    )


def read_value(path: str, action: argparse.Action) -> Value:
    """Read the value of an option or a positional argument."""
    name = str(action.metavar or action.dest.replace("_", "-").upper())
    choices = tuple(map(str, action.choices or ()))
    is_ours = (path, action.dest) not in OTHER_NAMES
    kind = "choice" if choices else KINDS.get(name, "text") if is_ours else "text"
    return Value(
        name=name,
        kind=kind,
        choices=choices,
        is_repeated=action.nargs in {"*", "+", 2},
        is_optional=action.nargs in {"?", "*"},
        help=action.help or "",
    )
