"""Both lanes of every side, at the benchmark's own upstream, open at once.

Knows: who is asked with which key for which model, and that all of them run together. Refuses to
know: what is asked, and what is timed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.client import Target
from tests.bench.costs import trees
from tests.bench.peers import claude_code_router, router_version
from tests.bench.scene import CLAUDE_MODEL, SLOT, BenchFailed, Scene, must
from tests.bench.stock import HOP_MODEL, Upstreams, stock
from tests.e2e.house import OPENCLAUDE

LANES_PROFILE = "lanes"  # the house's profile, at the benchmark's upstream
DIRECT = "direct"
CLAUDE = "claude"
SLOT_LANE = "slot"
OURS = "ours"
STOCK = "stock"
ROUTER = "ccr"


class Lanes(NamedTuple):
    """Who can be asked: by side and lane."""

    targets: dict[str, Target]  # "direct", "ours claude", "ours slot", "stock claude", ...
    roots: dict[str, tuple[int, ...]]  # by side: the processes whose trees are its cost

    def pids_of(self, name: str) -> list[int]:
        """Every process of the side of a target; none of "direct"'s."""
        return trees(self.roots.get(name.partition(" ")[0], ()))


@contextmanager
def open_upstream() -> Iterator[str]:
    """The benchmark's upstream; its URL."""
    argv = (sys.executable, "-P", str(Path(__file__).with_name("upstream.py")))
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise BenchFailed("the benchmark's upstream does not start")
            yield json.loads(line)["url"]
        finally:
            process.stdin.close()  # its sign to end


@contextmanager
def open_lanes(scene: Scene) -> Iterator[Lanes]:
    """Ours, stock's two and, where it is there, claude-code-router, all ready."""
    scene.stop()
    root = scene.house.root.parent
    with ExitStack() as stack:
        url = stack.enter_context(open_upstream())
        record = stack.enter_context(ours(scene, url))
        hop = stack.enter_context(
            stock(root / "stock-lanes", Upstreams(url, url), scene.house.canaries)
        )
        mine, theirs = login(scene, record["main_key"]), login(scene, hop.key)
        targets = {
            DIRECT: Target(int(url.rpartition(":")[2]), mine[:1], CLAUDE_MODEL),
            f"{OURS} {CLAUDE}": Target(record["port"], mine, CLAUDE_MODEL),
            f"{OURS} {SLOT_LANE}": Target(record["port"], mine, SLOT),
            f"{STOCK} {CLAUDE}": Target(hop.port, theirs, CLAUDE_MODEL),
            f"{STOCK} {SLOT_LANE}": Target(hop.port, theirs, HOP_MODEL),
        }
        roots = {OURS: (record["pid"],), STOCK: hop.pids}
        if router_version():
            peer = stack.enter_context(claude_code_router(root / "ccr", url, CLAUDE_MODEL))
            key = (("x-api-key", peer.key),)
            targets[f"{ROUTER} {CLAUDE}"] = Target(peer.port, key, peer.model)
            roots[ROUTER] = (peer.pid,)
        yield Lanes(targets, roots)


def login(scene: Scene, key: str) -> tuple[tuple[str, str], ...]:
    """What claude sends to be let in: the plan's token, and an instance's local key."""
    return (
        ("authorization", f"Bearer {scene.house.canaries.oauth}"),
        ("x-litellm-api-key", f"Bearer {key}"),
    )


@contextmanager
def ours(
    scene: Scene, url: str, program: Sequence[str | Path] = (OPENCLAUDE,)
) -> Iterator[dict[str, Any]]:
    """The stack at an upstream; its record."""
    house = scene.house
    house.write_profile(LANES_PROFILE, anthropic_url=url, bedrock_url=url)
    argv = (*program, "start", "--wait", "--profile", LANES_PROFILE)
    must(house.run(argv, house.environment()))
    try:
        yield dict(json.loads((house.folder.parent / LANES_PROFILE / "stack.json").read_bytes()))
    finally:
        scene.stop()
