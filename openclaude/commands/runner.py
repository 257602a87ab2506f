"""Running one of our commands: its parser, its result on stdout.

Knows: how a command is called, and in which order argparse must read it. Independent of: what
commands do. Only the chosen command's module is imported and only its options are built.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from openclaude import __version__
from openclaude.commands.payloads.table import command_path
from openclaude.commands.registry import COMMANDS, NAMES, Command, find_command
from openclaude.errors import OpenclaudeError, UsageError, nearest, understand
from openclaude.output import Result, envelope
from openclaude.paths import find_places
from openclaude.terminal.pager import pager_for, show_in_pager


class Parser(argparse.ArgumentParser):
    """argparse that raises UsageError."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(reword(message), hint=f"see `{self.prog} --help`")

    def parse_args(self, given: Sequence[str], **more: Any) -> Any:  # type: ignore[override]
        """Parse, and take a profile named by itself for `--profile`. Raises UsageError.

        Options may stand anywhere, also those of an action in front of it.
        """
        said, unknown = self.parse_known_args(arranged(self, given), **more)
        page = " ".join(filter(None, (self.prog, getattr(said, "action", None))))
        if unknown:
            first = next((one for one in unknown if one.startswith("-")), unknown[0])
            raise UsageError(
                reword(f"unrecognized arguments: {first}"), hint=f"see `{page} --help`"
            )
        # also one without a letter, as `stop "$NOT_SET"` gives: it is not the default
        if (named := getattr(said, "named", None)) is not None:
            if said.profile not in (None, named):
                raise UsageError(
                    f"two profiles are named: `{named}` and `{said.profile}`",
                    hint=f"see `{page} --help`",
                )
            said.profile = named
        return said


# A word with `nargs="?"` counts as missing where an option stands in front of it (argparse, before
# Python 3.12.7), and an action's options must follow its name
END, PROFILE = "--", "--profile"
NUMBER = re.compile(r"-\d+(?:\.\d*)?|-\.\d+")


