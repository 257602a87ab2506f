"""A run as it is published: JSON, the tables of the documentation, plots, a few lines in README.

Knows: which block of which file is generated from what. Independent of: how anything is measured. A
block is `<!-- generated: NAME -->` to `<!-- end -->`; a file without it stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import Kind, Measured, amount, show_markdown
from tests.bench.machine import Machine
from tests.bench.plots import draw_all
from tests.bench.stock import SAID
from tests.e2e.house import REPOSITORY

DOCUMENT = REPOSITORY / "docs/performance.md"
README = REPOSITORY / "README.md"
FOLDER = REPOSITORY / "docs/bench"
RUN = FOLDER / "bench.json"
BEFORE = FOLDER / "before.json"  # another run: a target must be reached twice
# what a reader of README asks: row, question, compared with
SHORT = (
    ("a", "To claude's first prompt, no proxies running", "plain `claude`"),
    ("c", "`-p` to its end, the stack running", "plain `claude`"),
    ("b", "`-p` to its end, from nothing", "two stock LiteLLM"),
    ("h.50k", "Added to an answer's first byte, `claude-*`, 50 KB", "one stock LiteLLM"),
    ("h.ccr.50k", "The same", "claude-code-router"),
    ("h.slot.50k", "The same in a slot", "two stock LiteLLM"),
    ("e", "Memory, idle", "two stock LiteLLM"),
    ("e.asleep", "Memory, asleep", ""),
)
VERDICTS = ("MISSED", "reached", "aim")  # worst first
PLOTS = {
    "launches.svg": "How long a launch takes",
    "requests.svg": "What a request gains in time, by the length of its body",
    "begins.svg": "When the last of many streams begin",
    "streams.svg": "What comes through of many streams",
    "memory.svg": "Memory",
    "where.svg": "Where a request's processor time goes",
    "growth.svg": "Memory over ten thousand requests",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that was measured in one run."""

    machine: Machine
    rounds: int
    rows: tuple[Measured, ...]

    def as_json(self) -> str:
        """The run with every sample."""
        document = {
            "machine": self.machine._asdict(),
            "rounds": self.rounds,
            "stock": SAID,
            "rows": [row.as_data() for row in self.rows],
        }
        return json.dumps(document, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Run:
        """Read the run that `as_json` has written."""
        document: Mapping[str, Any] = json.loads(text)
        rows = tuple(Measured.from_data(row) for row in document["rows"])
        return cls(machine=Machine(**document["machine"]), rounds=document["rounds"], rows=rows)


def legend(rounds: int) -> str:
    """Return how to read the table."""
    return f"""\
Median (smallest-largest) of {rounds} rounds (c: twice as many, d: five times as many; e, i: two at
most; j.memory, k, p: one), all sides in turn in one run; the upstreams answer at once, no network
but loopback. FIGURE is ours / other; in rows a and d ours - other; without other, ours. In row h a
sample is the median of a round's requests, less what the upstream takes when it is asked directly.
{SAID}.
"""


def write_documents(run: Run, root: Path = REPOSITORY) -> list[Path]:
    """Write everything into the working copy; return the files.

    The results of another run that were there are kept as the run before.
    """
    folder = root / FOLDER.relative_to(REPOSITORY)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = draw_all(run.rows, run.machine.line())
    files = {folder / name: text for name, text in drawn.items()}
    files[folder / RUN.name] = run.as_json()
    last, before = (read_run(folder / path.name) for path in (RUN, BEFORE))
    if last and last != run:
        files[folder / BEFORE.name] = last.as_json()
        before = last
    blocks = {"bench": main_block(run), "bench-plots": plots_block(drawn)}
    blocks["bench-held"] = held_block(run, before)
    blocks |= {"bench-where": where_block(run.rows), "bench-short": short_block(run)}
    for document in (DOCUMENT, README):
        path = root / document.relative_to(REPOSITORY)
        text = path.read_text(encoding="utf-8")
        for name, inner in blocks.items():
            text = with_block(text, name, inner)
        files[path] = text
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return sorted(files)


def read_run(path: Path) -> Run | None:
    """The run in a file, if there is one."""
    return Run.from_json(path.read_text(encoding="utf-8")) if path.exists() else None


def held_block(run: Run, before: Run | None) -> str:
    """Return each figure with a target: in this run and in the one before."""
    earlier = {row.row.key: row for row in before.rows} if before else {}
    lines = [("", "this run", "another run", "reach", "aim", ""), ("---", *["--:"] * 4, "---")]
    for row in run.rows:
        what, reach, aim = row.row, row.row.reach, row.row.aim
        if reach is None:
            continue
        unit = "" if what.kind is Kind.RATIO else what.unit
        told = earlier.get(what.key)
        worst = min((one.verdict for one in (row, told) if one), key=VERDICTS.index)
        figures = [None if one is None else one.figure for one in (row, told)]
        numbers = ("" if n is None else amount(n, unit) for n in (*figures, reach, aim))
        lines.append((what.name, *numbers, worst))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_block(text: str, name: str, inner: str) -> str:
    """Return the text with a block replaced; unchanged if it has no such block."""
    marks = re.compile(rf"(<!-- generated: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    return marks.sub(lambda found: f"{found[1]}{inner}{found[2]}", text)


def main_block(run: Run) -> str:
    """Return the circumstances, every row except the profile's, and how to read them."""
    rows = [row for row in run.rows if not row.row.key.startswith("p.")]
    return f"{run.machine.text()}\n{show_markdown(rows)}\n{legend(run.rounds)}"


def plots_block(drawn: Mapping[str, str]) -> str:
    """The plots that there are."""
    return "".join(f"![{said}](bench/{name})\n\n" for name, said in PLOTS.items() if name in drawn)


def where_block(rows: Sequence[Measured]) -> str:
    """Return the profile: a line per group, a column per route and instance, milliseconds."""
    cells: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.row.key.startswith("p."):
            place, _, group = row.row.name.rpartition(": ")
            cells.setdefault(group, {})[place] = row.figure
    places = list(dict.fromkeys(place for line in cells.values() for place in line))
    if not places:
        return "Not measured in the last run: `build/bench --all`.\n"
    lines = [("ms of a request", *places), ("---", *("--:" for _ in places))]
    for group, line in cells.items():
        lines.append((group, *(f"{line.get(place, 0):.1f}" for place in places)))
    totals = (sum(line.get(place, 0) for line in cells.values()) for place in places)
    lines.append(("all", *(f"{total:.1f}" for total in totals)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def short_block(run: Run) -> str:
    """The README's table."""
    by_key = {row.row.key: row for row in run.rows}
    lines = [("", "openclaude", "beside", ""), ("---", "--:", "--:", "---")]
    for key, question, other in SHORT:
        if key in by_key:
            ours, theirs = by_key[key].medians()
            unit = by_key[key].row.unit
            said = "" if theirs is None else amount(theirs, unit)
            lines.append((question, amount(ours, unit), said, other))
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{table}\n{run.machine.line()}; medians, both sides in one run.\n"
