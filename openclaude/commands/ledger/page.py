"""The page that `usage --html` writes: one file, without a script, for a light or a dark screen.

Knows: what is on it and how it looks. Independent of: how sums are found. What others have named
(models, projects) is escaped, and nothing is loaded from anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from html import escape
from types import MappingProxyType
from typing import NamedTuple

from openclaude import __version__
from openclaude.commands.ledger.charts import COLOURS, NamedBar, by_day, by_name
from openclaude.commands.ledger.words import HEADER, again, cells, clock, money, tokens
from openclaude.ledger.sums import Latency, PlanUse, Sums

Of = Callable[[Sums], float]
MOST_DAYS = 92
MOST_BARS = 12
STYLE = """
:root{color-scheme:light dark;
--back:#fff;--card:#f6f7f9;--ink:#1c1f24;--soft:#636b76;--line:#dfe3e8;
--c0:#2a78d6;--c1:#d9822b;--c2:#3c9d6b;--c3:#7a5fc7;--c4:#8a8f98}
@media(prefers-color-scheme:dark){:root{--back:#14171b;--card:#1d2126;--ink:#e6e9ed;--soft:#98a1ac;
--line:#333a42;--c0:#5b9ff0;--c1:#eba252;--c2:#62bd8d;--c3:#a38cec;--c4:#9aa1ab}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:960px;padding:24px 20px 40px;background:var(--back);color:var(--ink);
font:15px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif}
h1{font-size:22px;margin:0}h2{font-size:15px;margin:0 0 10px}
p{margin:4px 0;color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:10px;margin:18px 0}
.tile,section{background:var(--card);border:1px solid var(--line);border-radius:8px}
.tile{padding:10px 14px}.tile b{display:block;font-size:21px;font-weight:600}
.tile span{color:var(--soft);font-size:13px}
section{padding:14px 16px;margin:12px 0;overflow-x:auto}
svg{display:block;width:100%;min-width:640px;height:auto;font-size:12px}
text{fill:var(--soft)}
.axis{stroke:var(--soft)}.grid{stroke:var(--line)}.mark{stroke:var(--soft);fill:none}
.key{float:right;font-size:12px;color:var(--soft)}
.key i{display:inline-block;width:10px;height:10px;border-radius:2px;margin:0 5px 0 12px}
.meter{height:10px;background:var(--line);border-radius:5px;overflow:hidden;margin:4px 0 10px}
.meter i{display:block;height:100%;background:var(--c0)}
table{border-collapse:collapse;width:100%;font-size:13px}
th,td{padding:4px 8px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:170px}
th{color:var(--soft);font-weight:500}tr:last-child td{border-bottom:0}
"""
STYLE += "".join(
    f".c{one}{{fill:var(--c{one})}}i.c{one}{{background:var(--c{one})}}" for one in range(COLOURS)
)
NONE = "No such request was written down yet."
# nothing may be loaded or run, whatever a name contains
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class PageFacts(NamedTuple):
    """What a page is about."""

    what: str  # which requests, as a sentence
    at: datetime
    days: Mapping[str, Mapping[str, Sums]] = MappingProxyType({})  # by day and tier
    tiers: Sequence[tuple[str, Sums]] = ()
    models: Sequence[tuple[str, Sums]] = ()
    total: Sums = Sums()
    quota: PlanUse | None = None
    spared: tuple[int, float] = (0, 0.0)
    latencies: Sequence[Latency] = ()


def page(shown: PageFacts) -> str:
    """The whole document."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>openclaude usage</title><style>{STYLE}</style></head><body>",
        "<h1>What requests used</h1>",
        f"<p>{escape(shown.what)} &middot; written {escape(f'{shown.at:%Y-%m-%d %H:%M}')}"
        f" by openclaude {escape(__version__)}</p>",
        *(figures(shown) if shown.total.requests else [f"<section>{NONE}</section>"]),
        "<p>Dollars are those of slots, at list prices or the profile&rsquo;s; Claude models on"
        " your plan cost its quota instead. The provider&rsquo;s bill is what counts.</p>",
        "</body></html>\n",
    ]
    return "\n".join(filter(None, parts))


def figures(shown: PageFacts) -> list[str]:
    """Everything below the title."""
    return [
        tiles(shown),
        quota_of(shown.quota, shown.at.timestamp()),
        *charts(shown),
        models_of(shown.models, shown.total),
    ]


def tiles(shown: PageFacts) -> str:
    """The numbers at the top."""
    total, (number, price) = shown.total, shown.spared
    cached = f"{100 * total.cached:.0f} %" if total.cache_read else "-"
    first = f"{total.mean_first_ms} ms" if total.mean_first_ms is not None else "-"
    facts = [
        (money(total.dollars), "slots have cost"),
        (f"{total.requests:,}", f"requests, {total.errors:,} with an error"),
        (tokens(total.tokens), "tokens in and out"),
        (cached, "of prompts from a cache"),
        (first, "to the first byte, on average"),
    ]
    if number:
        facts.append((tokens(number), "tokens in place of your plan"))
    if price:
        facts.append((money(price), "these tokens at Claude's list prices"))
    cells = (
        f'<div class="tile"><b>{escape(fact)}</b><span>{escape(said)}</span></div>'
        for fact, said in facts
    )
    return f'<div class="tiles">{"".join(cells)}</div>'


def quota_of(quota: PlanUse | None, now: float) -> str:
    """How much of the plan is used, as Anthropic said last."""
    if quota is None or quota.used_5h is None:
        return ""
    parts = [f"<section><h2>Your plan, as Anthropic said at {escape(clock(quota.at))}</h2>"]
    for name, used, resets in (
        ("five hours", quota.used_5h, quota.resets_5h),
        ("week", quota.used_7d, quota.resets_7d),
    ):
        if used is not None:
            parts.append(
                f"<p>{100 * used:.0f} % of the {name} used{escape(again(resets, now))}</p>"
                f'<div class="meter"><i style="width:{min(100 * used, 100):.1f}%"></i></div>'
            )
    return "".join([*parts, "</section>"])


def charts(shown: PageFacts) -> Iterable[str]:
    """The charts, each in its frame."""
    days = every_day(shown.days)
    tiers = [name for name, _ in shown.tiers]
    if days:
        both: list[tuple[str, Of, Callable[[float], str]]] = [
            ("Tokens by day", lambda one: float(one.tokens), lambda n: tokens(round(n)))
        ]
        if shown.total.dollars:
            both.insert(0, ("Dollars by day", lambda one: one.dollars, money_of_axis))
        for title, of, said in both:
            values = {
                tier or "other": [of(shown.days.get(day, {}).get(tier, Sums())) for day in days]
                for tier in tiers
            }
            values = {name: column for name, column in values.items() if any(column)}
            yield framed(title, by_day(days, values, said), key(values))
    yield framed("Tokens by tier", by_name(bars(shown.tiers)))
    yield framed("Tokens by model", by_name(bars(shown.models), 2))
    slow = [
        NamedBar(one.model or "-", one.median_ms, one.p95_ms, f"{one.median_ms} / {one.p95_ms} ms")
        for one in shown.latencies[:MOST_BARS]
    ]
    if slow:
        title = "Time to the first byte by model: median, and what 95 of 100 requests stay below"
        yield framed(title, by_name(slow, 3))


def bars(rows: Sequence[tuple[str, Sums]]) -> list[NamedBar]:
    """The largest of them, by tokens."""
    largest = sorted(rows, key=lambda one: -one[1].tokens)[:MOST_BARS]
    return [
        NamedBar(name or "-", sums.tokens, None, f"{tokens(sums.tokens)}{cost(sums)}")
        for name, sums in largest
    ]


def cost(sums: Sums) -> str:
    """What it cost, behind other words."""
    return f", {money(sums.dollars)}" if sums.dollars else ""


def every_day(days: Iterable[str]) -> list[str]:
    """The last days from the first to the last of these, without a gap."""
    found = sorted(days)[-MOST_DAYS:]
    if not found:
        return []
    last = date.fromisoformat(found[-1])
    first = max(date.fromisoformat(found[0]), last - timedelta(days=MOST_DAYS - 1))
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def money_of_axis(dollars: float) -> str:
    """Dollars beside a line."""
    return f"${dollars:,.0f}" if dollars >= 10 else f"${dollars:.3g}"


def key(names: Iterable[str]) -> str:
    """Which colour is which."""
    parts = (f'<i class="c{n % COLOURS}"></i>{escape(one)}' for n, one in enumerate(names))
    return f'<span class="key">{"".join(parts)}</span>'


def framed(title: str, chart: str, beside: str = "") -> str:
    """A chart with its title."""
    return f"<section>{beside}<h2>{escape(title)}</h2>{chart}</section>"


def models_of(rows: Sequence[tuple[str, Sums]], total: Sums) -> str:
    """The same numbers as a table."""
    lines = [*rows, ("total", total)] if len(rows) > 1 else rows
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in (name or "-", *cells(sums)))
        + "</tr>"
        for name, sums in lines
    )
    head = "".join(f"<th>{escape(name)}</th>" for name in ("model", *HEADER))
    return f"<section><h2>Models</h2><table><tr>{head}</tr>{body}</table></section>"
