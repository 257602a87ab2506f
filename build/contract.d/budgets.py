"""The resources of a stack: how its instances are started, modules, memory, two latencies.

Knows: what is measured, and by how much the accepted figure may be exceeded. Times are shown but
break nothing, because a busy machine changes them.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from replay import Upstreams

from openclaude.compile.litellm_configs import LITELLM_FLAGS
from tests.bench.costs import pss_mb
from tests.e2e import raw
from tests.e2e.house import House, login_headers, question

ACCEPTED = Path(__file__).resolve().parents[2] / "tests/contract/budgets.json"
ROUNDS = 30
COUNT_MODULES = (
    "import sys, openclaude.gateway.litellm.warmup, litellm.proxy.proxy_server; "
    "print(len(sys.modules))"
)
# by how much the accepted figure may be exceeded
LIMITS = {"modules": 1.10, "pss_mb": 1.15}
PLACES = {
    "start_method": "openclaude/run/supervisor/forkserver.py (status says why it was not forked)",
    "modules": "openclaude/gateway/litellm/warmup.py",
    "pss_mb": "openclaude/gateway/litellm/warmup.py",
}


def measure(house: House, to: Upstreams) -> dict[str, Any]:
    """Return the figures of a stack that is ready and has done nothing yet."""
    status = house.status()
    roots = [status["pid"], *(unit["pid"] for unit in status["units"])]
    roots += [status["forkserver"]["pid"]] if status["forkserver"] else []
    return {
        "start_method": status["start_method"],
        "why": why_not_forked(house),
        "pss_mb": round(pss_mb(roots)),
        "modules": count_modules(house),
        "claude_ms": latency_ms(to, "claude-opus-5-5"),
        "slot_ms": latency_ms(to, "openclaude-haiku"),
    }


def why_not_forked(house: House) -> str:
    """Return the forkserver's reason if it cannot fork; "" if it forks."""
    said: list[str] = re.findall(r"RuntimeError: (.*cannot fork.*)", house.logs())
    return said[-1] if said else ""


def count_modules(house: House) -> int:
    """Return how many modules the forkserver imports."""
    python = house.program.with_name("python")
    ran = subprocess.run(
        (python, "-c", COUNT_MODULES),
        env={"PATH": "/usr/bin:/bin", **LITELLM_FLAGS},
        capture_output=True,
        text=True,
        check=True,
        cwd=house.root,
    )
    return int(ran.stdout.split()[-1])


def latency_ms(to: Upstreams, model: str) -> float:
    """Return the median time of a small request and its whole reply."""
    headers = raw.with_key(login_headers(to.oauth), to.key)
    body = question("hi", model=model)
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        raw.ask(to.port, headers, body)
        took.append(time.perf_counter() - began)
    return round(statistics.median(took) * 1000, 1)


def accepted() -> dict[str, Any]:
    """The figures of the pin."""
    return dict(json.loads(ACCEPTED.read_text())) if ACCEPTED.exists() else {}


def exceeded(figures: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[str]:
    """Return what is over budget, with the file to look at."""
    if figures.get("start_method") != "fork":
        said = figures.get("start_method")
        why = f" ({figures['why']})" if figures.get("why") else ""
        yield f"instances are made by `{said}`, not `fork`{why}: {PLACES['start_method']}"
    for name, factor in LIMITS.items():
        if name in limits and figures.get(name, 0) > limits[name] * factor:
            yield f"{name}: {limits[name]} -> {figures[name]}: {PLACES[name]}"
