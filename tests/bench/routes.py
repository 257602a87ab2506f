"""Both routes of every side, open at the same time, with the benchmark's own upstream.

Knows: the address, key and model of each, and that all of them run together. Independent of: what
is requested, and what is timed.
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

ROUTES_PROFILE = "routes"  # the house's profile, with the benchmark's upstream
DIRECT = "direct"
CLAUDE = "claude"
SLOT_ROUTE = "slot"
LABELS = {CLAUDE: "Claude models", SLOT_ROUTE: "rerouted tiers"}  # their names in the tables
OURS = "ours"
STOCK = "stock"
ROUTER = "ccr"


class Routes(NamedTuple):
    """The targets by side and route."""

    targets: dict[str, Target]  # "direct", "ours claude", "ours slot", "stock claude", ...
    roots: dict[str, tuple[int, ...]]  # by side: the processes whose trees are measured

    def pids_of(self, name: str) -> list[int]:
        """Return every process of the side of a target; none for "direct"."""
        return trees(self.roots.get(name.partition(" ")[0], ()))


@contextmanager
def open_upstream() -> Iterator[str]:
    """Start the benchmark's upstream; return its URL."""
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
            process.stdin.close()  # tells it to end


@contextmanager
def open_routes(scene: Scene) -> Iterator[Routes]:
    """Start ours, stock's two and, if installed, claude-code-router; all ready."""
    scene.stop()
    root = scene.house.root.parent
    with ExitStack() as stack:
        url = stack.enter_context(open_upstream())
        record = stack.enter_context(ours(scene, url))
        hop = stack.enter_context(
            stock(root / "stock-routes", Upstreams(url, url), scene.house.canaries)
        )
        mine, theirs = login(scene, record["main_key"]), login(scene, hop.key)
        targets = {
            DIRECT: Target(int(url.rpartition(":")[2]), mine[:1], CLAUDE_MODEL),
            f"{OURS} {CLAUDE}": our_target(scene, record, CLAUDE_MODEL),
            f"{OURS} {SLOT_ROUTE}": our_target(scene, record, SLOT),
            f"{STOCK} {CLAUDE}": Target(hop.port, theirs, CLAUDE_MODEL),
            f"{STOCK} {SLOT_ROUTE}": Target(hop.port, theirs, HOP_MODEL),
        }
        roots = {OURS: (record["pid"],), STOCK: hop.pids}
        if router_version():
            peer = stack.enter_context(claude_code_router(root / "ccr", url, CLAUDE_MODEL))
            key = (("x-api-key", peer.key),)
            targets[f"{ROUTER} {CLAUDE}"] = Target(peer.port, key, peer.model)
            roots[ROUTER] = (peer.pid,)
        yield Routes(targets, roots)


def our_target(scene: Scene, record: dict[str, Any], model: str) -> Target:
    """Return our main, requested as claude does: over TLS."""
    certificate = scene.house.folder.parent / ROUTES_PROFILE / "ca.pem"
    key = login(scene, record["main_key"])
    return Target(record["port"], key, model, str(certificate))


def login(scene: Scene, key: str) -> tuple[tuple[str, str], ...]:
    """Return claude's credentials: the plan's token, and an instance's local key."""
    return (
        ("authorization", f"Bearer {scene.house.canaries.oauth}"),
        ("x-litellm-api-key", f"Bearer {key}"),
    )


@contextmanager
def ours(
    scene: Scene, url: str, program: Sequence[str | Path] = (OPENCLAUDE,)
) -> Iterator[dict[str, Any]]:
    """Return the stack for an upstream; its record."""
    house = scene.house
    house.write_profile(ROUTES_PROFILE, anthropic_url=url, bedrock_url=url)
    argv = (*program, "start", "--wait", "--profile", ROUTES_PROFILE)
    must(house.run(argv, house.environment()))
    try:
        yield dict(json.loads((house.folder.parent / ROUTES_PROFILE / "stack.json").read_bytes()))
    finally:
        scene.stop()
