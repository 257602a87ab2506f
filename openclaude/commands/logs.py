"""`openclaude logs`: what the supervisor and the two instances wrote.

Knows: the log files of a stack. Refuses to know: what their lines mean.
"""

from __future__ import annotations

import argparse
import select
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result
from openclaude.places import Places
from openclaude.profile.names import profile_name
from openclaude.run.units import last_lines

UNITS = ("supervisor", "main", "providers")
POLL_MS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The word's options."""
    parser.add_argument("unit", nargs="?", choices=UNITS, help="only this one's")
    parser.add_argument("--profile", metavar="NAME", help="the profile whose proxies are meant")
    parser.add_argument("-n", "--lines", type=int, default=40, metavar="N", help="how many lines")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as they are written")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """The last lines of each log; with `--follow` also what comes, until interrupted."""
    if arguments.follow and arguments.json:
        raise UsageError(
            "`--follow` never ends, and `--json` is one whole document", hint="give one of them"
        )
    if arguments.lines < 0:
        raise UsageError(
            "`--lines` takes a number of 0 or more", hint="see `openclaude logs --help`"
        )
    name = profile_name(arguments.profile, env, places)
    wanted = [arguments.unit] if arguments.unit else list(UNITS)
    logs = {unit: places.stacks / name / f"{unit}.log" for unit in wanted}
    if not any(path.exists() for path in logs.values()):
        raise OpenclaudeError(
            f"there are no logs of `{name}`",
            hint=f"they begin with `openclaude start --profile {name}`",
        )
    told = {unit: last_lines(path, arguments.lines) for unit, path in logs.items()}
    if arguments.follow:
        follow(logs, told)
    text = "".join(section(unit, lines) for unit, lines in told.items())
    files = {unit: str(path) for unit, path in logs.items()}
    return Result(text=text, data={"profile": name, "files": files, "lines": told})


def section(unit: str, lines: str) -> str:
    """One log under its name."""
    return f"==> {unit} <==\n{lines}\n" if lines else ""


def follow(logs: Mapping[str, Path], told: Mapping[str, str]) -> None:
    """Print what is there, then every new line with its unit in front, until Ctrl-C."""
    sys.stdout.write("".join(section(unit, lines) for unit, lines in told.items()))
    tails = {unit: tail(path) for unit, path in logs.items()}
    while True:
        for unit, lines in tails.items():
            for line in next(lines):
                sys.stdout.write(f"{unit}: {line}\n")
        sys.stdout.flush()
        wait_for_more()


def wait_for_more() -> None:
    """Pause. Raises BrokenPipeError when nobody reads what we print, even if there is nothing."""
    reader = select.poll()
    reader.register(sys.stdout, 0)  # 0: only that it is gone
    if reader.poll(POLL_MS):
        raise BrokenPipeError


def tail(path: Path) -> Iterator[list[str]]:
    """The lines added to a file since the last look; a file that was put aside starts over."""
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
        yield whole.decode("utf-8", "replace").splitlines()
