"""Screens of a terminal as one animated SVG: each is shown for some seconds, then the next one.

Knows: SVG, and colours as terminals have them (rich reads the escape sequences). Independent of:
what was recorded. The picture needs nothing from elsewhere: no script, no font, no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DIMMED_MONOKAI as THEME
from rich.text import Text

FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
BACKGROUND, FOREGROUND, FRAME = "#16181d", "#d7dae0", "#2b2f38"
CELL, LINE, SIZE = 8.4, 18, 14  # pixels: width of a letter, height of a line, size of the font
WIDE = "\u00a0"  # a blank that nobody joins with the next one
EDGE, TOP = 16, 40  # pixels around the screen


class Screen(NamedTuple):
    """One picture of the terminal."""

    text: str  # with escape sequences
    seconds: float


def draw(title: str, screens: Sequence[Screen], *, columns: int) -> str:
    """Return the SVG; `columns` are the terminal's. It is as high as the fullest screen."""
    lines = max(len(screen.text.rstrip().split("\n")) for screen in screens)
    width, height = columns * CELL + 2 * EDGE, lines * LINE + TOP + EDGE
    whole = sum(screen.seconds for screen in screens)
    styles, groups, at = [], [], 0.0
    for number, screen in enumerate(screens):
        begin, at = at, at + screen.seconds
        styles.append(keyframes(number, 100 * begin / whole, 100 * at / whole, whole))
        groups.append(f'<g class="s s{number}">{"".join(rows(screen.text, lines))}</g>')
    dots = "".join(
        f'<circle cx="{EDGE + 6 + 18 * n}" cy="20" r="5" fill="{FRAME}"/>' for n in range(3)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="{escape(title)}">'
        f"<style>text{{font:{SIZE}px {FONT};white-space:pre;fill:{FOREGROUND}}}"
        f".s{{opacity:0}}{''.join(styles)}"
        # who wants no motion sees the last screen
        f"@media(prefers-reduced-motion:reduce){{.s{{animation:none}}"
        f".s{len(screens) - 1}{{opacity:1}}}}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>{dots}'
        f'<text x="{width / 2:.0f}" y="25" text-anchor="middle">{escape(title)}</text>'
        f'<g transform="translate({EDGE},{TOP})">{"".join(groups)}</g></svg>\n'
    )


def keyframes(number: int, begin: float, end: float, seconds: float) -> str:
    """Show the screen between two shares of the time, in percent."""
    steps = f"{begin:.2f}%{{opacity:1}}{end:.2f}%{{opacity:0}}"
    start = "" if begin == 0 else "0%{opacity:0}"
    return (
        f"@keyframes k{number}{{{start}{steps}}}"
        f".s{number}{{animation:k{number} {seconds:.1f}s step-end infinite}}"
    )


def rows(text: str, lines: int) -> list[str]:
    """The SVG of each line that has something on it."""
    found = []
    for number, line in enumerate(text.split("\n")[:lines]):
        drawn = Text.from_ansi(line.rstrip())
        parts = list(parts_of(drawn))
        if parts:
            found.append(row(parts, number))
    return found


def parts_of(line: Text) -> list[tuple[str, Style]]:
    """The pieces of a line that look the same."""
    console = Console(width=1000, color_system="truecolor", legacy_windows=False)
    return [
        (segment.text, segment.style or Style())
        for segment in line.render(console)
        if segment.text and segment.text != "\n"
    ]


def row(parts: Sequence[tuple[str, Style]], number: int) -> str:
    """One line: backgrounds, then letters, each piece at its own column."""
    back, letters, column = [], [], 0
    for text, style in parts:
        wide = cell_len(text)
        x, y = column * CELL, number * LINE
        ink, ground = colours(style)
        if ground:
            back.append(
                f'<rect x="{x:.1f}" y="{y}" width="{wide * CELL:.1f}" height="{LINE}" '
                f'fill="{ground}"/>'
            )
        if shown := text.strip():
            # as wide as in a terminal, whatever the font that is found; blanks at its ends are
            # not drawn by everything
            begin = x + (wide - cell_len(text.lstrip())) * CELL
            words = escape(shown).replace(" ", WIDE)
            letters.append(
                f'<text x="{begin:.1f}" y="{y + SIZE}" textLength="{cell_len(shown) * CELL:.1f}" '
                f'lengthAdjust="spacingAndGlyphs"{look(style, ink)}>{words}</text>'
            )
        column += wide
    return "".join([*back, *letters])


def colours(style: Style) -> tuple[str, str]:
    """The colour of the letters and of what is behind them; "" for the terminal's own."""
    ink = style.color.get_truecolor(THEME).hex if style.color else ""
    ground = style.bgcolor.get_truecolor(THEME, foreground=False).hex if style.bgcolor else ""
    if style.color and style.color.is_default:
        ink = ""
    if style.bgcolor and style.bgcolor.is_default:
        ground = ""
    return (ground or BACKGROUND, ink or FOREGROUND) if style.reverse else (ink, ground)


def look(style: Style, ink: str) -> str:
    """The attributes of a piece of text."""
    weight = ' font-weight="bold"' if style.bold else ""
    faint = ' opacity="0.6"' if style.dim else ""
    return f"{weight}{faint}" + (f' style="fill:{ink}"' if ink else "")
