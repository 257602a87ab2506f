"""The benchmark's door: `build/bench`, or `python -m tests.bench` in a prepared environment.

Knows: the command line, which rows there are, where results go. Refuses to know: how to measure.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import SubprocessError

from tests.bench import instances, launches, neighbours, profiles, requests, streams
from tests.bench.client import NoAnswer
from tests.bench.costs import ProcessGone
from tests.bench.figures import Measured, missed, show, show_markdown
from tests.bench.machine import Machine, look_at_machine
from tests.bench.peers import PeerFailed
from tests.bench.scene import BenchFailed, Scene, must, open_scene
from tests.bench.stock import SAID, StockFailed
from tests.e2e.house import REPOSITORY

Measure = Callable[[Scene, int], list[Measured]]
ROWS: dict[str, Measure] = {
    "a": launches.measure_cold_tui,
    "b": launches.measure_cold_answer,
    "c": launches.measure_warm,
    "d": launches.measure_cpu,
    "e": instances.measure_memory,
    "f": instances.measure_first_request,
    "g": instances.measure_crash,
    "h": requests.measure_requests,
    "i": streams.measure_streams,
    "j": neighbours.measure_neighbours,
    "p": profiles.measure_profile,
}
DOCUMENT = REPOSITORY / "docs/performance.md"
BLOCK = re.compile(r"(<!-- generated: bench -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Measure, print; exit status 1 when `--check` finds a row that does not reach its number."""
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the scene is left in order
    began = time.monotonic()
    with open_scene() as scene:
        machine = look_at_machine(scene.house)
        results, failures = measure(scene, options.rows, options.rounds)
    print(f"{machine.text()}\n{show(results)}\n{legend(options.rounds)}")
    print(f"took {time.monotonic() - began:.0f} s")
    if options.json:
        write_json(options.json, machine, results, options.rounds)
    if options.write and not failures:
        write_document(machine, results, options.rounds)
    late = missed(results)
    if options.check and late:
        print(f"bench: not reached: {', '.join(late)}", file=sys.stderr)
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return int(bool(failures or (options.check and late)))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="build/bench", allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=5, help="of each row (default: 5)")
    parser.add_argument(
        "--rows", type=letters, default=list(ROWS), help="like a,c,d (default: all)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="every sample, as JSON")
    parser.add_argument("--write", action="store_true", help="put the table into docs")
    parser.add_argument("--check", action="store_true", help="fail when a number is not reached")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        parser.error("PYTHONDONTWRITEBYTECODE is set, and would double every start-up")
    return options


def letters(text: str) -> list[str]:
    """The rows that `--rows` names."""
    named = text.replace(" ", "").split(",")
    if unknown := [name for name in named if name not in ROWS]:
        raise argparse.ArgumentTypeError(f"no row {unknown[0]!r}; there are {','.join(ROWS)}")
    return named


def measure(scene: Scene, rows: list[str], rounds: int) -> tuple[list[Measured], list[str]]:
    """The rows asked for, after both programs have run once; and why others could not be had."""
    must(scene.house.claude("-p", "hi"))
    must(scene.house.openclaude("-p", "hi"))
    results: list[Measured] = []
    failures: list[str] = []
    for key in rows:
        began = time.monotonic()
        try:
            results += ROWS[key](scene, rounds)
        except (
            BenchFailed,
            NoAnswer,
            OSError,
            PeerFailed,
            ProcessGone,
            StockFailed,
            SubprocessError,
        ) as error:
            failures.append(f"row {key} failed: {error!r}")
        print(f"bench: row {key} took {time.monotonic() - began:.0f} s", file=sys.stderr)
    return results, failures


def legend(rounds: int) -> str:
    """How to read the table."""
    return (
        f"Median (smallest-largest) of {rounds} rounds (c: twice as many, d: five times as many, "
        "e: two at most),\nboth sides in turn in one run; stand-ins answer at once, no network but "
        "loopback. FIGURE is ours / other,\nin rows a and d ours - other, without other ours.\n"
        f"{SAID}.\n"
    )


def write_json(path: Path, machine: Machine, results: list[Measured], rounds: int) -> None:
    """The whole run, with every sample."""
    run = {
        "machine": machine._asdict(),
        "rounds": rounds,
        "stock": SAID,
        "rows": [result.as_data() for result in results],
    }
    path.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")


def write_document(machine: Machine, results: list[Measured], rounds: int) -> None:
    """The table into the documentation's generated block."""
    block = f"{machine.text()}\n{show_markdown(results)}\n{legend(rounds)}"
    before = DOCUMENT.read_text(encoding="utf-8")
    after = BLOCK.sub(lambda found: f"{found[1]}{block}{found[2]}", before)
    DOCUMENT.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
