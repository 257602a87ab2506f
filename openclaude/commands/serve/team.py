"""`openclaude team`: who may ask a team's server, and what each person may use of it.

Knows: the actions, how they are shown. Independent of: who refuses a request, how the file is
written (`keys`).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.commands.help_page import JSON_HELP, HelpPage, add_json, add_page
from openclaude.commands.serve.keys import add_person, known_people, limit_person, remove_person
from openclaude.commands.serve.usage import add_arguments as add_usage_arguments
from openclaude.commands.serve.usage import team_usage
from openclaude.contracts.team.people import LIMITS, Limits, limits_of, shown_limits
from openclaude.errors import UsageError
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.terminal.screen import find_screen
from openclaude.terminal.tables import table

if TYPE_CHECKING:
    Actions = argparse._SubParsersAction[argparse.ArgumentParser]

USAGE = "usage"
NONE = "none"  # takes a limit away
DOCS = "docs/team.md"
HEADER = ("person", "requests a minute", "at once", "$ a day", "$ a month", "keys")
LIMIT_HELP = {
    "rpm": ("NUMBER", "requests in a minute"),
    "parallel": ("NUMBER", "requests at the same time"),
    "day": ("DOLLARS", "US dollars in a day of UTC"),
    "month": ("DOLLARS", "US dollars in a month of UTC"),
}
TEAM = HelpPage(
    text="""\
Say who may ask a team's server, and what each person may use of it. The file has a
line for each key: a name, the key's SHA-256, limits. The server
looks at it for each request.""",
    examples=(
        "openclaude team add bob --keys people.keys --day 5.00",
        "openclaude team list --keys people.keys",
    ),
    variables=(),
    docs=DOCS,
)
PAGES = {
    "add": (
        "make a key for a person",
        HelpPage(
            text="""\
Make a key for a person, print it this once, and add its SHA-256 to the file, which
is made if there is none. Without limits a person may use as much as there is.""",
            examples=(
                "openclaude team add eve --keys people.keys",
                "openclaude team add joe --keys people.keys --rpm 60 --parallel 8 --day 5.00",
            ),
            variables=(),
            docs=DOCS,
        ),
    ),
    "list": (
        "show who may ask, and the limits",
        HelpPage(
            text="""\
Show who may ask, and the limits of each person. No key is shown: the file has
none.""",
            examples=(
                "openclaude team list --keys people.keys",
                "openclaude team list --keys people.keys --json",
            ),
            variables=(),
            docs=DOCS,
        ),
    ),
    "revoke": (
        "remove a person's keys",
        HelpPage(
            text="""\
Remove a person's keys from the file. The next request with one of them is refused;
answers under way are not cut.""",
            examples=(
                "openclaude team revoke bob --keys people.keys",
                "openclaude team revoke eve --keys people.keys --json",
            ),
            variables=(),
            docs=DOCS,
        ),
    ),
    "limit": (
        "change a person's limits",
        HelpPage(
            text="""\
Change the limits of a person; those that are not named stay, and `none` takes one
away. They hold from the next request on.""",
            examples=(
                "openclaude team limit ann --keys people.keys --day 10.00",
                "openclaude team limit joe --keys people.keys --rpm none --month 100",
            ),
            variables=(),
            docs=DOCS,
        ),
    ),
    "usage": (
        "sum what people have used, from the servers' log",
        HelpPage(
            text="""\
