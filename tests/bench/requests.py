"""Row h: what a proxy adds to a request, by the length of its body.

Knows: sizes, blocks of requests, what is subtracted. Independent of: who the sides are (`routes`).
Processor time is measured as well as elapsed time: a busy machine distorts it less.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import NamedTuple

from tests.bench.bodies import make_body
from tests.bench.client import Client, Target, Timed
from tests.bench.costs import cpu_ms
from tests.bench.figures import Measured, Samples, interleave, less, measured, ratio
from tests.bench.routes import (
    CLAUDE,
    DIRECT,
    LABELS,
    OURS,
    ROUTER,
    SLOT_ROUTE,
    STOCK,
    Routes,
    open_routes,
)
from tests.bench.scene import Scene

EVENTS = 20  # pieces of each answer
REST_S = 0.05  # after a block: work that a proxy does after an answer counts for its own side
WARM_UPS = 10


class Size(NamedTuple):
    """One length of a body, and how often it is sent per round."""

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
    """One row per size and measure."""

    key: str
    route: str
    other: str  # the side
    beside: str  # the same in words
    reach: float | None = None  # the first byte of 50 KB, the length that claude sends
    aim: float | None = None


LINES = (
    Line("h", CLAUDE, STOCK, "one stock hop", 0.50, 0.20),
    Line("h.slot", SLOT_ROUTE, STOCK, "two stock hops", 0.80, 0.50),
    Line("h.ccr", CLAUDE, ROUTER, "claude-code-router", 1.0),
)
FIRST = "first"
MEASURES = {
    FIRST: "time to first byte added",
    "total": "time to last byte added",
    "cpu": "processor time of all its processes",
}
REACHED_AT = "50k"


def measure_requests(scene: Scene, rounds: int) -> list[Measured]:
    """Row h: every side alternately, every size on a connection that stays open."""
    with open_routes(scene) as routes:
        for target in routes.targets.values():
            ask_block(target, SIZES[1], WARM_UPS)
        sides: list[Callable[[], dict[str, float]]] = [
            partial(one_side, name, routes) for name in routes.targets
        ]
        samples = interleave(rounds, *sides)
    return rows_of(samples)


def one_side(name: str, routes: Routes) -> dict[str, float]:
    """Measure every size once, a block each; return the medians by name, milliseconds."""
    figures: dict[str, float] = {}
    pids = routes.pids_of(name)
    for size in SIZES:
        before = cpu_ms(pids)
        times = ask_block(routes.targets[name], size, size.requests)
        time.sleep(REST_S)
        spent = (cpu_ms(pids) - before) / (size.requests + 1)
        figures[f"{name} {size.name} first"] = median(t.first_s for t in times) * 1000
        figures[f"{name} {size.name} total"] = median(t.total_s for t in times) * 1000
        figures[f"{name} {size.name} cpu"] = spent
    return figures


def ask_block(target: Target, size: Size, count: int) -> list[Timed]:
    """Send this many requests on one connection; the first one is different and not counted."""
    body = make_body(size.bytes, model=target.model, events=EVENTS)
    with Client(target) as client:
        return [client.ask(body, EVENTS) for _ in range(count + 1)][1:]


def rows_of(samples: Samples) -> list[Measured]:
    """Return the table's rows from the times; none for a side that is absent."""
    return [
        row_of(line, size, measure, samples)
        for line in LINES
        for measure in MEASURES
        for size in SIZES
        if f"{line.other} {line.route} {size.name} {measure}" in samples
    ]


def row_of(line: Line, size: Size, measure: str, samples: Samples) -> Measured:
    """Return one row; only the first byte of one size has a target."""
    is_held = measure == FIRST and size.name == REACHED_AT
    row = ratio(
        f"{line.key}.{size.name}" + ("" if measure == FIRST else f".{measure}"),
        f"{LABELS[line.route]}, {size.name.upper()}B: {MEASURES[measure]} / {line.beside}",
        "ms",
        reach=line.reach if is_held else None,
        aim=line.aim if is_held else None,
    )
    ours, other, direct = (
        f"{side} {size.name} {measure}"
        for side in (f"{OURS} {line.route}", f"{line.other} {line.route}", DIRECT)
    )
    return measured(row, less(samples, direct, ours, other), ours, other)
