"""Row j: what else a user would notice, compared with stock, claude-code-router and claudish.

Knows: restarts, memory after work, `-p` through each. Independent of: how the others are set up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from tests.bench.bodies import make_body
from tests.bench.client import Client, Target
from tests.bench.costs import pss_mb
from tests.bench.figures import Measured, Row, Samples, interleave, measured, ratio, side
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
from tests.bench.routes import OURS, ROUTER, STOCK, open_routes
from tests.bench.scene import CLAUDE_MODEL, Scene, standin, timed

REQUESTS = 200
BODY = 50_000
EVENTS = 20
FROM_OPENAI = "openai stand-in:"

RESTART = ratio("j.restart", "restart until both are ready / stock", "s")
LOADED = ratio(
    "j.memory",
    f"memory of both instances after {REQUESTS} requests of 50 KB on each route / stock",
    "MB",
)
LOADED_ROUTER = ratio(
    "j.memory.ccr", "the same / claude-code-router, which has Claude models only", "MB"
)
THROUGH_ROUTER = ratio(
    "j.ccr", "warm `openclaude -p` / `claude -p` through claude-code-router, running", "s"
)
THROUGH_CLAUDISH = ratio("j.claudish", "warm `openclaude -p` of the slot / `claudish -p`", "s")


def measure_neighbours(scene: Scene, rounds: int) -> list[Measured]:
    """Row j."""
    rows = [*memory(scene), restart(scene, rounds)]
    if router_version():
        rows.append(through_router(scene, rounds))
    if claudish_version():
        rows.append(through_claudish(scene, rounds))
    return rows


def memory(scene: Scene) -> list[Measured]:
    """Measure all sides after the same work; once, since it hardly varies."""
    samples: Samples = {}
    with open_routes(scene) as routes:
        for target in routes.targets.values():
            work(target)
        for side in routes.roots:
            samples[side] = [pss_mb(routes.pids_of(side))]
    return [
        measured(row, samples, OURS, side)
        for row, side in ((LOADED, STOCK), (LOADED_ROUTER, ROUTER))
        if side in samples
    ]


def work(target: Target) -> None:
    """Send this many requests, one after the other."""
    body = make_body(BODY, model=target.model, events=EVENTS)
    with Client(target) as client:
        for _ in range(REQUESTS):
            client.ask(body, EVENTS)


def restart(scene: Scene, rounds: int) -> Measured:
    """Restart ours by its command; stock by ending and starting both processes."""
    scene.start()

    def stock() -> float:
        began = time.monotonic()
        with scene.stock():
            return time.monotonic() - began

    samples = interleave(rounds, side(OURS, scene.restart), side(STOCK, stock))
    return measured(RESTART, samples, OURS, STOCK)


def through_router(scene: Scene, rounds: int) -> Measured:
    """Both proxies are already running."""
    house = scene.house
    scene.start()
    folder = house.root.parent / "ccr-p"
    with claude_code_router(folder, scene.upstreams.anthropic_url, CLAUDE_MODEL) as peer:
        env = peer.claude_variables()

        def ours() -> float:
            return timed(lambda: house.openclaude("-p", "hi"), FROM_ANTHROPIC)

        def theirs() -> float:
            return timed(lambda: house.claude("-p", "hi", env=env), FROM_ANTHROPIC)

        return beside(THROUGH_ROUTER, rounds, ours, theirs)


def through_claudish(scene: Scene, rounds: int) -> Measured:
    """Ours is already running; claudish starts its proxy each time, by design."""
    house = scene.house
    root = house.root.parent
    scene.start()
    setup = {"key": CLAUDISH_KEY, "models": {CLAUDISH_MODEL: {"max_output_tokens": 64000}}}
    with standin(root, "openai", setup) as upstream:
        env = house.environment(claudish_variables(root / "claudish", upstream))
        argv = claudish_command("-p", "hi")

        def ours() -> float:
            run = partial(house.openclaude, "-p", "hi", "--model", "haiku")
            return timed(run, FROM_BEDROCK)

        def theirs() -> float:
            return timed(lambda: house.run(argv, env), FROM_OPENAI)

        return beside(THROUGH_CLAUDISH, rounds, ours, theirs)


def beside(
    row: Row, rounds: int, ours: Callable[[], float], theirs: Callable[[], float]
) -> Measured:
    """Measure two launches alternately, after one of each that is not counted."""
    ours()
    theirs()
    samples = interleave(2 * rounds, side(OURS, ours), side("theirs", theirs))
    return measured(row, samples, OURS, "theirs")
