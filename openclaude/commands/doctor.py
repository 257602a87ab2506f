"""`openclaude doctor`: everything that could be wrong, and how to fix it.

Knows: how diagnostics are shown, and when AWS may be asked. Must not depend on what is looked at.
"""

from __future__ import annotations

import argparse
import os
import shlex
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from openclaude import __version__
from openclaude.commands.help_page import (
    AWS_FILES,
    CLAUDE,
    CONFIG,
    OVERRIDES,
    PROFILE,
    STATE,
    HelpPage,
    add_json,
    add_page,
    add_profile,
)
from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.examination import examine
from openclaude.doctor.snapshot.look import look
from openclaude.doctor.snapshot.world import World
from openclaude.errors import OpenclaudeError, UsageError
from openclaude.output import Result, progress, ticking
from openclaude.paths import Places, working_folder
from openclaude.prompt import confirm, is_attended, tell
from openclaude.terminal.screen import BAD, DIM, FILE, GOOD, WARNING, Screen, find_screen
from openclaude.terminal.tables import paragraph

WIDTH = 8  # of the longest severity, and a blank
NEW_LINE, HANGING = "\n", "\n" + " " * (WIDTH + 1)
STYLES = {
    Severity.ERROR: BAD,
    Severity.WARNING: WARNING,
    Severity.NOTE: DIM,
    Severity.OK: GOOD,
}
PLURALS = {
    Severity.ERROR: "errors",
    Severity.WARNING: "warnings",
    Severity.NOTE: "notes",
    Severity.OK: "ok",
}
# what `findings` and `counts` of --json called them before there were `diagnostics`
OLD_NAMES = {
    Severity.ERROR: "stops",
    Severity.WARNING: "warns",
    Severity.NOTE: "note",
    Severity.OK: "ok",
}


PAGE = HelpPage(
    text="""\
Find out what is wrong and how to fix it: claude, your login, the profile, AWS,
settings, variables, ports, disk, and the running proxies. Nothing is changed but
with `--fix`, which applies what is safe after a yes. The exit status is 1 if a
launch would fail. It runs `claude auth status`, and claude may then update its own
~/.claude.json.""",
    examples=(
        "openclaude doctor",
        "openclaude doctor qwen --online",
        "openclaude doctor --fix --yes",
    ),
    variables=(*PROFILE, *OVERRIDES, *CLAUDE, *AWS_FILES, *CONFIG, *STATE),
    docs="docs/json.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser)
    parser.add_argument(
        "--online",
        action="store_true",
        help="also try the way to each server, ask `providers.url` for its models, and ask AWS who "
        "you are, what its regions serve, and each Bedrock model for one token",
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="apply what is safe: permissions of files, proxies that failed or were left over",
    )
    parser.add_argument(
        "--yes", action="store_true", help="with --online or --fix: skip the confirmation"
    )
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Look at everything. Exit status 1 when a launch would fail.

    Raises UsageError if --online needs confirmation and there is no terminal.
    """
    with progress("looking") as say, ticking(say):
        world = look(arguments.profile, places, env, working_folder())
        found = examine(world)
    fixed: list[Repaired] = []
    if arguments.fix:
        fixed = apply_fixes(found, world.wanted.name, places, env, is_agreed=arguments.yes)
        if fixed:
            world = look(arguments.profile, places, env, working_folder())
            found = examine(world)
    if arguments.online and confirm_asking(world, is_agreed=arguments.yes):
        from openclaude.doctor.online import ask_online

        with progress("asking the profile's servers") as say, ticking(say):
            found += ask_online(world)
    return report(world.wanted.name, found, find_screen(sys.stdout, env), fixed)


class Repaired(NamedTuple):
    """A fix that was applied, or could not be."""

    code: str  # of the diagnostic
    command: str
    problem: str = ""


def apply_fixes(
    found: Iterable[Diagnostic],
    name: str,
    places: Places,
    env: Mapping[str, str],
    *,
    is_agreed: bool,
) -> list[Repaired]:
    """Apply the safe fixes, if the user agrees; what was done. Raises UsageError."""
    by_command: dict[str, Diagnostic] = {}  # two units that failed are one restart
    for one in found:
        if command := safe_command(one, name):
            by_command.setdefault(command, one)
    safe = [(one, command) for command, one in by_command.items()]
    if not safe:
        return []
    if not is_agreed and not is_attended():
        raise UsageError(
            "`openclaude doctor --fix` needs confirmation, but there is no terminal",
            hint="confirm with `--yes`",
        )
    if not is_agreed:
        tell("".join(f"  {command}\n" for _, command in safe))
        if not confirm("Run this?" if len(safe) == 1 else "Run these?"):
            return []
    return [repair(one, command, name, places, env) for one, command in safe]


def safe_command(found: Diagnostic, name: str) -> str:
    """The command that fixes it and can harm nothing; "" where a person has to decide."""
    path = found.location.path if found.location else None
    match found.code:
        case "readable-by-others" if path:
            return f"chmod 600 {shlex.quote(str(path))}"
        case "profile-writable-by-others" if path:
            return f"chmod go-w {shlex.quote(str(path))}"
        case "stack-left-over":
            return f"openclaude stop {name}"
        case "unit-failed" | "stack-environment":
            return f"openclaude restart {name}"
    return ""


def repair(
    found: Diagnostic, command: str, name: str, places: Places, env: Mapping[str, str]
) -> Repaired:
    """Apply one fix."""
    from openclaude.commands.stacks import restart, stop

    try:
        if found.code == "stack-left-over":
            stop([name], places)
        elif command.startswith("openclaude restart"):
            restart(name, places, env, wait=False)
        elif found.location and found.location.path:
            take_from_others(found.location.path, is_secret=found.code == "readable-by-others")
    except (OSError, OpenclaudeError) as error:
        return Repaired(found.code, command, str(error))
    return Repaired(found.code, command)


def take_from_others(path: Path, *, is_secret: bool) -> None:
    """Take the right to write, or any right, from others. Raises OSError.

    By a descriptor: what is changed is what was looked at, and a regular file of this user.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode) or seen.st_uid != os.geteuid():
            raise PermissionError(f"`{path}` is not a regular file, or not your own")
        os.fchmod(descriptor, 0o600 if is_secret else stat.S_IMODE(seen.st_mode) & ~0o022)
    finally:
        os.close(descriptor)


