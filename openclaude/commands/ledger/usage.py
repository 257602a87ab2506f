"""`openclaude usage`: tokens, dollars and errors, by tier, model, profile, session, project, day.

Knows: which sums are shown and how. Independent of: how they are stored.
"""

from __future__ import annotations

import argparse
import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime

from openclaude.commands.help_page import STATE, HelpPage, add_json, add_page, add_profile
from openclaude.commands.ledger.words import clock, ledger, midnight, money, since, tokens
from openclaude.compile.resolve import CLAUDE_MODELS
from openclaude.errors import UsageError
from openclaude.ledger.sums import GROUPS, PlanUse, Sums, Where
from openclaude.models.catalog import Catalog
from openclaude.output import Result, table
from openclaude.paths import Places

NONE = """\
no request was written down yet: the first one through `openclaude` will be
"""
HEADER = ("requests", "errors", "in", "cached", "out", "first byte", "cost")
BAR, LONGEST_BAR = "█", 30
NARROW = 60  # columns; a narrower table has no bars
PAGE = HelpPage(
    text="""\
Show what the requests of claude used: tokens, dollars, errors and latency. Slots
cost dollars, at LiteLLM's list prices or those in the profile's `params`; Claude
models on your plan use up its quota, as Anthropic reported it last. No prompt and
no answer is stored. `[ledger] keep` in a profile says for how long this is kept.""",
    examples=("openclaude usage --today --by model", "openclaude usage qwen --since 7d --by day"),
    variables=STATE,
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
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, _env: Mapping[str, str]) -> Result:
    """Sums over the ledger. Raises UsageError or LedgerUnreadable."""
    if arguments.csv and arguments.json:
        raise UsageError("`--csv` and `--json` exclude each other", hint="use one of the two")
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
    width = shutil.get_terminal_size().columns
    parts = [shown(arguments.by, rows, total, width), *lines(total, quota, spared)]
    return Result(text="\n".join(parts) + "\n", data=data)


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


def shown(by: str, rows: Sequence[tuple[str, Sums]], total: Sums, width: int) -> str:
    """The table, with bars where they fit."""
    lines = [(name or "-", *cells(sums)) for name, sums in rows]
    if len(rows) > 1:
        lines.append(("total", *cells(total)))
    text = table((by, *HEADER), lines)
    room = width - max(map(len, text.splitlines())) - 2
    if room < 5 or width < NARROW or len(rows) < 2:
        return text.rstrip("\n")
    weights = [sums.dollars or 0.0 for _, sums in rows]
    if not any(weights):
        weights = [float(sums.tokens) for _, sums in rows]
    return with_bars(text, weights, min(room, LONGEST_BAR))


def with_bars(text: str, weights: Sequence[float], room: int) -> str:
    """The table with a bar behind each row but the header and the total."""
    head, *body = text.splitlines()
    widest = max(len(line) for line in (head, *body))
    largest = max(weights) or 1.0
    barred = [
        f"{line:<{widest}}  {BAR * round(room * weight / largest)}".rstrip()
        for line, weight in zip(body, weights, strict=False)
    ]
    return "\n".join([head, *barred, *body[len(weights) :]])


def cells(sums: Sums) -> tuple[str, ...]:
    """A row of the table."""
    first = sums.mean_first_ms
    return (
        str(sums.requests),
        str(sums.errors or "-"),
        tokens(sums.tokens_in + sums.cache_read + sums.cache_write),
        f"{100 * sums.cached:.0f} %" if sums.cache_read else "-",
        tokens(sums.tokens_out),
        f"{first} ms" if first is not None else "-",
        money(sums.dollars) if sums.dollars else "-",
    )


def lines(total: Sums, quota: PlanUse | None, spared: tuple[int, float]) -> list[str]:
    """What is said below the table."""
    said = []
    if quota is not None and quota.used_5h is not None:
        week = f", {100 * quota.used_7d:.0f} % of its week" if quota.used_7d is not None else ""
        resets = f" (new at {clock(quota.resets_5h)})" if quota.resets_5h else ""
        hours = f"{100 * quota.used_5h:.0f} % of its five hours used{resets}"
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
