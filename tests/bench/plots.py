"""Which plots are made from a run's rows.

Knows: which rows make a plot, what its lines are called. Independent of: how it is drawn (`svg`),
and how anything was measured. Pure; a plot whose rows were not measured is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from tests.bench.figures import Measured
from tests.bench.svg import Axis, Bar, Line, draw_bars, draw_lines

ByKey = Mapping[str, Measured]
SIZES = {"5k": 5.0, "50k": 50.0, "500k": 500.0, "2m": 2000.0}  # kilobytes
CROWDS = {"1": 1.0, "8": 8.0, "32": 32.0, "64": 64.0}
OURS, STOCK, PEER = "openclaude", "stock", "claude-code-router"
LEAST_MS = 0.1  # of the profile: a smaller share would be an invisible bar
OWN, OTHERS, PLAIN = 0, 1, 4  # colours


def draw_all(rows: Iterable[Measured], below: str) -> dict[str, str]:
    """File name to SVG."""
    by_key = {one.row.key: one for one in rows}
    drawn = {name: draw(by_key, below) for name, draw in PLOTS.items()}
    return {name: text for name, text in drawn.items() if text}


def requests(by_key: ByKey, below: str) -> str:
    """What a request gains in time, by its length."""
    lines = [
        *along(by_key, "h.{}", SIZES, (f"{OURS}, claude-*", f"{STOCK}, claude-*")),
        *along(by_key, "h.slot.{}", SIZES, (f"{OURS}, slot", f"{STOCK}, slot")),
        *along(by_key, "h.ccr.{}", SIZES, ("", PEER)),
    ]
    title = "Time to first byte added to a request"
    axes = Axis(name="body, KB", is_log=True), Axis(name="ms", is_log=True)
    return draw_lines(title, below, *axes, lines) if lines else ""


def streams(by_key: ByKey, below: str) -> str:
    """The throughput of many streams."""
    lines = [
        *along(by_key, "i.claude.{}.rate", CROWDS, (f"{OURS}, claude-*", f"{STOCK}, claude-*")),
        *along(by_key, "i.slot.{}.rate", CROWDS, (f"{OURS}, slot", f"{STOCK}, slot")),
    ]
    axes = Axis(name="streams at once, each offered 100 tokens a second"), Axis(name="tokens/s")
    return draw_lines("Tokens a second, all streams together", below, *axes, lines) if lines else ""


def begins(by_key: ByKey, below: str) -> str:
    """The latency of many streams."""
    lines = [
        *along(by_key, "i.claude.{}.p95", CROWDS, (f"{OURS}, claude-*", f"{STOCK}, claude-*")),
        *along(by_key, "i.slot.{}.p95", CROWDS, (f"{OURS}, slot", f"{STOCK}, slot")),
    ]
    title = "Time to first byte that 95 of 100 streams do not exceed"
    axes = Axis(name="streams at once"), Axis(name="ms", is_log=True)
    return draw_lines(title, below, *axes, lines) if lines else ""


def launches(by_key: ByKey, below: str) -> str:
    """From Enter to the prompt, and to an answer."""
    bars = [
        *beside(by_key, "a", "prompt, openclaude cold", "prompt, plain claude", PLAIN),
        *beside(by_key, "c", "-p, openclaude warm", "-p, plain claude", PLAIN),
        *beside(by_key, "j.claudish", "", "-p, claudish", OTHERS),
        *beside(by_key, "j.ccr", "", "-p, claude-code-router", OTHERS),
        *beside(by_key, "b", "-p, openclaude cold", "-p, stock cold", OTHERS),
    ]
    return draw_bars("A launch", below, "s", bars) if bars else ""


def memory(by_key: ByKey, below: str) -> str:
    """The memory."""
    bars = [
        *beside(by_key, "e", "openclaude, idle", "stock, idle", OTHERS),
        *beside(by_key, "j.memory", "openclaude, used", "stock, used", OTHERS),
        *beside(by_key, "j.memory.ccr", "", "claude-code-router, used", OTHERS),
        *beside(by_key, "e.asleep", "openclaude, asleep", "", OTHERS),
    ]
    return draw_bars("Memory (PSS)", below, "MB", bars) if bars else ""


def whereabouts(by_key: ByKey, below: str) -> str:
    """The processor time of a request by group, each route and instance in a colour of its own."""
    shown = [one for key, one in by_key.items() if key.startswith("p.") and one.figure >= LEAST_MS]
    places = [place for place, _ in map(where, shown)]
    colours = list(dict.fromkeys(places))
    bars = [
        Bar(
            name=f"{place}: {group}",
            value=one.figure,
            low=one.figure,
            high=one.figure,
            colour=colours.index(place),
        )
        for one, (place, group) in zip(shown, map(where, shown), strict=True)
    ]
    title = "Processor time of one request, by route, instance, and whose code it is"
    return draw_bars(title, below, "ms", bars) if bars else ""


def where(one: Measured) -> tuple[str, str]:
    """Return the route and instance, and the group, of a row of the profile."""
    _, route, unit, _ = one.row.key.split(".")
    group = one.row.name.rpartition(": ")[2]
    return f"{route}, {unit}", group.partition(" (")[0].partition(",")[0]


def growth(by_key: ByKey, below: str) -> str:
    """Memory over thousands of requests."""
    lines = [
        Line(name=name, points=tuple((float(i), v) for i, v in enumerate(by_key[key].ours)))
        for key, name in (("k.claude.memory", "claude-*"), ("k.slot.memory", "slot"))
        if key in by_key
    ]
    axes = Axis(name="thousands of requests"), Axis(name="MB, both instances")
    return draw_lines("Memory over 10,000 requests", below, *axes, lines) if lines else ""


PLOTS: Mapping[str, Callable[[ByKey, str], str]] = {
    "requests.svg": requests,
    "streams.svg": streams,
    "begins.svg": begins,
    "launches.svg": launches,
    "memory.svg": memory,
    "where.svg": whereabouts,
    "growth.svg": growth,
}


def along(
    by_key: ByKey, pattern: str, places: Mapping[str, float], names: tuple[str, str]
) -> list[Line]:
    """Return the two lines of a family of rows, ours and the other's; none if it is unnamed."""
    found = {
        x: by_key[key] for word, x in places.items() if (key := pattern.format(word)) in by_key
    }
    sides: tuple[Callable[[Measured], Sequence[float]], ...] = (
        lambda one: one.ours,
        lambda one: one.other,
    )
    return [
        Line(name=name, points=tuple((x, median(side(one))) for x, one in found.items()))
        for name, side in zip(names, sides, strict=True)
        if name and found
    ]


def beside(by_key: ByKey, key: str, ours: str, other: str, colour: int) -> list[Bar]:
    """Return the two bars of a row; none for an unnamed side."""
    if key not in by_key:
        return []
    one = by_key[key]
    sides = ((ours, one.ours, OWN), (other, one.other, colour))
    return [
        Bar(name=name, value=median(said), low=min(said), high=max(said), colour=number)
        for name, said, number in sides
        if name and said
    ]
