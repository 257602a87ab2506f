"""Row k: what grows after thousands of requests and with many profiles.

Knows: long runs, what is measured between their parts. Independent of: how resources are read.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.bench.bodies import make_body
from tests.bench.client import Client, Target
from tests.bench.costs import cpu_ms, open_files, pss_mb, tree
from tests.bench.figures import Measured, Samples, interleave, measured, ratio, side, value
from tests.bench.routes import CLAUDE, LABELS, SLOT_ROUTE, open_upstream, our_target, ours
from tests.bench.scene import CLAUDE_MODEL, SLOT, Scene, must
from tests.e2e.house import OPENCLAUDE, PROFILE

PARTS = 10
REQUESTS = 1000  # in each part
BODY = 5_000
EVENTS = 4
SETTLE_S = 0.5
PROFILES = 100
WARM_UPS = 200  # allocators and caches fill up; growth after that is permanent


def measure_growth(scene: Scene, rounds: int) -> list[Measured]:
    """Row k: both routes, then profiles."""
    scene.stop()
    rows: list[Measured] = []
    with open_upstream() as url, ours(scene, url) as record:
        for route, model in ((CLAUDE, CLAUDE_MODEL), (SLOT_ROUTE, SLOT)):
            target = our_target(scene, record, model)
            rows += rows_of(route, work(target, record["pid"]))
    return [*rows, many_profiles(scene, rounds)]


def work(target: Target, supervisor: int) -> Samples:
    """Send thousands of requests; return the stack's resources before and after each part."""
    samples: Samples = {"cpu": [], "memory": [], "files": []}
    pids = tree(supervisor)
    ask(target, WARM_UPS)
    for part in range(PARTS + 1):
        before = cpu_ms(pids)
        if part:
            ask(target, REQUESTS)
            samples["cpu"].append((cpu_ms(pids) - before) / REQUESTS)
        time.sleep(SETTLE_S)
        samples["memory"].append(pss_mb(pids))
        samples["files"].append(open_files(pids))
    return samples


def ask(target: Target, count: int) -> None:
    """Send this many requests on one connection, then close it."""
    body = make_body(BODY, model=target.model, events=EVENTS)
    with Client(target) as client:
        for _ in range(count):
            client.ask(body, EVENTS)


def rows_of(route: str, samples: Samples) -> list[Measured]:
    """Return each resource over time, and its last value divided by its first."""
    named = (
        ("cpu", "processor time of a request", "ms"),
        ("memory", "memory of the stack", "MB"),
        ("files", "open files of the stack", ""),
    )
    rows = []
    for key, name, unit in named:
        series = samples[key]
        about = f"{LABELS[route]}, {PARTS * REQUESTS} requests: {name}"
        along = value(f"k.{route}.{key}", f"{about}, each thousand", unit)
        ended = ratio(f"k.{route}.{key}.growth", f"{about}, last / first", unit)
        rows += [
            Measured(row=along, ours=tuple(series)),
            Measured(row=ended, ours=(series[-1],), other=(series[0],)),
        ]
    return rows


def many_profiles(scene: Scene, rounds: int) -> Measured:
    """Time `profiles list`, with a hundred profiles and with only the built-in ones."""
    folder = scene.house.home / ".config/openclaude/profiles"
    here, there = folder / f"{PROFILE}.toml", scene.house.home / "many-profiles"
    there.mkdir()
    for number in range(PROFILES):
        shutil.copy(here, there / f"copy{number}.toml")

    def listed() -> float:
        began = time.monotonic()
        argv = (OPENCLAUDE, "profiles", "list", "--json")
        must(scene.house.run(argv, scene.house.environment()))
        return time.monotonic() - began

    def many() -> float:
        copies = [Path(shutil.copy(path, folder)) for path in there.iterdir()]
        try:
            return listed()
        finally:
            for copy in copies:
                copy.unlink()

    row = ratio("k.profiles", f"`profiles list` with {PROFILES} more profiles / without", "s")
    samples = interleave(rounds, side("few", listed), side("many", many))
    return measured(row, samples, "many", "few")
