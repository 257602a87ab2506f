"""Row i: many streams at once: how soon each begins, how many tokens per second arrive.

Knows: crowds of connections, percentiles. Independent of: who the sides are (`routes`). The
upstream sends a hundred tokens per second on each stream, so the possible maximum is known.
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
from tests.bench.routes import CLAUDE, LABELS, OURS, SLOT_ROUTE, STOCK, Routes, open_routes
from tests.bench.scene import Scene

CROWDS = (1, 8, 32, 64)
EVENTS = 150  # pieces of each answer, at the upstream's pace
BODY = 50_000
CROWD_TIMEOUT_S = 120.0
REST_S = 0.5
STREAM_ROUNDS = 2  # each contains many requests


class Measure(NamedTuple):
    """What a row measures of a crowd."""

    key: str
    name: str
    unit: str


MEASURES = (
    Measure("p50", "time to first byte, half of them", "ms"),
    Measure("p95", "time to first byte, 95 of 100", "ms"),
    Measure("rate", "tokens a second, more is better", ""),
)


def measure_streams(scene: Scene, rounds: int) -> list[Measured]:
    """Row i: crowds of growing size on each route, ours and stock's alternately."""
    with open_routes(scene) as routes:
        names = [f"{side} {route}" for side in (OURS, STOCK) for route in (CLAUDE, SLOT_ROUTE)]
        for name in names:
            gather(routes.targets[name], CROWDS[1])
        sides: list[Callable[[], dict[str, float]]] = [
            partial(one_side, name, routes) for name in names
        ]
        samples = interleave(min(rounds, STREAM_ROUNDS), *sides)
    return rows_of(samples)


def one_side(name: str, routes: Routes) -> dict[str, float]:
    """Measure every crowd once."""
    figures: dict[str, float] = {}
    for count in CROWDS:
        times = gather(routes.targets[name], count)
        firsts = [timed.first_s * 1000 for timed in times]
        figures[f"{name} {count} p50"] = median(firsts)
        figures[f"{name} {count} p95"] = percentile_95(firsts)
        figures[f"{name} {count} rate"] = count * EVENTS / max(timed.total_s for timed in times)
        time.sleep(REST_S)
    return figures


def percentile_95(values: list[float]) -> float:
    """Return the value that 95 of 100 do not exceed."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def gather(target: Target, count: int) -> list[Timed]:
    """Run this many streams at once, each on a connection of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(crowd(target, count))


async def crowd(target: Target, count: int) -> list[Timed]:
    """Connect all, then send all requests."""
    loop = asyncio.get_running_loop()
    body = make_body(BODY, model=target.model, events=EVENTS)
    request = head_of(target, len(body)) + body
    context = target.context()
    name = "127.0.0.1" if context else None
    streams = []
    for _ in range(count):
        _, stream = await loop.create_connection(
            Stream, "127.0.0.1", target.port, ssl=context, server_hostname=name
        )
        streams.append(stream)
    for stream in streams:
        stream.ask(request)
    async with asyncio.timeout(CROWD_TIMEOUT_S):
        return await asyncio.gather(*(stream.timed for stream in streams))


class Stream(asyncio.Protocol):
    """One connection with one request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one only by duck typing
        self.reply = Reply()
        self.timed: asyncio.Future[Timed] = asyncio.get_running_loop().create_future()

    def ask(self, request: bytes) -> None:
        """Send it; the clock starts."""
        self.began = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        try:
            is_whole = self.reply.feed(data, now)
            if is_whole and self.reply.count_words() != EVENTS:
                raise NoAnswer(f"{self.reply.count_words()} words of {EVENTS}")
        except NoAnswer as error:
            self.fail(error)
            return
        if is_whole:
            self.timed.set_result(Timed(self.reply.first_at - self.began, now - self.began))
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.fail(NoAnswer(f"cut off after {bytes(self.reply.taken[-1000:])!r}"))

    def fail(self, error: NoAnswer) -> None:
        """Report a failure, unless an answer has arrived."""
        if not self.timed.done():
            self.timed.set_exception(error)
            self.transport.close()


def rows_of(samples: Samples) -> list[Measured]:
    """The table's rows out of what was timed."""
    return [
        measured(
            ratio(
                f"i.{route}.{count}.{measure.key}",
                f"{LABELS[route]}, {count} at once: {measure.name} / stock",
                measure.unit,
            ),
            samples,
            f"{OURS} {route} {count} {measure.key}",
            f"{STOCK} {route} {count} {measure.key}",
        )
        for route in (CLAUDE, SLOT_ROUTE)
        for measure in MEASURES
        for count in CROWDS
    ]
