"""The output of build/test: the plan, the progress, and at the end the result of each part.

Knows: words and columns. Independent of: how anything is run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from job import NO_TESTS, Job
from parts import PARTS, Stage, estimate

SECTION = re.compile(r"=+ (?!test session starts).+ =+")
BAD = ("failed", "error", "blocked", "xpassed")
MOST = 20  # failures that are listed


def plan(stages: tuple[Stage, ...], last_s: float, folder: Path) -> str:
    """Return what will run, in which order, and how long that takes."""
    steps = [" beside ".join(" + ".join(half) for half in stage) for stage in stages]
    took = f"; the last time here: {clock(last_s)}" if last_s else ""
    lines = [f"build/test: {', then '.join(steps)}"]
    lines.append(f"this takes about {round_time(estimate(stages))} on two cores{took}")
    for part in (PARTS[name] for stage in stages for half in stage for name in half):
        lines.append(f"  {part.name:<11}{round_time(part.minutes):<8}{part.what}")
    if any(len(stage) > 1 for stage in stages):
        lines.append(f"what runs beside something else prints to {folder}/NAME.log meanwhile")
    return "\n".join(lines)


def round_time(minutes: float) -> str:
    """Return an approximate time, for people."""
    return f"{minutes:.0f} min" if minutes >= 1 else f"{60 * minutes:.0f} s"


def clock(seconds: float) -> str:
    """Return a time as a stopwatch shows it."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def state(job: Job) -> str:
    """Return how far a part is."""
    done = sum(job.counts.values())
    if not job.total:
        return f"{job.part.name}: begun {clock(job.seconds)} ago"
    bad = sum(job.counts[kind] for kind in BAD)
    worse = f", {bad} failed" if bad else ""
    where = job.doing.partition("::")[0].rpartition("/")[2]
    return f"{job.part.name}: {done} of {job.total}{worse} ({where})"


def summary(job: Job) -> str:
    """Return the relevant part of a log: failures, missing requirements, and the end."""
    lines = job.printed
    first = next((at for at, line in enumerate(lines) if SECTION.fullmatch(line)), None)
    if first is None:  # not a report of pytest's: all of it if it failed
        first = len(lines) - 1 if job.passed and job.part.tests else 0
    return "\n".join((f"== {job.part.name}: {verdict(job)}", *lines[max(first, 0) :]))


def verdict(job: Job) -> str:
    """Return how a part ended, in a word or two."""
    if job.interrupted:
        return "interrupted"
    if job.status == NO_TESTS:
        return "no tests"
    return "ok" if job.passed else "FAILED"


def table(jobs: Sequence[Job], seconds: float) -> str:
    """Each part with its counts and its time, then the tests that failed."""
    kinds = list(dict.fromkeys(("passed", *BAD, *(kind for job in jobs for kind in job.counts))))
    kinds = [kind for kind in kinds if any(job.counts[kind] for job in jobs)]
    rows = [("part", "result", *kinds, "time")]
    for job in jobs:
        counts = (str(job.counts[kind] or "") for kind in kinds)
        rows.append((job.part.name, verdict(job), *counts, clock(job.seconds)))
    rows.append(("all", "", *("" for _ in kinds), clock(seconds)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(map(str.ljust, row[:2], widths)) + right(row[2:], widths[2:]) for row in rows
    ]
    named = [name for job in jobs for name in job.failures]
    more = [f"and {len(named) - MOST} more"] if len(named) > MOST else []
    unsteady = [f"UNSTEADY {name}" for job in jobs for name in job.unsteady]
    if unsteady:
        unsteady.append("what is UNSTEADY failed at first and passed alone: its failure is above")
    return "\n".join((*lines, *(f"FAILED {name}" for name in named[:MOST]), *more, *unsteady))


def right(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Right-align numbers."""
    return "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
