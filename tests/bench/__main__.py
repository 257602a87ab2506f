"""The benchmark's entry point: `build/bench`, or `python -m tests.bench` in a prepared environment.

Knows: the command line, which rows there are, where results go. Independent of: how to measure.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import SubprocessError

from tests.bench import growth, instances, launches, neighbours, profiles, requests, streams, zipapp
from tests.bench.client import NoAnswer
from tests.bench.costs import ProcessGone
from tests.bench.figures import Measured, missed, show
from tests.bench.machine import look_at_machine
from tests.bench.peers import PeerFailed, router_version
from tests.bench.report import Run, legend, write_documents
from tests.bench.scene import BenchFailed, Scene, must, open_scene
from tests.bench.stock import StockFailed

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
    "z": zipapp.measure_zipapp,
    "k": growth.measure_growth,
}
SHORT = "abcdefgh"  # takes about five minutes; z needs its archives, k only with `--long`
LONG = "k"


def main() -> int:
    """Measure, print; exit status 1 if `--check` finds a row that misses its target."""
    options = parse()
    if options.render:
        tell(write_documents(Run.from_json(options.render.read_text(encoding="utf-8"))))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the scene is cleaned up
    began = time.monotonic()
    with open_scene() as scene:
        machine = look_at_machine(scene.house)
        results, failures = measure(scene, options.rows, options.rounds)
    run = Run(machine=machine, rounds=options.rounds, rows=tuple(results))
    print(f"{machine.text()}\n{show(results)}\n{legend(options.rounds)}")
    print(f"took {time.monotonic() - began:.0f} s")
    if options.json:
        options.json.write_text(run.as_json(), encoding="utf-8")
    if options.write and not failures:
        tell(write_documents(run))
    if options.check and (late := [*missed(results), *unmeasured(options.rows)]):
        failures.append(f"not reached: {', '.join(late)}")
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return int(bool(failures))


def unmeasured(rows: list[str]) -> list[str]:
    """Return what `--check` must not accept: a figure without the program it is compared with."""
    if "h" in rows and not router_version():
        return ["h.ccr.50k, because tests/bench/fetch-peers was not run"]
    return []


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="build/bench", allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=3, help="of each row (default: 3)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--rows", type=letters, default=list(SHORT), help="like a,c,d")
    which.add_argument("--all", action="store_true", help=f"every row but {LONG}")
    which.add_argument("--long", action="store_true", help=f"every row, and {LONG}: ten minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every sample, as JSON")
    parser.add_argument("--write", action="store_true", help="put tables and plots into docs")
    parser.add_argument("--render", type=Path, metavar="FILE", help="only that, from such JSON")
    parser.add_argument("--check", action="store_true", help="fail when a number is not reached")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        parser.error("PYTHONDONTWRITEBYTECODE is set, and would double every start-up")
    if options.all or options.long:
        options.rows = [row for row in ROWS if options.long or row not in LONG]
    return options


def tell(paths: list[Path]) -> None:
    """Print which files were written."""
    for path in paths:
        print(f"bench: wrote {path}", file=sys.stderr)


def letters(text: str) -> list[str]:
    """Return the letters of the rows in `--rows`."""
    named = text.replace(" ", "").split(",")
    if unknown := [name for name in named if name not in ROWS]:
        raise argparse.ArgumentTypeError(f"no row {unknown[0]!r}; there are {','.join(ROWS)}")
    return named


def measure(scene: Scene, rows: list[str], rounds: int) -> tuple[list[Measured], list[str]]:
    """Measure the rows, after one run of both programs; also return why some were not possible."""
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


if __name__ == "__main__":
    sys.exit(main())
