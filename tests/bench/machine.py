"""Where and with what a run was made.

Knows: the machine's names, versions of what is compared. Refuses to know: rows.
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
    """One run's circumstances."""

    date: str
    cores: int
    cpu: str
    load: float  # of the minute before: what else went on
    system: str
    python: str
    openclaude: str
    litellm: str
    claude: str
    peers: str  # those that were there to be compared with

    def text(self) -> str:
        """All of it in two lines."""
        return (
            f"{self.date}, {self.cores} cores ({self.cpu}), load {self.load:.1f} before, "
            f"{self.system}\nPython {self.python}, openclaude {self.openclaude}, "
            f"LiteLLM {self.litellm}, claude {self.claude}{self.peers and ', '}{self.peers}\n"
        )

    def line(self) -> str:
        """The shortest that a plot must say."""
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
    """The neighbours and what they are, if they are there."""
    return {"claude-code-router": router_version(), "claudish": claudish_version()}


def cpu_model() -> str:
    """What the processor calls itself."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
