"""`openclaude usage`: tokens, dollars and errors, by tier, model, profile, session, project, day.

Knows: which sums are shown and how. Independent of: how they are stored.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import stat
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.commands.help_page import COLOUR, STATE, HelpPage, add_json, add_page, add_profile
from openclaude.commands.ledger.words import (
    HEADER,
    again,
    cells,
    check_spender,
    clock,
    ledger,
    midnight,
    money,
    since,
    tokens,
)
from openclaude.compile.resolve import CLAUDE_MODELS
from openclaude.errors import UsageError
from openclaude.files import write_private
from openclaude.ledger.sums import GROUPS, LedgerReader, PlanUse, Sums, Where
from openclaude.models.catalog import Catalog
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.terminal.screen import Screen, find_screen
from openclaude.terminal.tables import Column, paragraph, table, text_width

if TYPE_CHECKING:
    from openclaude.commands.ledger.page import PageFacts

NONE = """\
no request was written down yet: the first one through `openclaude` will be
"""
# the columns that give way on a narrow screen, first to last
SPARE = ("first byte", "cached", "errors")
SHORTEST_BAR, LONGEST_BAR = 4, 40
PARTS = " \N{LEFT ONE EIGHTH BLOCK}\N{LEFT ONE QUARTER BLOCK}\N{LEFT THREE EIGHTHS BLOCK}"
PARTS += "\N{LEFT HALF BLOCK}\N{LEFT FIVE EIGHTHS BLOCK}\N{LEFT THREE QUARTERS BLOCK}"
PARTS += "\N{LEFT SEVEN EIGHTHS BLOCK}\N{FULL BLOCK}"
BAR_STYLE = "36"
PAGE = HelpPage(
    text="""\
