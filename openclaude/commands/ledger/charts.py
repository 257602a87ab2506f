"""Charts as SVG text for the page of `usage --html`: stacked columns by day, bars by name.

Knows: how to draw what is readable on white and on black, and as wide as a window. Independent of:
what is counted. Every text is escaped here. Pure, and without a library: one would be larger than
all that it draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import floor, log10
from typing import NamedTuple

WIDTH = 860
LEFT, RIGHT, TOP, HEIGHT, BELOW = 64, 8, 10, 180, 26  # of a chart by day
NAMES, ROW = 270, 26  # of a chart by name: space for the names, and height of a row
VALUES = 150  # space for the text behind a bar
LINES = 4
MOST_LABELS = 8
LONGEST = 35  # letters of a name
COLOURS = 5  # classes c0, c1 ... of the style sheet
Shown = Callable[[float], str]


class NamedBar(NamedTuple):
    """One bar: its name, its length, where a mark is drawn, and what is written behind it."""

    name: str
    value: float
    mark: float | None
    text: str


def by_day(days: Sequence[str], values: Mapping[str, Sequence[float]], shown: Shown) -> str:
    """Stacked columns, one for each day; `values` has a list for each name, as long as `days`."""
    sums = [sum(column) for column in zip(*values.values(), strict=True)]
    top = rounded_up(max(sums, default=0.0))
    step = (WIDTH - LEFT - RIGHT) / max(len(days), 1)
    thick = min(step * 0.8, 60.0)
    parts = grid(top, shown)
    for place, day in enumerate(days):
        x, y = LEFT + step * place + (step - thick) / 2, TOP + HEIGHT * 1.0
        for number, (name, column) in enumerate(values.items()):
            tall = HEIGHT * column[place] / top
            if not tall:
                continue
            y -= tall
            said = f"{day}: {name} {shown(column[place])}"
            parts.append(
                f'<rect class="c{number % COLOURS}" x="{x:.1f}" y="{y:.1f}" width="{thick:.1f}"'
                f' height="{tall:.1f}"><title>{escape(said)}</title></rect>'
            )
    every = -(-len(days) // MOST_LABELS)
    for place, day in list(enumerate(days))[::every] if every else ():
        x = LEFT + step * (place + 0.5)
        parts.append(label(x, TOP + HEIGHT + 18, day[5:], "middle"))
    return drawn(TOP + HEIGHT + BELOW, parts)


def grid(top: float, shown: Shown) -> list[str]:
    """The horizontal lines of a chart and their values."""
    parts = []
    for number in range(LINES + 1):
        y = TOP + HEIGHT - HEIGHT * number / LINES
        kind = "axis" if number == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(label(LEFT - 8, y + 4, shown(top * number / LINES), "end"))
    return parts


def by_name(bars: Sequence[NamedBar], colour: int = 0) -> str:
    """Horizontal bars, each with its name in front and its text behind."""
    largest = max((max(bar.value, bar.mark or 0) for bar in bars), default=0.0) or 1.0
    scale = (WIDTH - NAMES - VALUES) / largest
    parts = []
    for place, bar in enumerate(bars):
        y = place * ROW
        parts.append(label(NAMES - 10, y + 17, shortened(bar.name, LONGEST), "end", bar.name))
        wide = max(bar.value * scale, 1.0 if bar.value else 0.0)
        parts.append(
            f'<rect class="c{colour}" x="{NAMES}" y="{y + 4}" width="{wide:.1f}" height="{ROW - 8}"'
            ' rx="2"/>'
        )
        end = wide
        if bar.mark is not None:
            end = max(end, bar.mark * scale)
            middle = y + ROW / 2
            parts.append(
                f'<path class="mark" d="M{NAMES + wide:.1f} {middle}H{NAMES + end:.1f}m0 -5v10"/>'
            )
        parts.append(label(NAMES + end + 8, y + 17, bar.text, "start"))
    return drawn(len(bars) * ROW + 4, parts)


def label(x: float, y: float, text: str, anchor: str, title: str = "") -> str:
    """A text at a place."""
    tip = f"<title>{escape(title)}</title>" if title and title != text else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}{tip}</text>'


def drawn(height: float, parts: Sequence[str]) -> str:
    """A drawing that is as wide as its place."""
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img">{"".join(parts)}</svg>'


def shortened(text: str, longest: int) -> str:
    """A text whose middle is left out where it is too long."""
    if len(text) <= longest:
        return text
    front = (longest - 1) // 2
    return f"{text[:front]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - (longest - 1 - front) :]}"


def rounded_up(value: float) -> float:
    """The next larger 1, 2, 4, 5 or 8 times a power of ten: a quarter of it is a round number."""
    if value <= 0:
        return 1.0
    power: float = 10.0 ** floor(log10(value))
    return next((step * power for step in (1, 2, 4, 5, 8) if value <= step * power), 10 * power)
