"""`openclaude logs`: the output of the supervisor and the two instances.

Knows: the log files of a stack. Independent of: what their lines mean.
"""

from __future__ import annotations

import argparse
import os
import select
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
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
from openclaude.commands.running import named_profile
from openclaude.errors import OpenclaudeError, UsageError, nearest
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.run.os.log_line import is_detail
from openclaude.run.stack.logs import SAFELY, last_lines, log_path, shown_line
from openclaude.run.stack.places import stack_folder

UNITS = ("supervisor", "main", "providers")
POLL_MS = 200
MOST_AT_ONCE = 1024 * 1024  # bytes read of a log; the rest comes at the next look
HELP = "see `openclaude logs --help`"


PAGE = HelpPage(
    text="""\
Show the last lines that the supervisor and the two proxies of a profile logged:
time (UTC), level, and a line for each failed request. `--debug` also shows
tracebacks. The logs contain no secrets; they stay when the proxies stop.""",
    examples=("openclaude logs -n 100", "openclaude logs qwen providers -f"),
    variables=(*PROFILE, *STATE),
    docs="docs/usage.md",
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
    parser.add_argument("--debug", action="store_true", help="show tracebacks, too")
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
    name = named_profile(named, env, places)
    wanted = [unit] if unit else list(UNITS)
    folder = stack_folder(places.stacks, name)
    logs = {unit: log_path(folder, unit) for unit in wanted}
    if not any(path.exists() for path in logs.values()):
        raise OpenclaudeError(
            f"no logs of `{name}`",
            hint=f"start the proxies: `openclaude start --profile {name}`",
        )
    is_shown = everything if arguments.debug else is_told
    lines_by_unit = {
        unit: last_lines(path, arguments.lines, is_shown) for unit, path in logs.items()
    }
    if arguments.follow:
        follow(logs, lines_by_unit, is_shown)
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


def everything(_line: str) -> bool:
    """What `--debug` shows."""
    return True


def is_told(line: str) -> bool:
    """What is shown without it: no traceback."""
    return not is_detail(line)


def follow(
    logs: Mapping[str, Path], lines_by_unit: Mapping[str, str], is_shown: Callable[[str], bool]
) -> None:
    """Print the last lines, then each new line prefixed with its unit, until Ctrl-C."""
    sys.stdout.write("".join(section(unit, lines) for unit, lines in lines_by_unit.items()))
    tails = {unit: tail(path) for unit, path in logs.items()}
    while True:
        for unit, lines in tails.items():
            for line in next(lines):
                if is_shown(line):
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
    """The lines added to a file since the last look; one that was rotated or replaced starts over.

    A link or a FIFO in its place counts as no file.
    """
    held = open_to_follow(path)
    at = os.fstat(held).st_size if held is not None else 0
    part = b""
    while True:
        found = open_to_follow(path)
        if found is None:
            yield []
            continue
        # while the one before is open, its number is not given to another
        if held is None or not os.path.samestat(os.fstat(held), os.fstat(found)):
            at, part = 0, b""
        if held is not None:
            os.close(held)
        held = found
        at, part = (at, part) if os.fstat(held).st_size >= at else (0, b"")
        text = os.pread(held, MOST_AT_ONCE, at)
        at += len(text)
        *lines, part = (part + text).split(b"\n")
        if len(part) > MOST_AT_ONCE:
            lines, part = [*lines, part], b""
        yield [shown_line(line) for line in lines]


def open_to_follow(path: Path) -> int | None:
    """A descriptor of a regular file; None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | SAFELY)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None
