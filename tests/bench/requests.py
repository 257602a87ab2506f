"""Row h: what a proxy adds to a request, by the length of its body.

Knows: sizes, blocks of requests, what is taken off. Refuses to know: who the sides are (`lanes`).
Processor time is measured beside the clock's: a busy machine spoils it less.
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
from tests.bench.lanes import CLAUDE, DIRECT, OURS, ROUTER, SLOT_LANE, STOCK, Lanes, open_lanes
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
    """One row for each size and measure."""

    key: str
    lane: str
    other: str  # the side
    beside: str  # the same in words
    reach: float | None = None  # of the first byte of 50 KB, which is what claude sends
    aim: float | None = None


LINES = (
    Line("h", CLAUDE, STOCK, "one stock hop", 0.50, 0.20),
    Line("h.slot", SLOT_LANE, STOCK, "two stock hops", 0.80, 0.50),
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
    """Row h: every side in turn, every size on a connection kept open."""
    with open_lanes(scene) as lanes:
        for target in lanes.targets.values():
            ask_block(target, SIZES[1], WARM_UPS)
        sides: list[Callable[[], dict[str, float]]] = [
            partial(one_side, name, lanes) for name in lanes.targets
        ]
        samples = interleave(rounds, *sides)
    return rows_of(samples)


def one_side(name: str, lanes: Lanes) -> dict[str, float]:
    """Every size once, a block each; the medians by name, milliseconds."""
    figures: dict[str, float] = {}
    pids = lanes.pids_of(name)
    for size in SIZES:
        before = cpu_ms(pids)
        times = ask_block(lanes.targets[name], size, size.requests)
        time.sleep(REST_S)
        spent = (cpu_ms(pids) - before) / (size.requests + 1)
        figures[f"{name} {size.name} first"] = median(t.first_s for t in times) * 1000
        figures[f"{name} {size.name} total"] = median(t.total_s for t in times) * 1000
        figures[f"{name} {size.name} cpu"] = spent
    return figures


def ask_block(target: Target, size: Size, count: int) -> list[Timed]:
    """So many requests on one connection, whose first is another matter and not among them."""
    body = make_body(size.bytes, model=target.model, events=EVENTS)
    with Client(target) as client:
        return [client.ask(body, EVENTS) for _ in range(count + 1)][1:]


def rows_of(samples: Samples) -> list[Measured]:
    """The table's rows out of what was timed; of a side that is not there, none."""
    return [
        row_of(line, size, measure, samples)
        for line in LINES
        for measure in MEASURES
        for size in SIZES
        if f"{line.other} {line.lane} {size.name} {measure}" in samples
    ]


def row_of(line: Line, size: Size, measure: str, samples: Samples) -> Measured:
    """One row; what is reached for stands at one size's first byte."""
    is_held = measure == FIRST and size.name == REACHED_AT
    row = ratio(
        f"{line.key}.{size.name}" + ("" if measure == FIRST else f".{measure}"),
        f"{line.lane} lane, {size.name.upper()}B: {MEASURES[measure]} / {line.beside}",
        "ms",
        reach=line.reach if is_held else None,
        aim=line.aim if is_held else None,
    )
    ours, other, direct = (
        f"{side} {size.name} {measure}"
        for side in (f"{OURS} {line.lane}", f"{line.other} {line.lane}", DIRECT)
    )
    return measured(row, less(samples, direct, ours, other), ours, other)
