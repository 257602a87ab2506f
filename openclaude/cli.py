"""The door: argv to a command to an exit status.

Knows: the words, and what each failure exits with. Refuses to know: what the words do.
`openclaude ARGUMENTS` is claude's command line unless its first argument is a word of ours, so argv
is split by hand before any parser sees it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from openclaude.errors import OpenclaudeError, UsageError

WORDS = (
    "profiles",
    "compile",
    "start",
    "stop",
    "restart",
    "status",
    "logs",
    "doctor",
    "setup",
    "aws",
    "models",
    "demo",
    "uninstall",
)
INTERRUPTED = 130
UNREAD = 141  # what a shell shows for a program that SIGPIPE ended
BUG = 70  # EX_SOFTWARE


class Split(NamedTuple):
    """A command line, split: a word of ours with its arguments, or a launch."""

    word: str  # "" for a launch
    arguments: tuple[str, ...]
    profile: str | None = None  # of a launch


def split_arguments(arguments: Sequence[str]) -> Split:
    """Whose command line it is. Raises UsageError for a `--profile` without a name."""
    if arguments and arguments[0] in {*WORDS, "--help", "-h", "--version"}:
        return Split(arguments[0], tuple(arguments[1:]))
    profile, rest = take_profile(tuple(arguments))
    # a leading `--` is ours: `openclaude -- doctor` is claude's doctor
    return Split("", rest[1:] if rest[:1] == ("--",) else rest, profile)


def take_profile(arguments: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """A leading `--profile NAME` or `--profile=NAME`, and what follows."""
    if not arguments or arguments[0].partition("=")[0] != "--profile":
        return None, arguments
    _, equals, name = arguments[0].partition("=")
    rest = arguments[1:]
    if not equals and rest:
        name, rest = rest[0], rest[1:]
    if not name or name.startswith("-"):
        raise UsageError(
            "`--profile` needs a name",
            hint="list the profiles with `openclaude profiles list`",
        )
    return name, rest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the console script. Returns the exit status of words of ours."""
    from openclaude.commands.launch import real_environment

    fill_closed_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    env = real_environment()
    is_launch = not given or given[0] not in {*WORDS, "--help", "-h", "--version"}
    try:
        split = split_arguments(given)
        return run_launch(split, env) if is_launch else run_word(split, env)
    except OpenclaudeError as error:
        show_error(error, env)
        return error.launch_exit_code if is_launch else error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one boundary: a bug of ours becomes a report
        from openclaude.crash import report_crash

        sys.stderr.write(report_crash(error, given, env))
        return 125 if is_launch else BUG


def unread() -> int:
    """The reader of our output left, as `head` does: no failure, and nobody to tell."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what the interpreter still wants to write
    return UNREAD


def fill_closed_streams() -> None:
    """Give a standard stream that was closed to /dev/null: no socket of ours may become one.

    Only until exec: claude finds closed what its shell has closed.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: PTH123, SIM115


def run_launch(split: Split, env: Mapping[str, str]) -> int:
    """Become claude; returns only by raising."""
    from openclaude.commands.launch import launch
    from openclaude.places import find_places
    from openclaude.profile.names import profile_name

    places = find_places(env)
    launch(profile_name(split.profile, env, places), split.arguments, places, env)


def run_word(split: Split, env: Mapping[str, str]) -> int:
    """Run a word of ours and print what it has to say."""
    from openclaude.commands.words import run

    try:
        return run(split.word, split.arguments, env)
    except BrokenPipeError:
        return unread()


def show_error(error: OpenclaudeError, env: Mapping[str, str]) -> None:
    """The failure on stderr."""
    from openclaude.output import error_text, wants_colour

    sys.stderr.write(error_text(error, colour=wants_colour(sys.stderr, env)))