Sum what people have used: requests, those that a limit refused, errors, tokens,
dollars. It reads the log of a team's servers, wherever that is kept: in a file, or
where journalctl, docker or kubectl prints it from.""",
            examples=(
                "openclaude team usage serve.log",
                "openclaude team usage --by day --since 2026-12-01 serve.log",
            ),
            variables=(),
            docs=DOCS,
        ),
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    add_page(parser, TEAM)
    add_json(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name in PAGES:
        action = add_action(actions, name)
        if name == USAGE:
            add_usage_arguments(action)
            continue
        if name != "list":
            action.add_argument("person", metavar="NAME", help="whose key it is")
        action.add_argument(
            "--keys", metavar="FILE", type=Path, required=True, help="who may ask: names, digests"
        )
        if name in {"add", "limit"}:
            for limit, (metavar, what) in LIMIT_HELP.items():
                none = f", or `{NONE}`" if name == "limit" else ""
                action.add_argument(f"--{limit}", metavar=metavar, help=f"{what}{none}")


def add_action(actions: Actions, name: str) -> argparse.ArgumentParser:
    """One action; each can print JSON."""
    line, page = PAGES[name]
    action = actions.add_parser(name, help=line, allow_abbrev=False)
    add_page(action, page)
    # SUPPRESS: a subcommand's default would hide what stands before the subcommand
    action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=JSON_HELP)
    return action


def run(arguments: argparse.Namespace, _places: Places, env: Mapping[str, str]) -> Result:
    """Do what was asked. Raises OpenclaudeError."""
    if arguments.action == USAGE:
        return team_usage(arguments, env)
    path = arguments.keys.absolute()
    match arguments.action:
        case "add":
            return add(path, arguments)
        case "revoke":
            return revoke(path, arguments.person)
        case "limit":
            return limit(path, arguments)
        case _:
            return listing(path, env)


def add(path: Path, arguments: argparse.Namespace) -> Result:
    """A new person; the key is shown this once."""
    limits = limits_of(limits_given(arguments))
    key = add_person(path, arguments.person, limits)
    return Result(
        text=f"{key}\n",
        data={"name": arguments.person, "key": key, "path": str(path), "limits": document(limits)},
    )


def revoke(path: Path, person: str) -> Result:
    """A person who may ask no more."""
    removed = remove_person(path, person)
    keys = "one key" if removed == 1 else f"{removed} keys"
    return Result(
        text=f"removed {keys} of `{person}` from {path}\n",
        data={"name": person, "path": str(path), "removed": removed},
    )


def limit(path: Path, arguments: argparse.Namespace) -> Result:
    """Other limits. Raises OpenclaudeError."""
    given = limits_given(arguments, allowed=NONE)
    if not given:
        raise UsageError(
            "no limit is named", hint="name one or several of " + ", ".join(map(option, LIMITS))
        )

    def change(before: Limits) -> Limits:
        kept = {**shown_limits(before), **given}
        return limits_of({name: text for name, text in kept.items() if text != NONE})

    now = limit_person(path, arguments.person, change)
    said = ", ".join(f"{name}={text}" for name, text in shown_limits(now).items()) or "no limits"
    return Result(
        text=f"`{arguments.person}` has {said}\n",
        data={"name": arguments.person, "path": str(path), "limits": document(now)},
    )


def listing(path: Path, env: Mapping[str, str]) -> Result:
    """Everyone, in the order of the file."""
    found = known_people(path)
    people = dict.fromkeys(found.values())
    counts = {one: sum(1 for other in found.values() if other == one) for one in people}
    rows = [
        (one.name, *(shown_limits(one.limits).get(name, "-") for name in LIMITS), str(counts[one]))
        for one in people
    ]
    text = table(HEADER, rows, find_screen(sys.stdout, env)) if rows else f"nobody is in {path}\n"
    data = [
        {"name": one.name, "keys": counts[one], "limits": document(one.limits)} for one in people
    ]
    return Result(text=text, data={"path": str(path), "people": data})


def limits_given(arguments: argparse.Namespace, allowed: str = "") -> dict[str, str]:
    """The limits of the command line, as texts. Raises UsageError."""
    given = {}
    for name, (rule, example) in LIMITS.items():
        said: str | None = getattr(arguments, name)
        if said is None:
            continue
        if not re.fullmatch(rule, said) and not (allowed and said == allowed):
            raise UsageError(
                f"`{option(name)}` cannot be `{said}`",
                hint=f"for example `{option(name)} {example}`",
            )
        given[name] = said
    return given


def option(name: str) -> str:
    """The option of a limit."""
    return f"--{name}"


def document(limits: Limits) -> dict[str, float | None]:
    """Limits as JSON has them; null is as much as there is."""
    return {
        "requests_per_minute": limits.rpm or None,
        "parallel": limits.parallel or None,
        "usd_per_day": limits.day or None,
        "usd_per_month": limits.month or None,
    }
