"""Row j: what else a user would notice beside stock, claude-code-router and claudish.

Knows: restarts, memory after work, `-p` through each. Refuses to know: how the others are set up.
"""

from __future__ import annotations

import time
from functools import partial

from tests.bench.bodies import make_body
from tests.bench.client import Client, Target
from tests.bench.costs import pss_mb
from tests.bench.figures import Kind, Measured, Row, Samples, interleave, measured
from tests.bench.lanes import OURS, ROUTER, STOCK, open_lanes
from tests.bench.launches import FROM_ANTHROPIC, FROM_BEDROCK
from tests.bench.peers import (
    CLAUDISH_KEY,
    CLAUDISH_MODEL,
    claude_code_router,
    claudish_command,
    claudish_variables,
    claudish_version,
    router_version,
)
from tests.bench.scene import CLAUDE_MODEL, Scene, standin, timed

REQUESTS = 200
BODY = 50_000
EVENTS = 20
FROM_OPENAI = "openai stand-in:"

RESTART = Row(
    key="j.restart", name="restart until both are ready / stock", kind=Kind.RATIO, unit="s"
)
LOADED = Row(
    key="j.memory",
    name=f"memory of both instances after {REQUESTS} requests of 50 KB on each lane / stock",
    kind=Kind.RATIO,
    unit="MB",
)
LOADED_ROUTER = Row(
    key="j.memory.ccr",
    name="the same / claude-code-router, which has the first lane only",
    kind=Kind.RATIO,
    unit="MB",
)
THROUGH_ROUTER = Row(
    key="j.ccr",
    name="warm `openclaude -p` / `claude -p` through claude-code-router, running",
    kind=Kind.RATIO,
    unit="s",
)
THROUGH_CLAUDISH = Row(
    key="j.claudish",
    name="warm `openclaude -p` of the slot / `claudish -p`",
    kind=Kind.RATIO,
    unit="s",
)


def measure_neighbours(scene: Scene, rounds: int) -> list[Measured]:
    """Row j."""
    rows = [*memory(scene), restart(scene, rounds)]
    if router_version():
        rows.append(through_router(scene, rounds))
    if claudish_version():
        rows.append(through_claudish(scene, rounds))
    return rows


def memory(scene: Scene) -> list[Measured]:
    """All sides after the same work; once, since it hardly varies."""
    samples: Samples = {}
    with open_lanes(scene) as lanes:
        for target in lanes.targets.values():
            work(target)
        for side in lanes.roots:
            samples[side] = [pss_mb(lanes.pids_of(side))]
    return [
        measured(row, samples, OURS, side)
        for row, side in ((LOADED, STOCK), (LOADED_ROUTER, ROUTER))
        if side in samples
    ]


def work(target: Target) -> None:
    """So many requests, one after the other."""
    body = make_body(BODY, model=target.model, events=EVENTS)
    with Client(target) as client:
        for _ in range(REQUESTS):
            client.ask(body, EVENTS)


def restart(scene: Scene, rounds: int) -> Measured:
    """Ours by its word; stock's by ending both and starting both."""
    scene.start()

    def ours() -> dict[str, float]:
        return {OURS: scene.restart()}

    def stock() -> dict[str, float]:
        began = time.monotonic()
        with scene.stock():
            return {STOCK: time.monotonic() - began}

    return measured(RESTART, interleave(rounds, ours, stock), OURS, STOCK)


def through_router(scene: Scene, rounds: int) -> Measured:
    """Both proxies run already."""
    house = scene.house
    scene.start()
    folder = house.root.parent / "ccr-p"
    with claude_code_router(folder, scene.upstreams.anthropic_url, CLAUDE_MODEL) as peer:
        env = peer.claude_variables()

        def ours() -> dict[str, float]:
            return {OURS: timed(lambda: house.openclaude("-p", "hi"), FROM_ANTHROPIC)}

        def theirs() -> dict[str, float]:
            return {ROUTER: timed(lambda: house.claude("-p", "hi", env=env), FROM_ANTHROPIC)}

        ours()
        theirs()
        return measured(THROUGH_ROUTER, interleave(2 * rounds, ours, theirs), OURS, ROUTER)


def through_claudish(scene: Scene, rounds: int) -> Measured:
    """Ours runs already; claudish starts its proxy each time, which is its way."""
    house = scene.house
    root = house.root.parent
    scene.start()
    setup = {"key": CLAUDISH_KEY, "models": {CLAUDISH_MODEL: {"max_output_tokens": 64000}}}
    with standin(root, "openai", setup) as upstream:
        env = house.environment(claudish_variables(root / "claudish", upstream))
        argv = claudish_command("-p", "hi")

        def ours() -> dict[str, float]:
            run = partial(house.openclaude, "-p", "hi", "--model", "haiku")
            return {OURS: timed(run, FROM_BEDROCK)}

        def theirs() -> dict[str, float]:
            return {"claudish": timed(lambda: house.run(argv, env), FROM_OPENAI)}

        ours()
        theirs()
        return measured(THROUGH_CLAUDISH, interleave(2 * rounds, ours, theirs), OURS, "claudish")
