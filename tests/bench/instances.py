"""Rows e to g: memory of the instances, a fresh one's first requests, how soon a dead one is back.

Knows: memory of processes, first requests, kill. Independent of: launches.
"""

from __future__ import annotations

import os
import signal
import threading
import time

from tests.bench.costs import pss_mb, tree, trees
from tests.bench.figures import Measured, Samples, interleave, measured, ratio, side, value, worst
from tests.bench.scene import CLAUDE_MODEL, SETTLE_S, SLEEPER, SLOT, BenchFailed, Scene
from tests.bench.stock import HOP_MODEL, Stock

MEMORY_ROUNDS = 2  # it hardly varies, and each round has to start both sides
SLEEP_TIMEOUT_S = 30.0
REQUESTS = 10
PROBES = 20
PROBE_EVERY_S = 0.05

IDLE = ratio("e", "memory of both instances, idle (PSS) / stock", "MB", reach=0.75, aim=0.50)
USED = ratio("e.used", f"the same after {REQUESTS} requests on each route", "MB")
ASLEEP = value("e.asleep", "memory asleep (PSS)", "MB", reach=25, aim=12)
FIRST = ratio("f", "first request of a fresh instance / its tenth, claude-*", "s", reach=3, aim=1.2)
FIRST_SLOT = ratio("f.slot", "the same, haiku slot", "s", reach=3, aim=1.2)
KILLED_MAIN = value("g", "a killed `main` answering again", "s", reach=1.5, aim=0.3)
KILLED_PROVIDERS = value(
    "g.providers", "a killed `providers` answering again", "s", reach=1.5, aim=0.3
)
REFUSED = worst(
    "g.refused", f"connections refused meanwhile, of {PROBES} each time", "", reach=0, aim=0
)
FAILED = worst("g.failed", "requests meanwhile that were not answered with 200", "")


def measure_memory(scene: Scene, rounds: int) -> list[Measured]:
    """Row e: idle, after use, asleep."""
    scene.stop()
    samples = interleave(
        min(rounds, MEMORY_ROUNDS),
        lambda: stock_memory(scene),
        lambda: our_memory(scene),
        side("asleep", lambda: memory_asleep(scene)),
    )
    return [
        measured(IDLE, samples, "ours idle", "stock idle"),
        measured(USED, samples, "ours used", "stock used"),
        measured(ASLEEP, samples, "asleep"),
    ]


def our_memory(scene: Scene) -> dict[str, float]:
    """Return the memory of the stack's processes, from the pids that the supervisor has started."""
    scene.start()
    pids = tree(scene.house.record()["pid"])
    time.sleep(SETTLE_S)
    idle = pss_mb(pids)
    for _ in range(REQUESTS):
        scene.timed_post(CLAUDE_MODEL)
        scene.timed_post(SLOT)
    used = pss_mb(pids)
    scene.stop()
    return {"ours idle": idle, "ours used": used}


def stock_memory(scene: Scene) -> dict[str, float]:
    """Return the memory of the two stock processes, and of anything they start."""
    with scene.stock() as stock:
        time.sleep(SETTLE_S)
        idle = stock_pss(stock)
        for model in (CLAUDE_MODEL, HOP_MODEL) * REQUESTS:
            reply = scene.post(model, port=stock.port, key=stock.key)
            if reply.status != 200:
                raise BenchFailed(f"stock: {model}: {reply.status} {reply.body[:500]!r}")
        return {"stock idle": idle, "stock used": stock_pss(stock)}


def stock_pss(stock: Stock) -> float:
    """Return the present memory of both."""
    return pss_mb(trees(stock.pids))


def memory_asleep(scene: Scene) -> float:
    """Return the memory that remains of a stack while it is asleep."""
    scene.start(SLEEPER)
    deadline = time.monotonic() + SLEEP_TIMEOUT_S
    while {unit["state"] for unit in scene.house.status(SLEEPER)["units"]} != {"asleep"}:
        if time.monotonic() > deadline:
            raise BenchFailed("the stack does not fall asleep")
        time.sleep(0.2)
    time.sleep(SETTLE_S)
    asleep = pss_mb(tree(scene.house.status(SLEEPER)["pid"]))
    scene.stop()
    return asleep


def measure_first_request(scene: Scene, rounds: int) -> list[Measured]:
    """Row f: ten requests on one route, one after the other, on unused instances."""
    scene.start()

    def ten(route: str, model: str) -> dict[str, float]:
        scene.restart()
        seconds = [scene.timed_post(model) for _ in range(REQUESTS)]
        return {f"{route} first": seconds[0], f"{route} tenth": seconds[-1]}

    samples = interleave(rounds, lambda: ten("claude", CLAUDE_MODEL), lambda: ten("slot", SLOT))
    return [
        measured(FIRST, samples, "claude first", "claude tenth"),
        measured(FIRST_SLOT, samples, "slot first", "slot tenth"),
    ]


def measure_crash(scene: Scene, rounds: int) -> list[Measured]:
    """Row g: SIGKILL, and requests from that moment on."""
    samples: Samples = {}
    scene.start()

    def crash(unit: str, model: str) -> dict[str, float]:
        scene.restart()  # each crash is its unit's first: no back-off from the round before
        scene.timed_post(model)
        os.kill(scene.house.pids()[unit], signal.SIGKILL)
        back, refused, failed = probe(scene, model)
        samples.setdefault("refused", []).append(refused)
        samples.setdefault("failed", []).append(failed)
        return {unit: back}

    samples |= interleave(
        rounds, lambda: crash("main", CLAUDE_MODEL), lambda: crash("providers", SLOT)
    )
    return [
        measured(KILLED_MAIN, samples, "main"),
        measured(KILLED_PROVIDERS, samples, "providers"),
        measured(REFUSED, samples, "refused"),
        measured(FAILED, samples, "failed"),
    ]


def probe(scene: Scene, model: str) -> tuple[float, int, int]:
    """Send requests; return seconds to the first good answer, how many were refused, failed."""
    began = time.monotonic()
    answered: list[float] = []
    refused: list[int] = []
    failed: list[int] = []
    record = scene.house.record()

    def ask(number: int) -> None:
        try:
            reply = scene.post(model, port=record["port"], key=record["main_key"])
        except ConnectionRefusedError:
            refused.append(number)
            return
        if reply.status == 200 and reply.is_whole:
            answered.append(time.monotonic() - began)
        else:
            failed.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(PROBES)]
    for thread in threads:
        thread.start()
        time.sleep(PROBE_EVERY_S)
    for thread in threads:
        thread.join()
    if not answered:
        raise BenchFailed(f"nobody answered after a crash: {len(refused)} refused, {failed} failed")
    return min(answered), len(refused), len(failed)
