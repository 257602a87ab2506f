"""Row p: how a request's processor time is spent, on each route, inside each instance.

Knows: how a sampler gets into the instances, what is requested meanwhile. Independent of: the group
of a stack (`grouping`).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench import sampler
from tests.bench.bodies import make_body
from tests.bench.client import Client, Target
from tests.bench.figures import Measured, Row, value
from tests.bench.grouping import GROUPS, heaviest, shares
from tests.bench.routes import (
    CLAUDE,
    LABELS,
    ROUTES_PROFILE,
    SLOT_ROUTE,
    open_upstream,
    our_target,
    ours,
)
from tests.bench.scene import CLAUDE_MODEL, SLOT, BenchFailed, Scene

REQUESTS = {CLAUDE: 600, SLOT_ROUTE: 200}
BODY = 50_000
EVENTS = 20
WRITE_TIMEOUT_S = 10.0
SETTLE_S = 0.3
HEAVIEST_INTO = "OPENCLAUDE_BENCH_HEAVIEST"
MOST = 150


def measure_profile(scene: Scene, _rounds: int) -> list[Measured]:
    """Row p: each route once."""
    scene.stop()
    folder = scene.house.root.parent / "sampler"
    python = write_interpreter(folder)
    with open_upstream() as url, ours(scene, url, (python, "-P", "-m", "openclaude")) as record:
        pids = {unit["name"]: unit["pid"] for unit in scene.house.status(ROUTES_PROFILE)["units"]}
        rows: list[Measured] = []
        for route, model in ((CLAUDE, CLAUDE_MODEL), (SLOT_ROUTE, SLOT)):
            target = our_target(scene, record, model)
            units = ("main",) if route == CLAUDE else ("main", "providers")
            found = sample(folder, target, REQUESTS[route], [pids[unit] for unit in units])
            for unit in units:
                note_heaviest(f"{route}.{unit}", found[pids[unit]])
                rows += rows_of(route, unit, found[pids[unit]], REQUESTS[route])
    return rows


def write_interpreter(folder: Path) -> Path:
    """Write a Python that imports the sampler first, as do its children."""
    inside = folder / "site-packages"
    inside.mkdir(parents=True)
    shutil.copy(str(sampler.__file__), inside / "sitecustomize.py")
    python = folder / "python"
    path = f'PYTHONPATH="{inside}${{PYTHONPATH:+:$PYTHONPATH}}"'
    python.write_text(f'#!/bin/sh\n{path} exec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o700)
    return python


def sample(folder: Path, target: Target, count: int, pids: list[int]) -> dict[int, Any]:
    """Return what the samplers of some instances recorded during this many requests."""
    body = make_body(BODY, model=target.model, events=EVENTS)
    with Client(target) as client:
        for _ in range(20):
            client.ask(body, EVENTS)
        toggle(pids)
        for _ in range(count):
            client.ask(body, EVENTS)
        time.sleep(SETTLE_S)  # work after an answer belongs to it
        toggle(pids)
    return {pid: read_when_written(folder / f"{pid}.json") for pid in pids}


def toggle(pids: list[int]) -> None:
    """Start or stop each of them."""
    for pid in pids:
        os.kill(pid, signal.SIGUSR1)


def read_when_written(path: Path) -> Any:
    """Read a sampler's file once it is whole, and empty it."""
    deadline = time.monotonic() + WRITE_TIMEOUT_S
    while not (path.exists() and path.read_text(encoding="utf-8").endswith(sampler.END)):
        if time.monotonic() > deadline:
            raise BenchFailed("a sampler wrote nothing")
        time.sleep(0.05)
    found = json.loads(path.read_bytes())
    os.truncate(path, 0)  # the instance has it open
    return found


def note_heaviest(name: str, found: Any) -> None:
    """For who tunes: the heaviest functions, and the stacks as flame graphs are made from, in a
    folder that is named so."""
    if not (folder := os.environ.get(HEAVIEST_INTO)):
        return
    stacks = [(count, stack) for count, stack in found["stacks"]]
    lines = [f"{share:7.1%} {frame}\n" for frame, share in heaviest(stacks, MOST)]
    Path(folder, f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    folded = [f"{';'.join(reversed(stack))} {count}\n" for count, stack in stacks]
    Path(folder, f"{name}.folded").write_text("".join(folded), encoding="utf-8")


def rows_of(route: str, unit: str, found: Any, requests: int) -> list[Measured]:
    """One row for each group: milliseconds of a request."""
    spent = found["cpu_s"] * 1000 / requests
    parts = shares([(count, stack) for count, stack in found["stacks"]])
    return [
        Measured(row=row_of(route, unit, group), ours=(parts[group] * spent,)) for group in GROUPS
    ]


def row_of(route: str, unit: str, group: str) -> Row:
    """One row."""
    word = group.partition(" ")[0].rstrip(",").lower()
    return value(f"p.{route}.{unit}.{word}", f"{LABELS[route]}, in `{unit}`: {group}", "ms")
