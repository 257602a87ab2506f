"""`openclaude doctor`: everything that could be wrong, and how to fix it.

Knows: how diagnostics are shown, and when AWS may be asked. Must not depend on what is looked at.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

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
from openclaude.errors import UsageError
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
settings, variables, ports, disk, and the running proxies. Nothing is changed.
The exit status is 1 if a launch would fail.""",
    examples=("openclaude doctor", "openclaude doctor qwen --online"),
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
        help="also try the way to each server, and ask AWS who you are and each Bedrock model for "
        "one token",
    )
    parser.add_argument("--yes", action="store_true", help="with --online: skip the confirmation")
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Look at everything. Exit status 1 when a launch would fail.

    Raises UsageError if --online needs confirmation and there is no terminal.
    """
    with progress("looking") as say, ticking(say):
        world = look(arguments.profile, places, env, working_folder())
        found = examine(world)
    if arguments.online and confirm_asking(world, is_agreed=arguments.yes):
        from openclaude.doctor.online import ask_online

        with progress("asking the profile's servers") as say, ticking(say):
            found += ask_online(world)
    return report(world.wanted.name, found, find_screen(sys.stdout, env))


def confirm_asking(world: World, *, is_agreed: bool) -> bool:
    """Say what asking AWS costs, and ask for confirmation. Raises UsageError without a terminal."""
    count = len(world.wanted.bedrock)
    models = "1 Bedrock model" if count == 1 else f"{count} Bedrock models"
    cost = f"this asks AWS who you are, and {models} for one token each"
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


def report(name: str, diagnostics: Iterable[Diagnostic], screen: Screen = FILE) -> Result:
    """All diagnostics, in the order of the checks; what is ok takes one line."""
    found = tuple(diagnostics)
    counts = Counter(one.severity for one in found)
    text = f"openclaude {__version__}, profile `{name or '?'}`\n\n"
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