def confirm_asking(world: World, *, is_agreed: bool) -> bool:
    """Say what asking AWS costs, and ask for confirmation. Raises UsageError without a terminal."""
    count = len(world.wanted.bedrock)
    models = "1 Bedrock model" if count == 1 else f"{count} Bedrock models"
    cost = f"this asks AWS who you are, what its regions serve, and {models} for one token each"
    if is_agreed or count == 0:
        return True
    if not is_attended():
        raise UsageError(
            f"{cost}, which costs less than a cent and needs confirmation, but there is no "
            "terminal",
            hint="confirm with `--yes`",
        )
    tell(f"{cost[0].upper()}{cost[1:]}; it costs less than a US cent.\n")
    return confirm("Ask?")


def report(
    name: str,
    diagnostics: Iterable[Diagnostic],
    screen: Screen = FILE,
    fixed: Iterable[Repaired] = (),
) -> Result:
    """All diagnostics, in the order of the checks; what is ok takes one line."""
    fixed = tuple(fixed)
    found = tuple(diagnostics)
    counts = Counter(one.severity for one in found)
    text = f"openclaude {__version__}, profile `{name or '?'}`\n\n"
    text += "".join(
        f"could not run `{one.command}`: {shown(one.problem)}\n"
        if one.problem
        else f"ran `{one.command}`\n"
        for one in fixed
    )
    text += "\n" if fixed else ""
    text += "".join(f"{line}\n" for one in found for line in lines(one, screen))
    text += f"\n{verdict(counts)}\n"
    return Result(
        text=text,
        data={
            "profile": name or None,
            "counts": {
                **{OLD_NAMES[severity]: counts[severity] for severity in Severity},
                **{str(severity): counts[severity] for severity in Severity},
            },
            "diagnostics": [one.as_data() for one in found],
            "findings": [finding(one) for one in found],
            "fixed": [one._asdict() for one in fixed],
        },
        exit_code=1 if counts[Severity.ERROR] else 0,
    )


def finding(found: Diagnostic) -> dict[str, object]:
    """A diagnostic as `findings` has it: `diagnostics` replaces them, they stay for one release."""
    return {
        "code": found.code,
        "severity": OLD_NAMES[found.severity],
        "what": found.message,
        "why": found.why,
        "mend": found.fix,
        "fix": found.fix,
        "where": str(found.location or ""),
    }


def lines(found: Diagnostic, screen: Screen) -> Iterator[str]:
    """One diagnostic: what, and unless it is ok: where, why and how to fix it."""
    severity = screen.paint(f"{found.severity:<{WIDTH}}", STYLES[found.severity])
    room = screen._replace(width=max(0, screen.width - WIDTH - 1))
    yield f"{severity} {paragraph(shown(found.message), room).replace(NEW_LINE, HANGING)}"
    if found.severity is not Severity.OK:
        details = {"where": screen.path(found.location or ""), "why": found.why, "fix": found.fix}
        for label, value in details.items():
            if value:
                text = f"{'':<{WIDTH}}   {label}: {shown(value)}"
                # a command stays in one line, to be copied
                yield text if label == "fix" else paragraph(text, screen, " " * (WIDTH + 5))


def shown(text: str) -> str:
    """Foreign text without control characters or characters that a terminal cannot show."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def verdict(counts: Mapping[Severity, int]) -> str:
    """How many of each severity, the most severe first."""
    parts = []
    for severity in Severity:
        if count := counts[severity]:
            parts.append(f"{count} {severity if count == 1 else PLURALS[severity]}")
    return ", ".join(parts)
