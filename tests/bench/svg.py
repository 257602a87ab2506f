"""Plots as SVG text: bars beside each other, lines over an axis.

Knows: how to draw a plot that is readable on white and on black. Independent of: what the numbers
mean. Pure, and written by hand: a plotting library would be larger than everything it draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, log10
from xml.sax.saxutils import escape

WIDTH = 720
LEFT = 230  # space for the names of bars
LINE_LEFT = 70
RIGHT = 150  # space for the text beside a bar or line
TOP = 54
BAR = 18
GAP = 12
PLOT_HEIGHT = 240
BOTTOM = 48
COLOURS = ("#2a78d6", "#d9822b", "#7a5fc7", "#3c9d6b", "#8a8f98", "#c2497a")
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#555}.t{font-weight:600;font-size:14px}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its name, its length, the minimum and maximum, its side."""

    name: str
    value: float
    low: float
    high: float
    colour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its name and its points."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The label of an axis, and whether it is logarithmic."""

    name: str
    is_log: bool = False


def draw_bars(title: str, below: str, unit: str, bars: Sequence[Bar]) -> str:
    """Draw horizontal bars with their spread, starting at zero."""
    longest = max((bar.high for bar in bars), default=0) or 1
    scale = (WIDTH - LEFT - RIGHT) / longest
    parts = []
    for place, bar in enumerate(bars):
        y = TOP + place * (BAR + GAP)
        middle = y + BAR / 2
        parts += [
            label(LEFT - 8, middle + 4, bar.name, anchor="end"),
            f'<rect x="{LEFT}" y="{y}" width="{bar.value * scale:.1f}" height="{BAR}" '
            f'fill="{COLOURS[bar.colour % len(COLOURS)]}"/>',
            stroke([(LEFT + bar.low * scale, middle), (LEFT + bar.high * scale, middle)], "#888"),
            label(LEFT + bar.high * scale + 8, middle + 4, f"{short(bar.value)} {unit}".strip()),
        ]
    height = TOP + len(bars) * (BAR + GAP) + 24
    return document(title, below, height, parts)


def draw_lines(title: str, below: str, x_axis: Axis, y_axis: Axis, lines: Sequence[Line]) -> str:
    """Lines over an axis, each named at its end."""
    points = [point for line in lines for point in line.points]
    to_x = scaled([x for x, _ in points], x_axis, LINE_LEFT, WIDTH - RIGHT)
    to_y = scaled([y for _, y in points], y_axis, TOP + PLOT_HEIGHT, TOP)
    parts = [*marks(points, to_x, to_y, y_axis)]
    ends = spaced([to_y(line.points[-1][1]) for line in lines])
    for number, (line, end) in enumerate(zip(lines, ends, strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(stroke([(to_x(x), to_y(y)) for x, y in line.points], colour, width=2))
        parts.append(label(WIDTH - RIGHT + 8, end + 4, line.name, colour=colour))
    parts.append(label(LINE_LEFT, TOP - 12, y_axis.name))
    parts.append(label(WIDTH - RIGHT, TOP + PLOT_HEIGHT + 34, x_axis.name, anchor="end"))
    return document(title, below, TOP + PLOT_HEIGHT + BOTTOM + 16, parts)


class Scale:
    """Maps a value to a position."""

    def __init__(self, low: float, high: float, start: float, end: float, *, is_log: bool) -> None:
        self.low, self.high, self.is_log = low, high, is_log
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.is_log:
            low, high, value = log10(low), log10(high), log10(max(value, self.low))
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)


def scaled(values: Sequence[float], axis: Axis, start: float, end: float) -> Scale:
    """Return the scale of an axis: from zero, or from the smallest value if it is logarithmic."""
    high = max(values, default=1)
    if not axis.is_log:
        return Scale(0, high or 1, start, end, is_log=False)
    low = min((value for value in values if value > 0), default=1)
    return Scale(low, max(high, low), start, end, is_log=True)


def marks(
    points: Sequence[tuple[float, float]], to_x: Scale, to_y: Scale, y_axis: Axis
) -> Iterable[str]:
    """Draw a number below each point, and a grid line at each step."""
    for x in sorted({x for x, _ in points}):
        yield label(to_x(x), TOP + PLOT_HEIGHT + 16, short(x), anchor="middle")
    for y in steps(to_y.low, to_y.high, is_log=y_axis.is_log):
        yield stroke([(to_x.start, to_y(y)), (to_x.end, to_y(y))], "#8884")
        yield label(LINE_LEFT - 8, to_y(y) + 4, short(y), anchor="end")


def steps(low: float, high: float, *, is_log: bool) -> list[float]:
    """Return round numbers along an axis, about five or one for each power of ten."""
    if is_log:
        return [10.0**power for power in range(ceil(log10(low)), int(log10(high)) + 1)]
    size = 10 ** int(log10(high / 4)) if high >= 4 else 10 ** (int(log10(high / 4)) - 1)
    step = next(size * factor for factor in (1, 2, 5, 10, 20) if high / (size * factor) <= 6)
    return [step * number for number in range(int(high / step) + 1)]


def spaced(places: Sequence[float], least: float = 14) -> list[float]:
    """Return the same positions, moved down where two names would overlap."""
    found: dict[int, float] = {}
    last = float("-inf")
    for index in sorted(range(len(places)), key=lambda index: places[index]):
        last = max(places[index], last + least)
        found[index] = last
    return [found[index] for index in range(len(places))]


def short(value: float) -> str:
    """A number in few characters."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:.3g}M"
    if value >= 10_000:
        return f"{value / 1000:.3g}k"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"


def stroke(points: Iterable[tuple[float, float]], colour: str, *, width: float = 1) -> str:
    """Draw a line through some points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def label(x: float, y: float, said: str, *, anchor: str = "start", colour: str = "") -> str:
    """Draw text at a point."""
    style = f' style="fill:{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(said)}</text>'


def document(title: str, below: str, height: float, parts: Iterable[str]) -> str:
    """The whole file."""
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            f'role="img" aria-label="{escape(title, {chr(34): "&quot;"})}">',
            f"<style>{STYLE}</style>",
            f'<text x="8" y="22" class="t">{escape(title)}</text>',
            *parts,
            label(8, height - 8, below),
            "</svg>\n",
        )
    )
