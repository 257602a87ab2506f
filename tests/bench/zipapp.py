"""The zipapp compared with the plain `shiv litellm[proxy]`: `build/bench zipapp` builds both.

Knows: the size of a zipapp, its first run, the CPU time of a start from it. Independent of: how
either is built (build/bench does that, before the network is cut off). It prints the table of
docs/install.md.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.figures import (
    Kind,
    Measured,
    Row,
    interleave,
    measured,
    missed,
    show,
    show_markdown,
)
from tests.bench.launches import CPU_RUNS, NOTHING, cpu_ms
from tests.bench.machine import look_at_machine
from tests.bench.scene import BenchFailed, Scene, must, open_scene
from tests.e2e.house import PROFILE, REPOSITORY

PYTHON = Path(sys._base_executable)  # type: ignore[attr-defined] # a user's, without our packages
OURS = REPOSITORY / "dist/openclaude.pyz"
PLAIN = REPOSITORY / ".work/bench/plain.pyz"
DOCUMENT = REPOSITORY / "docs/install.md"
BLOCK = re.compile(r"(<!-- generated: zipapp -->\n).*?(<!-- end -->)", re.DOTALL)
# shiv's own bootstrap, and then nothing: a function that returns None
NO_PROGRAM = {"SHIV_ENTRY_POINT": "time:tzset"}

SIZE = Row(
    key="z",
    name="zipapp / `shiv litellm[proxy]`",
    kind=Kind.RATIO,
    unit="MB",
    reach=0.55,
    aim=0.35,
)
ENTRIES = Row(key="z.entries", name="entries that each start reads", kind=Kind.RATIO, unit="")
UNPACKED = Row(key="z.unpacked", name="unpacked", kind=Kind.RATIO, unit="MB")
FIRST = Row(key="z.first", name="first run, unpacking", kind=Kind.RATIO, unit="s")
CPU = Row(
    key="z.cpu",
    name="CPU of a warm launch from the zipapp; beside it, plain shiv before any program runs",
    kind=Kind.VALUE,
    unit="ms",
    reach=90,
    aim=40,
)


def main() -> int:
    """Measure, print; exit status 1 if `--check` finds a row that misses its target."""
    parser = argparse.ArgumentParser(prog="build/bench zipapp", allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=5, help="of the CPU times (default: 5)")
    parser.add_argument("--write", action="store_true", help="put the table into docs")
    parser.add_argument("--check", action="store_true", help="fail when a number is not reached")
    options = parser.parse_args()
    with open_scene() as scene:
        machine = look_at_machine(scene.house)
        results = measure_zipapp(scene, options.rounds)
    print(f"{machine.text()}\n{show(results)}")
    if options.write:
        block = f"{machine.text()}\n{show_markdown(results)}"
        before = DOCUMENT.read_text(encoding="utf-8")
        after = BLOCK.sub(lambda found: f"{found[1]}{block}{found[2]}", before)
        DOCUMENT.write_text(after, encoding="utf-8")
    return int(options.check and bool(missed(results)))


def measure_zipapp(scene: Scene, rounds: int) -> list[Measured]:
    """Measure every row of both archives, the first runs once."""
    for archive in (OURS, PLAIN):
        if not archive.exists():
            raise BenchFailed(f"no {archive}: `build/bench zipapp` makes it")
    with TemporaryDirectory() as name:
        folder = Path(name)
        samples = {
            **sizes(),
            "first": [first_run(scene, OURS, our_place(folder), "--version")],
            "plain first": [first_run(scene, PLAIN, {**plain_place(folder), **NO_PROGRAM})],
        }
        samples |= {
            "unpacked": [weight(folder / "ours")],
            "plain unpacked": [weight(folder / "plain")],
        }
        samples |= cpu(scene, rounds, folder)
    return [
        measured(SIZE, samples, "size", "plain size"),
        measured(ENTRIES, samples, "entries", "plain entries"),
        measured(UNPACKED, samples, "unpacked", "plain unpacked"),
        measured(FIRST, samples, "first", "plain first"),
        measured(CPU, samples, "launch", "plain bootstrap"),
    ]


def our_place(folder: Path) -> dict[str, str]:
    """Return the folder that ours unpacks into."""
    return {"XDG_CACHE_HOME": str(folder / "ours")}


def plain_place(folder: Path) -> dict[str, str]:
    """Return the folder that the plain one unpacks into."""
    return {"SHIV_ROOT": str(folder / "plain")}


def sizes() -> dict[str, list[float]]:
    """Return the sizes of both, and their numbers of entries."""
    return {
        "size": [OURS.stat().st_size / 1e6],
        "plain size": [PLAIN.stat().st_size / 1e6],
        "entries": [entries(OURS)],
        "plain entries": [entries(PLAIN)],
    }


def entries(archive: Path) -> float:
    """The entries of an archive."""
    with zipfile.ZipFile(archive) as opened:
        return len(opened.namelist())


def weight(folder: Path) -> float:
    """Return the megabytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def first_run(scene: Scene, archive: Path, env: Mapping[str, str], *arguments: str) -> float:
    """Return the seconds of a run that finds nothing unpacked."""
    began = time.monotonic()
    done = scene.house.run(
        (PYTHON, archive, *arguments), scene.house.environment(env), timeout_s=900
    )
    if done.code:
        raise BenchFailed(f"{archive.name}: {done.err}")
    return time.monotonic() - began


def cpu(scene: Scene, rounds: int, folder: Path) -> dict[str, list[float]]:
    """Return user and system time of a warm launch; the program that it becomes does nothing."""
    house = scene.house
    ours = house.environment({**our_place(folder), "OPENCLAUDE_CLAUDE": str(NOTHING)})
    plain = house.environment({**plain_place(folder), **NO_PROGRAM})
    launch = (PYTHON, OURS, "--profile", PROFILE, "-p", "hi")
    must(house.run((PYTHON, OURS, "start", "--profile", PROFILE, "--wait"), ours))
    return interleave(
        CPU_RUNS * rounds,
        lambda: {"launch": cpu_ms(launch, ours, house.project)},
        lambda: {"plain bootstrap": cpu_ms((PYTHON, PLAIN), plain, house.project)},
    )


if __name__ == "__main__":
    sys.exit(main())