Show what the requests of claude used: tokens, dollars, errors and latency. Slots
cost dollars, at LiteLLM's list prices or those in the profile's `params`; Claude
models on your plan use up its quota, as Anthropic reported it last. No prompt and
no answer is stored. `[ledger] keep` in a profile says for how long this is kept.
`--html` writes a page with charts. `--managed-settings` prints the setting that
gives claude's own figures a profile's prices, for an administrator's file.""",
    examples=(
        "openclaude usage --today --by model",
        "openclaude usage qwen --since 7d --by day",
        "openclaude usage --since 30d --html usage.html",
    ),
    variables=(*STATE, *COLOUR),
    docs="docs/usage.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser, "only this profile (default: all)")
    parser.add_argument("--by", choices=tuple(GROUPS), default="tier", help="default: tier")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--today", action="store_true", help="only requests of today")
    when.add_argument("--since", metavar="TIME", help="such as 7d, 12h or 2026-11-30")
    parser.add_argument("--csv", action="store_true", help="print comma-separated values")
    parser.add_argument("--html", metavar="FILE", help="write a page with charts (`-`: stdout)")
    parser.add_argument(
        "--managed-settings",
        action="store_true",
        help="print claude's `modelPricing` for a profile's slots",
    )
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Sums over the ledger. Raises OpenclaudeError."""
    check(arguments)
    if arguments.managed_settings:
        return prices_for_claude(arguments.profile, places, env)
    now = datetime.now().astimezone()
    where = Where(
        since=midnight(now)
        if arguments.today
        else since(arguments.since, now)
        if arguments.since
        else 0.0,
        profile=arguments.profile or "",
    )
    with ledger(places) as opened:
        check_spender(arguments.profile, opened, places)
        if arguments.html:
            return write_page(arguments.html, opened, where, now)
        if opened is None:
            return Result(
                text="" if arguments.csv else NONE, data=data_of(arguments.by, [], Sums())
            )
        rows, total, by_tier = opened.report(arguments.by, where)
        quota = opened.quota()
    spared = list_price(by_tier)
    data = data_of(arguments.by, rows, total, quota, spared)
    if arguments.csv:
        return Result(text=as_csv(arguments.by, rows), data=data)
    screen = find_screen(sys.stdout, env)
    said = lines(total, quota, spared, now.timestamp())
    parts = [shown(arguments.by, rows, total, screen), *(paragraph(one, screen) for one in said)]
    return Result(text="\n".join(parts) + "\n", data=data)


def check(arguments: argparse.Namespace) -> None:
    """Raise UsageError for options that exclude each other."""
    asked = [
        option
        for option in ("--csv", "--json", "--html", "--managed-settings")
        if getattr(arguments, option[2:].replace("-", "_"))
    ]
    if len(asked) > 1 and asked != ["--json", "--html"]:
        both = " and ".join(f"`{option}`" for option in asked)
        raise UsageError(f"{both} exclude each other", hint="use one of them")


def prices_for_claude(profile: str | None, places: Places, env: Mapping[str, str]) -> Result:
    """What an administrator's settings need for claude's own figures. Raises OpenclaudeError."""
    from openclaude.commands.ledger.pricing import managed_settings
    from openclaude.plan_cache import find_plan
    from openclaude.profile.names import profile_name

    settings = managed_settings(find_plan(profile_name(profile, env, places), places, env))
    return Result(text=json.dumps(settings, indent=2) + "\n", data=settings)


def page_facts(opened: LedgerReader | None, where: Where, now: datetime) -> PageFacts:
    """What the page shows; without a ledger it says that there is nothing. Raises sqlite3.Error."""
    from openclaude.commands.ledger.page import PageFacts

    shown = PageFacts(what=described(where), at=now)
    if opened is None:
        return shown
    tiers = opened.report("tier", where)
    return shown._replace(
        days=opened.days(where),
        tiers=tiers.rows,
        models=opened.report("model", where).rows,
        total=tiers.total,
        quota=opened.quota(),
        spared=list_price(tiers.spared),
        latencies=opened.latencies(where),
    )


def write_page(name: str, opened: LedgerReader | None, where: Where, now: datetime) -> Result:
    """Write the page with charts. Raises UsageError or sqlite3.Error."""
    from openclaude.commands.ledger.page import page

    text = page(page_facts(opened, where, now))
    if name == "-":
        return Result(text=text, data={"html": None})
    path = Path(name).expanduser()
    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            with path.open("w", encoding="utf-8") as file:  # a pipe, or /dev/stdout
                file.write(text)
        else:
            write_private(path, text)
    except OSError as error:
        raise UsageError(
            f"cannot write `{name}`: {error.strerror or error}", hint="name another file"
        ) from None
    return Result(text=f"written: {path}\n", data={"html": str(path.absolute())})


def described(where: Where) -> str:
    """Which requests are meant."""
    of = f"the profile {where.profile}" if where.profile else "all profiles"
    return f"{of}, since {clock(where.since)}" if where.since else of


def list_price(by_tier: Mapping[str, Sums]) -> tuple[int, float]:
    """The tokens that slots answered in place of the plan, and their price at Claude's own list."""
    catalog = Catalog.bundled()
    number, price = 0, 0.0
    for tier, sums in by_tier.items():
        number += sums.tokens
        model = catalog.find("anthropic", CLAUDE_MODELS[tier]) if tier in CLAUDE_MODELS else None
        if model is not None and model.input_cost is not None and model.output_cost is not None:
            read = model.input_cost if model.cached_cost is None else model.cached_cost
            write = model.input_cost if model.cache_write_cost is None else model.cache_write_cost
            price += sums.tokens_in * model.input_cost + sums.tokens_out * model.output_cost
            price += sums.cache_read * read + sums.cache_write * write
    return number, price


