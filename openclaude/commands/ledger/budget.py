"""`openclaude budget`: what slots may cost, what they have cost, and allowing more for once.

Knows: how budgets are shown. Independent of: who refuses requests.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Mapping
from typing import NamedTuple

from openclaude.commands.help_page import STATE, HelpPage, add_json, add_page, add_profile_option
from openclaude.commands.ledger.words import LedgerUnreadable, chosen_profile, money
from openclaude.contracts.budget import Budget, Budgets, Period, Then, budgets_in
from openclaude.errors import UsageError
from openclaude.ledger.spending import Spending, allow, which
from openclaude.ledger.store import Unusable, ledger_file, open_to_write
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.plan_cache import find_plan
from openclaude.profile.names import profile_name, shorten
from openclaude.terminal.screen import BAD, WARNING, Screen, find_screen
from openclaude.terminal.tables import Cell, table

ALLOW = "allow"
MOST = 10_000.0  # dollars at once
WARN_AT = 0.8  # where a session is told, too
HEADER = ("budget", "spent", "of", "left")
PAGE = HelpPage(
    text="""\
Show what the slots of a profile may cost and have cost: `[budget]`, and of tiers
`budget_day`, `budget_month`, `budget_session`. Spending is that of all profiles
together. `allow DOLLARS` raises today's budgets, this month's or those of a session
once; open sessions go on with their next request.""",
    examples=("openclaude budget qwen", "openclaude budget allow 2.00 --today"),
    variables=STATE,
    docs="docs/usage.md",
)


class Line(NamedTuple):
    """A budget and what was spent of it."""

    budget: Budget
    spent: float
    limit: float

    def document(self) -> dict[str, object]:
        """The line as JSON."""
        return {
            "period": self.budget.period,
            "tier": self.budget.tier or None,
            "spent_usd": round(self.spent, 6),
            "limit_usd": round(self.limit, 6),
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    parser.add_argument("what", metavar="WHAT", nargs="?", help="a profile, or `allow`")
    parser.add_argument("dollars", metavar="DOLLARS", nargs="?", help="with `allow`")
    add_profile_option(parser)
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--today", action="store_true", help="allow them for today")
    when.add_argument("--month", action="store_true", help="allow them for this month")
    when.add_argument("--session", metavar="ID", help="a session of claude's")
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """The budgets, or more for once. Raises OpenclaudeError."""
    if arguments.what == ALLOW:
        return allow_more(arguments, places)
    if arguments.dollars is not None or arguments.today or arguments.month:
        raise UsageError(
            f"unknown action `{arguments.what or ''}`", hint="see `openclaude budget --help`"
        )
    chosen = chosen_profile(arguments.what, arguments.profile, "budget")
    name = profile_name(chosen, env, places)
    plan = find_plan(name, places, env)
    units = [unit for unit in plan.units if unit.name == "main"]
    budgets = budgets_in(units[0].environment) or Budgets()
    lines = look(budgets, places, arguments.session or "")
    data = {
        "profile": name,
        "budgets": [line.document() for line in lines],
        "then": budgets.route.model if budgets.route else budgets.then,
        "requests_per_minute": budgets.requests_per_minute or None,
    }
    return Result(text=shown(name, budgets, lines, find_screen(sys.stdout, env)), data=data)


def look(budgets: Budgets, places: Places, session: str) -> list[Line]:
    """The budgets and what was spent; a session's if one is named. Raises LedgerUnreadable."""
    spending = Spending(ledger_file(places.state))
    if why := spending.refresh():
        raise LedgerUnreadable(f"the ledger cannot be read: {why}", hint="see `openclaude usage`")
    lines = []
    for one in budgets.budgets:
        of = which(one.period, session, time.time())
        spent = spending.spent(one.period, of, one.tier)
        lines.append(Line(one, spent, one.dollars + spending.allowed(one.period, of)))
    return lines


def shown(name: str, budgets: Budgets, lines: list[Line], screen: Screen) -> str:
    """The budgets for people."""
    if not lines and not budgets.requests_per_minute:
        return (
            f"the profile `{name}` has no budget: "
            f"`openclaude profiles set {name} budget.day=5.00` sets one\n"
        )
    rows = []
    for line in lines:
        is_any = line.budget.period is Period.SESSION and not line.spent
        left = Cell(money(max(0.0, line.limit - line.spent)), urgency(line))
        numbers = (
            ("-", money(line.limit), "-")
            if is_any
            else (
                *(money(line.spent), money(line.limit)),
                left,
            )
        )
        rows.append((" ".join(filter(None, (line.budget.period, line.budget.tier))), *numbers))
    text = table(HEADER, rows, screen) if rows else ""
    then = {
        Then.STOP: "slots stop",
        Then.CLAUDE: "Claude answers",
        Then.MODEL: f"{budgets.route.model if budgets.route else ''} answers",
    }[budgets.then]
    if rows:
        text += f"\nwhen one is used up: {then}\n"
    if budgets.requests_per_minute:
        text += f"requests of a session in a minute: at most {budgets.requests_per_minute}\n"
    return text


def urgency(line: Line) -> str:
    """The colour of what is left: little, or nothing."""
    if line.spent >= line.limit:
        return BAD
    return WARNING if line.spent >= WARN_AT * line.limit else ""


def allow_more(arguments: argparse.Namespace, places: Places) -> Result:
    """Allow dollars beyond the budgets. Raises UsageError or LedgerUnreadable."""
    dollars = amount(arguments.dollars)
    period = (
        Period.DAY
        if arguments.today
        else Period.MONTH
        if arguments.month
        else Period.SESSION
        if arguments.session
        else None
    )
    if period is None:
        raise UsageError(
            "`allow` needs to know for how long",
            hint="add `--today`, `--month` or `--session ID`",
        )
    of = which(period, arguments.session or "", time.time())
    path = ledger_file(places.state)
    try:
        connection = open_to_write(path)
        try:
            allow(connection, period, of, dollars)
        finally:
            connection.close()
    except (OSError, sqlite3.Error, Unusable) as error:
        raise LedgerUnreadable(
            f"{path} cannot be written: {error}", hint="see `openclaude usage`"
        ) from error
    spending = Spending(path)
    spending.refresh()
    allowed = spending.allowed(period, of)
    return Result(
        text=f"{money(dollars)} more for {period} {of}; in all: {money(allowed)}\n",
        data={"period": period, "which": of, "usd": dollars, "allowed_usd": round(allowed, 6)},
    )


def amount(text: str | None) -> float:
    """The dollars to allow. Raises UsageError."""
    try:
        dollars = float(text or "")
    except ValueError:
        dollars = 0.0
    if not 0 < dollars <= MOST:
        raise UsageError(
            f"`allow` takes dollars, more than 0 and at most {MOST:.0f}"
            + (f", not `{shorten(text)}`" if text else ""),
            hint="for example `openclaude budget allow 2.00 --today`",
        )
    return dollars
