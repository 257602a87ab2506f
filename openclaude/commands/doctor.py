"""`openclaude doctor`: everything that could be wrong, and what mends it.

Knows: how findings are shown, and when AWS may be asked. Refuses to know: what is looked at.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from openclaude import __version__
from openclaude.commands.profiles_ask import confirm, is_attended, tell
from openclaude.doctor.checks import examine
from openclaude.doctor.finding import NOTE, OK, STOPS, WARNS, Finding
from openclaude.doctor.look import look
from openclaude.doctor.world import World
from openclaude.errors import UsageError
from openclaude.facts import working_folder
from openclaude.output import Result, progress, ticking
from openclaude.places import Places

WIDTH = 6  # of the longest severity, and a blank
VERDICTS = ((STOPS, "would stop a launch"), (WARNS, "to mend"), (NOTE, "to know"), (OK, "in order"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The word's options."""
    parser.add_argument("--profile", metavar="NAME", help="default: the one a launch would use")
    parser.add_argument(
        "--online", action="store_true", help="ask AWS too: who you are, and each model for a token"
    )
    parser.add_argument("--yes", action="store_true", help="with --online: do not ask before")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Look at everything. Exit status 1 when something would stop a launch."""
    with progress("looking") as say, ticking(say):
        world = look(arguments.profile, places, env, working_folder())
        findings = examine(world)
    if arguments.online and may_ask(world, is_agreed=arguments.yes):
        from openclaude.doctor.online import ask_aws

        with progress("asking AWS") as say, ticking(say):
            findings += ask_aws(world)
    return report(world.wanted.name, findings)


def may_ask(world: World, *, is_agreed: bool) -> bool:
    """Whether AWS may be asked: what it costs is said first. Raises UsageError without a word."""
    count = len(world.wanted.bedrock)
    models = "1 model" if count == 1 else f"{count} models"
    cost = f"AWS is asked who you are, and {models} of Bedrock for one token each"
    if is_agreed or count == 0:
        return True
    if not is_attended():
        raise UsageError(f"{cost}, which costs less than a cent", hint="agree with `--yes`")
    tell(f"{cost}; that costs less than a US cent.\n")
    return confirm("Ask?")


def report(name: str, findings: Iterable[Finding]) -> Result:
    """All findings, in the order of the checks; what is in order takes one line each."""
    found = tuple(findings)
    counts = Counter(finding.severity for finding in found)
    text = f"openclaude {__version__}, profile `{name or '?'}`\n\n"
    text += "".join(f"{line}\n" for finding in found for line in lines(finding))
    text += f"\n{verdict(counts)}\n"
    return Result(
        text=text,
        data={
            "profile": name or None,
            "counts": {severity: counts[severity] for severity, _ in VERDICTS},
            "findings": [finding._asdict() for finding in found],
        },
        exit_code=1 if counts[STOPS] else 0,
    )


def lines(finding: Finding) -> Iterator[str]:
    """One finding: what, and where it is not in order, where, why and how to mend it."""
    yield f"{finding.severity:<{WIDTH}} {shown(finding.what)}"
    if finding.severity != OK:
        for label in ("where", "why", "mend"):
            value = getattr(finding, label)
            if value:
                yield f"{'':<{WIDTH}}   {label}: {shown(value)}"


def shown(text: str) -> str:
    """Somebody else's text, as far as it is one: no byte that a terminal obeys or cannot show."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def verdict(counts: Mapping[str, int]) -> str:
    """How many of each kind, the gravest first."""
    return ", ".join(
        f"{counts[severity]} {what}" for severity, what in VERDICTS if counts[severity]
    )