def shown(by: str, rows: Sequence[tuple[str, Sums]], total: Sums, screen: Screen) -> str:
    """The table, with bars where they fit."""
    body = [(name or "-", *cells(sums)) for name, sums in rows]
    if len(rows) > 1:
        body.append(("total", *cells(total)))
    header = [by, *HEADER]
    dropped: list[str] = []
    while (natural := natural_width(header, body)) > screen.width > 0:
        spare = next((one for one in SPARE if one in header), None)
        if spare is None:
            break
        at = header.index(spare)
        header.remove(spare)
        body = [(*line[:at], *line[at + 1 :]) for line in body]
        dropped.append(spare)
    columns = [Column(one, right=bool(place)) for place, one in enumerate(header)]
    text = table(columns, body, screen).rstrip("\n")
    room = min(screen.width - natural - 2, LONGEST_BAR)
    if room >= SHORTEST_BAR and len(rows) > 1:
        weights = [sums.dollars for _, sums in rows]
        if not any(weights):
            weights = [float(sums.tokens) for _, sums in rows]
        text = with_bars(text, natural, weights, room, screen)
    if dropped:
        said = f"not shown in {screen.width} columns: {', '.join(dropped)}"
        text += "\n" + paragraph(said, screen)
    return text


def natural_width(header: Sequence[str], body: Sequence[Sequence[str]]) -> int:
    """The columns of a table in which nothing wraps."""
    lines = [header, *body]
    return sum(2 + max(text_width(line[at]) for line in lines) for at in range(len(header))) - 2


def with_bars(text: str, width: int, weights: Sequence[float], room: int, screen: Screen) -> str:
    """The table with a bar behind each row but the header and the total."""
    head, *body = text.splitlines()
    largest = max(weights) or 1.0
    barred = [
        f"{line}{' ' * (width - text_width(line))}  "
        + screen.paint(bar(room * weight / largest), BAR_STYLE)
        for line, weight in zip(body, weights, strict=False)
    ]
    return "\n".join([head, *(line.rstrip() for line in barred), *body[len(weights) :]])


def bar(length: float) -> str:
    """A bar of so many columns, to an eighth of one."""
    eighths = round(8 * length)
    return (PARTS[8] * (eighths // 8) + PARTS[eighths % 8]).rstrip()


def lines(total: Sums, quota: PlanUse | None, spared: tuple[int, float], now: float) -> list[str]:
    """What is said below the table."""
    said = []
    if quota is not None and quota.used_5h is not None:
        hours = f"{100 * quota.used_5h:.0f} % of its five hours used{again(quota.resets_5h, now)}"
        week = ""
        if quota.used_7d is not None:
            week = f", {100 * quota.used_7d:.0f} % of its week{again(quota.resets_7d, now)}"
        said.append(f"your plan at {clock(quota.at)}: {hours}{week}")
    number, price = spared
    if number:
        price_text = f"; at Claude's list prices: {money(price)}" if price else ""
        said.append(f"answered in place of your plan: {tokens(number)} tokens{price_text}")
    if total.unpriced:
        said.append(
            f"{total.unpriced} requests have no known price: write `input_cost_per_token` and "
            "`output_cost_per_token` into the tier's `params`"
        )
    return ["", *said] if said else []


def data_of(
    by: str,
    rows: Sequence[tuple[str, Sums]],
    total: Sums,
    quota: PlanUse | None = None,
    spared: tuple[int, float] = (0, 0.0),
) -> dict[str, object]:
    """The command's `data`."""
    return {
        "by": by,
        "rows": [{by: name, **document(sums)} for name, sums in rows],
        "total": document(total),
        "plan": None if quota is None else quota._asdict(),
        "spared": {"tokens": spared[0], "list_price_usd": round(spared[1], 6)},
    }


def document(sums: Sums) -> dict[str, object]:
    """Sums as JSON."""
    return {
        "requests": sums.requests,
        "errors": sums.errors,
        "input_tokens": sums.tokens_in,
        "output_tokens": sums.tokens_out,
        "cache_read_tokens": sums.cache_read,
        "cache_write_tokens": sums.cache_write,
        "usd": round(sums.dollars, 9),
        "unpriced": sums.unpriced,
        "mean_first_byte_ms": sums.mean_first_ms,
    }


def as_csv(by: str, rows: Sequence[tuple[str, Sums]]) -> str:
    """Comma-separated values, with a header."""
    written = io.StringIO()
    out = csv.DictWriter(written, [by, *document(Sums())], lineterminator="\n")
    out.writeheader()
    out.writerows({by: name, **document(sums)} for name, sums in rows)
    return written.getvalue()
