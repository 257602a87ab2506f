"""The results of a benchmark: samples of one or two sides, the figure made from them, the table.

Knows: medians, ratios, targets. Independent of: how anything is measured. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from statistics import median
from typing import Any

from openclaude.terminal.tables import table

HEADER = ("ROW", "WHAT", "OURS", "OTHER", "FIGURE", "REACH", "AIM", "")
Samples = dict[str, list[float]]


class Kind(Enum):
    """How the samples of a row become one figure."""

    RATIO = "median of ours / median of the other"
    DIFFERENCE = "median of ours - median of the other"
    VALUE = "median of ours"
    WORST = "the largest of ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; without `reach` (the target) it is shown for orientation."""

    key: str  # the part before the dot is what `--rows` selects
    name: str
    kind: Kind
    unit: str  # of the samples: s, ms, MB, or "" for a count
    reach: float | None = None
    aim: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A row with its samples."""

    row: Row
    ours: tuple[float, ...]
    other: tuple[float, ...] = ()

    @property
    def figure(self) -> float:
        """Return the figure that is compared with the target."""
        match self.row.kind:
            case Kind.RATIO:
                return median(self.ours) / median(self.other)
            case Kind.DIFFERENCE:
                return median(self.ours) - median(self.other)
            case Kind.VALUE:
                return median(self.ours)
            case Kind.WORST:
                return max(self.ours)

    def medians(self) -> tuple[float, float | None]:
        """Return our median and, if there is another side, the other's."""
        return median(self.ours), median(self.other) if self.other else None

    @property
    def verdict(self) -> str:
        """Return how the figure compares with the target; empty if there is none."""
        if self.row.reach is None:
            return ""
        if self.figure > self.row.reach:
            return "MISSED"
        return "aim" if self.row.aim is not None and self.figure <= self.row.aim else "reached"

    def as_data(self) -> dict[str, Any]:
        """The row as JSON."""
        row = self.row
        return {
            "row": row.key,
            "name": row.name,
            "unit": row.unit,
            "figure": self.figure,
            "figure_is": row.kind.value,
            "reach": row.reach,
            "aim": row.aim,
            "verdict": self.verdict,
            "ours": list(self.ours),
            "other": list(self.other),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Measured:
        """Return the row that `as_data` has written."""
        row = Row(
            key=data["row"],
            name=data["name"],
            kind=Kind(data["figure_is"]),
            unit=data["unit"],
            reach=data["reach"],
            aim=data["aim"],
        )
        return cls(row=row, ours=tuple(data["ours"]), other=tuple(data["other"]))

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        row = self.row
        unit = "" if row.kind is Kind.RATIO else row.unit
        return (
            row.key,
            row.name,
            spread(self.ours, row.unit),
            spread(self.other, row.unit),
            amount(self.figure, unit),
            "" if row.reach is None else amount(row.reach, unit),
            "" if row.aim is None else amount(row.aim, unit),
            self.verdict,
        )


def row(
    kind: Kind,
    key: str,
    name: str,
    unit: str,
    *,
    reach: float | None = None,
    aim: float | None = None,
) -> Row:
    """A row in one line."""
    return Row(key=key, name=name, kind=kind, unit=unit, reach=reach, aim=aim)


ratio = partial(row, Kind.RATIO)
difference = partial(row, Kind.DIFFERENCE)
value = partial(row, Kind.VALUE)
worst = partial(row, Kind.WORST)


def side(name: str, measure: Callable[[], float]) -> Callable[[], dict[str, float]]:
    """Measure one sample of a side."""
    return lambda: {name: measure()}


def interleave(rounds: int, *sides: Callable[[], Mapping[str, float]]) -> Samples:
    """Measure every side once per round.

    Each round starts with a different one, so that drift affects all equally. A side gives one
    sample or more, by name.
    """
    samples: Samples = {}
    for number in range(rounds):
        for turn in range(len(sides)):
            for name, value in sides[(number + turn) % len(sides)]().items():
                samples.setdefault(name, []).append(value)
    return samples


def less(samples: Samples, floor: str, *names: str) -> Samples:
    """Return the samples of these names, each minus the baseline of the same round."""
    return {
        name: [value - low for value, low in zip(samples[name], samples[floor], strict=True)]
        for name in names
    }


def measured(row: Row, samples: Samples, ours: str, other: str = "") -> Measured:
    """Return a row with the samples of these names."""
    against = tuple(samples[other]) if other else ()
    return Measured(row=row, ours=tuple(samples[ours]), other=against)


def amount(value: float, unit: str) -> str:
    """Return a number with its unit, rounded to its precision."""
    match unit:
        case "s" | "":
            number = f"{value:.0f}" if value == int(value) and not unit else f"{value:.2f}"
        case "ms" if value < 10:
            number = f"{value:.1f}"
        case _:
            number = f"{value:.0f}"
    return f"{number} {unit}".strip()


def spread(samples: Sequence[float], unit: str) -> str:
    """Median, smallest and largest."""
    if not samples:
        return ""
    low, middle, high = (f(samples) for f in (min, median, max))
    number = ".3f" if unit == "s" else ".0f" if unit in {"MB", ""} else ".1f"
    return f"{middle:{number}} ({low:{number}}-{high:{number}}) {unit}".strip()


def show(all_measured: Iterable[Measured]) -> str:
    """The table of a run."""
    return table(HEADER, [one.cells() for one in all_measured])


def show_markdown(all_measured: Iterable[Measured]) -> str:
    """Return the same table for the documentation."""
    rows = [HEADER, ("---",) * len(HEADER), *(one.cells() for one in all_measured)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def missed(all_measured: Iterable[Measured]) -> list[str]:
    """Return the rows that miss their target."""
    return [one.row.key for one in all_measured if one.verdict == "MISSED"]
