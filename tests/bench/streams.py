"""Row i: many streams at once: how soon each begins, how many tokens a second come through.

Knows: crowds of connections, percentiles. Refuses to know: who the sides are (`lanes`). The
upstream gives each stream a hundred tokens a second, so what a crowd could get at most is known.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from statistics import median, quantiles
from typing import NamedTuple, cast

import uvloop

from tests.bench.bodies import make_body
from tests.bench.client import NoAnswer, Reply, Target, Timed, head_of
from tests.bench.figures import Measured, Samples, interleave, measured, ratio
from tests.bench.lanes import CLAUDE, OURS, SLOT_LANE, STOCK, Lanes, open_lanes
from tests.bench.scene import Scene

CROWDS = (1, 8, 32, 64)
EVENTS = 150  # pieces of each answer, at the upstream's pace
BODY = 50_000
CROWD_TIMEOUT_S = 120.0
REST_S = 0.5
STREAM_ROUNDS = 2  # each holds many requests


class Measure(NamedTuple):
    """What a row says of a crowd."""

    key: str
    name: str
    unit: str


MEASURES = (
    Measure("p50", "time to first byte, half of them", "ms"),
    Measure("p95", "time to first byte, 95 of 100", "ms"),
    Measure("rate", "tokens a second, more is better", ""),
)


def measure_streams(scene: Scene, rounds: int) -> list[Measured]:
    """Row i: crowds of growing size on each lane, ours and stock's in turn."""
    with open_lanes(scene) as lanes:
        names = [f"{side} {lane}" for side in (OURS, STOCK) for lane in (CLAUDE, SLOT_LANE)]
        for name in names:
            gather(lanes.targets[name], CROWDS[1])
        sides: list[Callable[[], dict[str, float]]] = [
            partial(one_side, name, lanes) for name in names
        ]
        samples = interleave(min(rounds, STREAM_ROUNDS), *sides)
    return rows_of(samples)


def one_side(name: str, lanes: Lanes) -> dict[str, float]:
    """Every crowd once."""
    figures: dict[str, float] = {}
    for count in CROWDS:
        times = gather(lanes.targets[name], count)
        firsts = [timed.first_s * 1000 for timed in times]
        figures[f"{name} {count} p50"] = median(firsts)
        figures[f"{name} {count} p95"] = percentile_95(firsts)
        figures[f"{name} {count} rate"] = count * EVENTS / max(timed.total_s for timed in times)
        time.sleep(REST_S)
    return figures


def percentile_95(values: list[float]) -> float:
    """What 95 of 100 do not exceed."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def gather(target: Target, count: int) -> list[Timed]:
    """So many streams at once, each on a connection of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(crowd(target, count))


async def crowd(target: Target, count: int) -> list[Timed]:
    """Connect all, then ask all."""
    loop = asyncio.get_running_loop()
    body = make_body(BODY, model=target.model, events=EVENTS)
    request = head_of(target, len(body)) + body
    streams = []
    for _ in range(count):
        _, stream = await loop.create_connection(Stream, "127.0.0.1", target.port)
        streams.append(stream)
    for stream in streams:
        stream.ask(request)
    async with asyncio.timeout(CROWD_TIMEOUT_S):
        return await asyncio.gather(*(stream.timed for stream in streams))


class Stream(asyncio.Protocol):
    """One connection with one request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one by shape only
        self.reply = Reply()
        self.timed: asyncio.Future[Timed] = asyncio.get_running_loop().create_future()

    def ask(self, request: bytes) -> None:
        """Send it; the clock runs."""
        self.began = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        try:
            is_whole = self.reply.feed(data, now)
            if is_whole and self.reply.count_events() != EVENTS:
                raise NoAnswer(f"{self.reply.count_events()} pieces of {EVENTS}")
        except NoAnswer as error:
            self.fail(error)
            return
        if is_whole:
            self.timed.set_result(Timed(self.reply.first_at - self.began, now - self.began))
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.fail(NoAnswer(f"cut off after {bytes(self.reply.taken[-1000:])!r}"))

    def fail(self, error: NoAnswer) -> None:
        """No answer came, unless one has."""
        if not self.timed.done():
            self.timed.set_exception(error)
            self.transport.close()


def rows_of(samples: Samples) -> list[Measured]:
    """The table's rows out of what was timed."""
    return [
        measured(
            ratio(
                f"i.{lane}.{count}.{measure.key}",
                f"{lane} lane, {count} at once: {measure.name} / stock",
                measure.unit,
            ),
            samples,
            f"{OURS} {lane} {count} {measure.key}",
            f"{STOCK} {lane} {count} {measure.key}",
        )
        for lane in (CLAUDE, SLOT_LANE)
        for measure in MEASURES
        for count in CROWDS
    ]
