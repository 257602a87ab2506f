"""The machine and the versions of a run.

Knows: the machine's properties, versions of what is compared. Independent of: rows.
"""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from tests.bench.peers import claudish_version, router_version
from tests.e2e.house import House


class Machine(NamedTuple):
    """The circumstances of one run."""

    date: str
    cores: int
    cpu: str
    load: float  # load in the minute before: what else was running
    system: str
    python: str
    openclaude: str
    litellm: str
    claude: str
    peers: str  # those that were installed

    def text(self) -> str:
        """All of it in two lines."""
        return (
            f"{self.date}, {self.cores} cores ({self.cpu}), load {self.load:.1f} before, "
            f"{self.system}\nPython {self.python}, openclaude {self.openclaude}, "
            f"LiteLLM {self.litellm}, claude {self.claude}{self.peers and ', '}{self.peers}\n"
        )

    def line(self) -> str:
        """Return the shortest form, for a plot."""
        return (
            f"{self.date}, {self.cores} cores ({self.cpu}), openclaude {self.openclaude}, "
            f"LiteLLM {self.litellm}, claude {self.claude}"
        )


def look_at_machine(house: House) -> Machine:
    """This machine, now."""
    return Machine(
        date=datetime.now(tz=UTC).strftime("%Y-%m-%d"),
        cores=len(os.sched_getaffinity(0)),
        cpu=cpu_model(),
        load=os.getloadavg()[0],
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        openclaude=version("openclaude"),
        litellm=version("litellm"),
        claude=house.run(("claude", "--version"), house.environment()).out.split()[0],
        peers=", ".join(f"{name} {said}" for name, said in peer_versions().items() if said),
    )


def peer_versions() -> dict[str, str | None]:
    """Return the versions of the other programs that are installed."""
    return {"claude-code-router": router_version(), "claudish": claudish_version()}


def cpu_model() -> str:
    """Return the processor's model name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