def arranged(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> list[str]:
    """The same arguments, with options in front; those of an action behind its name.

    What the parser does not know keeps its place among the options, for argparse to refuse.
    """
    actions = actions_of(parser)
    options, words = split(arguments, [parser, *actions.values()])
    chosen = actions.get(words[0]) if words else None
    if chosen is None:  # the value of an unknown option names nothing
        own = [one for option in options if knows(parser, option[0]) for one in option]
        return [*own, *(option[0] for option in options if not knows(parser, option[0])), *words]
    # all that follows the action's name is the action's, `--help` above all
    before, behind = split_at(words[0], arguments, [parser, *actions.values()])
    own = [one for option in before if knows(parser, option[0]) for one in option]
    theirs = [one for option in before if not knows(parser, option[0]) for one in option]
    return [*own, words[0], *arranged(chosen, [*theirs, *behind])]


def split_at(
    word: str, arguments: Sequence[str], parsers: Sequence[argparse.ArgumentParser]
) -> tuple[list[tuple[str, ...]], list[str]]:
    """The options in front of the first word, and all that follows it."""
    place = next(
        number
        for number, one in enumerate(arguments)
        if one == word and split(arguments[: number + 1], parsers)[1] == [word]
    )
    return split(arguments[:place], parsers)[0], list(arguments[place + 1 :])


def words_of(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> list[str]:
    """The arguments that are neither options nor their values."""
    return split(arguments, [parser, *actions_of(parser).values()])[1]


def actions_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of a command's actions, by name."""
    return {
        name: one
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, one in action.choices.items()
    }


def split(
    arguments: Sequence[str], parsers: Sequence[argparse.ArgumentParser]
) -> tuple[list[tuple[str, ...]], list[str]]:
    """The options, each with its value, and the words; `--` and what follows are words."""
    options: list[tuple[str, ...]] = []
    words: list[str] = []
    left = list(arguments)
    while left:
        one = left.pop(0)
        if one == END:
            return options, [*words, one, *left]
        if not one.startswith("-") or one == "-" or NUMBER.fullmatch(one):
            words.append(one)
        elif takes_value(one, parsers):
            if not left:
                return options, [*words, one]  # in front, it would take a word for its value
            options.append((one, left.pop(0)))
        else:
            options.append((one,))
    return options, words


def takes_value(option: str, parsers: Sequence[argparse.ArgumentParser]) -> bool:
    """Whether the next argument is the value of an option."""
    found = (one._option_string_actions.get(option) for one in parsers)
    is_taken = any(action is not None and action.nargs is None for action in found)
    return is_taken or option == PROFILE  # which stands in front of any command


def knows(parser: argparse.ArgumentParser, option: str) -> bool:
    """Whether a parser itself has an option, also one with its value behind `=`."""
    name = option.partition("=")[0]
    return name in parser._option_string_actions or option[:2] in parser._option_string_actions


# What argparse says (3.11 to 3.14), and what we say; its flags are shown by their last name.
REWORDED = (
    (r"unrecognized arguments: (-\S*).*", r"unknown option: \1"),
    (r"unrecognized arguments: (\S*).*", r"unexpected argument: \1"),
    (r"argument (?:\S+/)?(\S+): expected one argument", r"`\1` needs a value"),
    (
        r"argument (?:\S+/)?(\S+): invalid (?:int|float) value: '(.*)'",
        r"`\1` takes a number, not `\2`",
    ),
    (r"argument (?:\S+/)?(\S+): ignored explicit argument .*", r"`\1` takes no value"),
    (
        r"argument (?:\S+/)?(\S+): not allowed with argument (?:\S+/)?(\S+)",
        r"`\1` and `\2` exclude each other",
    ),
    (r"the following arguments are required: (.*)", r"missing: \1"),
)


def reword(message: str) -> str:
    """argparse's message, reworded."""
    choice = re.fullmatch(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message)
    if choice:
        known = [name.strip("'") for name in choice[3].split(", ")]
        near = nearest(choice[2], known)
        meant = f"; did you mean `{near}`?" if near else ""
        is_option = choice[1].startswith("-")
        what = f"value for `{choice[1]}`:" if is_option else choice[1].lower()
        return f"unknown {what} `{choice[2]}` (choose from {', '.join(known)}){meant}"
    for pattern, ours in REWORDED:
        if re.fullmatch(pattern, message):
            return re.sub(pattern, ours, message)
    return message


def run(name: str, arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Run one command; its exit status. With `--json`, a failure is in the envelope on stdout."""
    as_json = "--json" in arguments
    try:
        result = result_of(name, arguments, env)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as failed:
        error = failed if isinstance(failed, OpenclaudeError) else understand(failed)
        if not (as_json and error):
            raise
        result = Result(exit_code=error.exit_code, errors=tuple(error.entries()))
    text = envelope(path_of(name, arguments), result) if as_json else result.text
    pager = pager_for(text, sys.stdout, env) if result.is_long and not as_json else ""
    if not (pager and show_in_pager(text, pager, env)):
        show(text)
    return result.exit_code


def path_of(name: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """The command of an envelope, with its action, wherever that stands."""
    if name not in NAMES:
        return (name,)
    return command_path(name, words_of(command_parser(find_command(name))[1], arguments))


def show(text: str) -> None:
    """Write to stdout and flush, so that an error does not appear when the interpreter exits.

    Raises BrokenPipeError if the pipe or terminal has closed.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        if error.errno == errno.EIO:
            raise BrokenPipeError(error.errno, error.strerror) from error
        # for what is still to be written, or the interpreter would end with 120 in our place
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise


def result_of(name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Result:
    """The command's result. Raises OpenclaudeError."""
    if name in {"--help", "-h"}:
        check_help(arguments)
        return Result(text=help_text())
    if name == "--version":
        return versions(env, arguments)
    command = find_command(name)
    module, parser = command_parser(command)
    said = parser.parse_args(arguments)
    if command.is_shared:
        return module.run(name, said, find_places(env), env)  # type: ignore[no-any-return]
    return module.run(said, find_places(env), env)  # type: ignore[no-any-return]


def check_help(arguments: Sequence[str]) -> None:
    """Raise UsageError for help about a command that does not exist."""
    from openclaude.profile.names import shorten

    word = next((one for one in arguments if not one.startswith("-")), "")
    if word and word not in NAMES:
        near = nearest(word, NAMES)
        meant = f"; did you mean `{near}`?" if near else ""
        raise UsageError(
            f"no command is called `{shorten(word)}`{meant}", hint="`openclaude help` lists them"
        )


def command_parser(command: Command) -> tuple[ModuleType, Parser]:
    """The module that answers a command, and the command's parser."""
    module = importlib.import_module(command.module)
    parser = Parser(prog=f"openclaude {command.name}", allow_abbrev=False)
    if command.is_shared:
        module.add_arguments(parser, command.name)
    else:
        module.add_arguments(parser)
    return module, parser


def help_text() -> str:
    """The page behind `openclaude --help`, from the table of commands."""
    commands = "\n".join(f"  {command.name:<10} {command.summary}" for command in COMMANDS)
    return f"""\
openclaude: Claude Code on the models you choose, one profile at a time

usage: openclaude [--profile NAME] [--ephemeral] [CLAUDE-ARGUMENTS ...]
       openclaude COMMAND [OPTIONS]

The first form starts claude with the models of a profile: the one that
--profile names, else OPENCLAUDE_PROFILE, else the one set with
`openclaude profiles use`, else `qwen`. With --ephemeral its proxies stop when
this claude ends, unless another launch has joined them; else they stay for a
while (`stack.linger`). All other arguments are passed on to claude,
unless the first one is one of these commands:

{commands}

`openclaude COMMAND --help` explains a command.
`openclaude -- WORD` passes WORD on to claude: `openclaude -- --help` shows
claude's help.

examples:
  openclaude --profile qwen
  openclaude --profile qwen -p "explain this repository"
  openclaude --ephemeral -p "review this change"

environment variables:
  OPENCLAUDE_PROFILE  the profile, if --profile is not given
  OPENCLAUDE_CLAUDE   the claude to run (default: the first in PATH)

documentation: README.md, docs/profiles.md
"""


def versions(env: Mapping[str, str], arguments: Sequence[str]) -> Result:
    """Our version, and those of claude, LiteLLM and Python. Raises UsageError."""
    from openclaude.litellm_version import installed_litellm

    unknown = [argument for argument in arguments if argument != "--json"]
    if unknown:
        raise UsageError(f"unknown option: {unknown[0]}", hint="see `openclaude --help`")
    claude = claude_version(env)
    litellm = installed_litellm()
    python = ".".join(str(part) for part in sys.version_info[:3])
    return Result(
        text=f"openclaude {__version__} (claude {claude or 'not found'}, "
        f"LiteLLM {litellm}, Python {python})\n",
        data={
            "openclaude": __version__,
            "claude": claude or None,
            "litellm": None if litellm == "none" else litellm,
            "python": python,
            "lock": lock_digest() or None,
        },
    )


def lock_digest() -> str:
    """The SHA-256 of the lock this openclaude was tested with, or "" where it has none."""
    import hashlib

    from openclaude.doctor.snapshot.packages import find_lock

    lock = find_lock(Path(__file__).parents[1])
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock else ""


def claude_version(env: Mapping[str, str]) -> str:
    """What `claude --version` says, or "" where there is none."""
    from openclaude.claude.login import look_for_claude
    from openclaude.claude.way import passed
    from openclaude.commands.launch import ourselves
    from openclaude.run.os.processes import is_above

    try:
        return look_for_claude(env, ourselves(), passed(env, is_above)).version.text
    except OpenclaudeError:
        return ""
