"""`openclaude logs`: the output of the supervisor and the two instances.

Knows: the log files of a stack. Independent of: what their lines mean.
"""

from __future__ import annotations

import argparse
import select
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from openclaude.commands.help_page import (
    PROFILE,
    PROFILE_HELP,
    STATE,
    HelpPage,
    add_json,
    add_page,
    add_profile_option,
)
from openclaude.contracts.printable import printable
from openclaude.errors import OpenclaudeError, UsageError, nearest
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import profile_name
from openclaude.run.stack.logs import last_lines, log_path
from openclaude.run.stack.places import stack_folder

UNITS = ("supervisor", "main", "providers")
POLL_MS = 200
HELP = "see `openclaude logs --help`"


PAGE = HelpPage(
    text="""\
Show the last lines that the supervisor and the two proxies of a profile logged.
The logs contain no secrets; they stay when the proxies stop.""",
    examples=("openclaude logs -n 100", "openclaude logs qwen providers -f"),
    variables=(*PROFILE, *STATE),
    docs="docs/internals.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    parser.add_argument("first", metavar="NAME", nargs="?", help=PROFILE_HELP)
    parser.add_argument("unit", nargs="?", choices=UNITS, help="show only this log")
    add_profile_option(parser)
    parser.add_argument(
        "-n", "--lines", type=int, default=40, metavar="N", help="lines of each log (default: 40)"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="show new lines, until Ctrl-C")
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """The last lines of each log; with `--follow` also new ones, until interrupted.

    Raises UsageError.
    """
    if arguments.follow and arguments.json:
        raise UsageError("`--follow` and `--json` exclude each other", hint="use one of the two")
    if arguments.lines < 0:
        raise UsageError(
            "`--lines` takes a number of 0 or more", hint="see `openclaude logs --help`"
        )
    named, unit = named_in(arguments, places)
    name = profile_name(named, env, places)
    wanted = [unit] if unit else list(UNITS)
    folder = stack_folder(places.stacks, name)
    logs = {unit: log_path(folder, unit) for unit in wanted}
    if not any(path.exists() for path in logs.values()):
        raise OpenclaudeError(
            f"no logs of `{name}`",
            hint=f"start the proxies: `openclaude start --profile {name}`",
        )
    lines_by_unit = {unit: last_lines(path, arguments.lines) for unit, path in logs.items()}
    if arguments.follow:
        follow(logs, lines_by_unit)
    text = "".join(section(unit, lines) for unit, lines in lines_by_unit.items())
    files = {unit: str(path) for unit, path in logs.items()}
    return Result(text=text, data={"profile": name, "files": files, "lines": lines_by_unit})


def named_in(arguments: argparse.Namespace, places: Places) -> tuple[str | None, str | None]:
    """The profile and the unit that a command line names. Raises UsageError."""
    first, unit = arguments.first, arguments.unit
    if first in UNITS and unit is None:
        return arguments.profile, first
    near = nearest(first, UNITS) if first else ""
    if near and not stack_folder(places.stacks, first).exists():
        known = f"(choose from {', '.join(UNITS)}); did you mean `{near}`?"
        raise UsageError(f"unknown unit `{first}` {known}", hint=HELP)
    if first and arguments.profile not in (None, first):
        message = f"two profiles are named: `{first}` and `{arguments.profile}`"
        raise UsageError(message, hint=HELP)
    return first or arguments.profile, unit


def section(unit: str, lines: str) -> str:
    """One log under its name."""
    return f"==> {unit} <==\n{lines}\n" if lines else ""


def follow(logs: Mapping[str, Path], lines_by_unit: Mapping[str, str]) -> None:
    """Print the last lines, then each new line prefixed with its unit, until Ctrl-C."""
    sys.stdout.write("".join(section(unit, lines) for unit, lines in lines_by_unit.items()))
    tails = {unit: tail(path) for unit, path in logs.items()}
    while True:
        for unit, lines in tails.items():
            for line in next(lines):
                sys.stdout.write(f"{unit}: {line}\n")
        sys.stdout.flush()
        wait_for_more()


def wait_for_more() -> None:
    """Pause. Raises BrokenPipeError if the reader has gone, even if there is nothing to print."""
    reader = select.poll()
    reader.register(sys.stdout, 0)  # 0: only that it is gone
    if reader.poll(POLL_MS):
        raise BrokenPipeError


def tail(path: Path) -> Iterator[list[str]]:
    """The lines added to a file since the last look; a rotated file starts over."""
    at = path.stat().st_size if path.exists() else 0
    while True:
        size = path.stat().st_size if path.exists() else 0
        at = 0 if size < at else at
        if size == at:
            yield []
            continue
        with path.open("rb") as file:
            file.seek(at)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        at += len(whole)
        yield printable(whole.decode("utf-8", "replace")).split("\n")[:-1]
