"""Row h: what a proxy adds to a request, by the length of its body.

Knows: sizes, blocks of requests, what is taken off. Refuses to know: who the sides are (`lanes`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import NamedTuple

from tests.bench.bodies import make_body
from tests.bench.client import Client, Target
from tests.bench.figures import Kind, Measured, Row, Samples, interleave, less, measured
from tests.bench.lanes import CLAUDE, DIRECT, OURS, ROUTER, SLOT_LANE, STOCK, open_lanes
from tests.bench.scene import Scene

EVENTS = 20  # pieces of each answer
REST_S = 0.05  # after a block: what a proxy does behind an answer is its own side's
WARM_UPS = 10


class Size(NamedTuple):
    """One length of a body, and how often it is sent in a round."""

    name: str
    bytes: int
    requests: int


SIZES = (
    Size("5k", 5_000, 40),
    Size("50k", 50_000, 40),
    Size("500k", 500_000, 16),
    Size("2m", 2_000_000, 8),
)


class Line(NamedTuple):
    """One row for each size."""

    key: str
    name: str
    ours: str
    other: str
    reach: float | None = None  # of 50 KB, which is what claude sends
    aim: float | None = None


LINES = (
    Line(
        "h",
        "claude-*: time to first byte added / stock's hop",
        CLAUDE,
        f"{STOCK} {CLAUDE}",
        0.50,
        0.20,
    ),
    Line(
        "h.slot", "slot: the same / stock's two hops", SLOT_LANE, f"{STOCK} {SLOT_LANE}", 0.80, 0.50
    ),
    Line("h.ccr", "claude-*: the same / claude-code-router's", CLAUDE, f"{ROUTER} {CLAUDE}", 1.0),
)
REACHED_AT = "50k"


def measure_requests(scene: Scene, rounds: int) -> list[Measured]:
    """Row h: first and last byte, every side and size in turn on connections kept open."""
    with open_lanes(scene) as lanes:
        for target in lanes.targets.values():
            ask_block(target, SIZES[1], WARM_UPS)
        sides: list[Callable[[], dict[str, float]]] = [
            partial(one_side, name, target) for name, target in lanes.targets.items()
        ]
        samples = interleave(rounds, *sides)
    return rows_of(samples)


def one_side(name: str, target: Target) -> dict[str, float]:
    """Every size once, a block each; the medians by name, milliseconds."""
    figures: dict[str, float] = {}
    for size in SIZES:
        first, total = ask_block(target, size, size.requests)
        figures[f"{name} {size.name} first"] = first
        figures[f"{name} {size.name} total"] = total
        time.sleep(REST_S)
    return figures


def ask_block(target: Target, size: Size, count: int) -> tuple[float, float]:
    """So many requests on one connection: the medians of both times, milliseconds."""
    body = make_body(size.bytes, model=target.model, events=EVENTS)
    with Client(target) as client:
        client.ask(body, EVENTS)  # the connection's first is another matter
        times = [client.ask(body, EVENTS) for _ in range(count)]
    return median(t.first_s for t in times) * 1000, median(t.total_s for t in times) * 1000


def rows_of(samples: Samples) -> list[Measured]:
    """The table's rows out of what was timed."""
    rows = []
    for line in LINES:
        for what in ("first", "total"):
            for size in SIZES:
                suffix = f"{size.name} {what}"
                if f"{line.other} {suffix}" not in samples:
                    continue
                added = less(
                    samples,
                    f"{DIRECT} {suffix}",
                    f"{OURS} {line.ours} {suffix}",
                    f"{line.other} {suffix}",
                )
                rows.append(
                    measured(
                        row_of(line, size, what),
                        added,
                        f"{OURS} {line.ours} {suffix}",
                        f"{line.other} {suffix}",
                    )
                )
    return rows


def row_of(line: Line, size: Size, what: str) -> Row:
    """One row; what is reached for stands at one size's first byte."""
    is_held = what == "first" and size.name == REACHED_AT
    named = line.name if what == "first" else line.name.replace("time to first byte", "total time")
    return Row(
        key=f"{line.key}.{size.name}" + ("" if what == "first" else ".total"),
        name=f"{named}, {size.name.upper()}B",
        kind=Kind.RATIO,
        unit="ms",
        reach=line.reach if is_held else None,
        aim=line.aim if is_held else None,
    )
