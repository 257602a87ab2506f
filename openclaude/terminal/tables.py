"""Tables and paragraphs that fit the screen: text wraps inside its column, nothing is cut off.

Knows: how wide letters are, how columns share a width. Independent of: what is shown.

rich has tables too: importing them costs a command 50 ms of CPU, and where columns do not fit, they
cut numbers in two. Of rich only the widths of letters are used (10 ms, and only for text beyond
ASCII).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from openclaude.contracts.printable import printable
from openclaude.terminal.screen import DIM, FILE, HEAD, Screen

GAP = "  "
NARROW = 12  # columns that a text keeps at least, before others move below
# a line may end behind a blank or behind one of these
BREAKS = re.compile(r"\s+|[^\s/.,;:@_=+-]*[/.,;:@_=+-]+|[^\s/.,;:@_=+-]+")
DASH = "-"


class Cell(NamedTuple):
    """A cell, and how it looks: GOOD, BAD, WARNING, DIM or HEAD."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column's title; numbers stand to the right."""

    title: str
    right: bool = False


Cells = Sequence[str | Cell]


def table(header: Sequence[str | Column], rows: Iterable[Cells], screen: Screen = FILE) -> str:
    """Columns two spaces apart, as wide as their cells, without trailing blanks.

    Where they do not fit on the screen, long texts wrap inside their columns; where that does not
    do, the last columns move below, each line led by its first cell again.
    """
    columns = [Column(one) if isinstance(one, str) else one for one in header]
    body = [[styled(cell) for cell in row] for row in rows]
    lines = [[Cell(shown(column.title), HEAD) for column in columns], *body]
    bands = list(split_bands(lines, screen.width))
    return "\n".join(
        "".join(f"{line}\n" for line in band_text(columns, lines, band, screen)) for band in bands
    )


def styled(cell: str | Cell) -> Cell:
    """A cell without what a terminal would obey; a dash, which stands for nothing, is dim."""
    text, style = (cell, "") if isinstance(cell, str) else cell
    return Cell(shown(text), style or (DIM if text == DASH else ""))


def shown(text: str) -> str:
    """Foreign text in one line, harmless."""
    return printable(text.replace("\n", " ").replace("\t", " "))


def split_bands(lines: Sequence[Sequence[Cell]], width: int) -> Iterator[list[int]]:
    """The columns that stand side by side; one band where all fit."""
    natural, least = measure(lines)
    band: list[int] = []
    for column in range(len(natural)):
        wanted = sum(least[one] + len(GAP) for one in [*band, column]) - len(GAP)
        if width and len(band) > 1 and wanted > width:
            yield band
            band = [0]
        band.append(column)
    yield band


def measure(lines: Sequence[Sequence[Cell]]) -> tuple[list[int], list[int]]:
    """How wide each column would like to be, and how wide it must be."""
    count = len(lines[0])
    natural = [max(text_width(line[column].text) for line in lines) for column in range(count)]
    titles = [text_width(cell.text) for cell in lines[0]]
    return natural, [
        min(wide, max(title, NARROW)) for wide, title in zip(natural, titles, strict=True)
    ]


def share(natural: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """The widths of columns side by side: the widest give way first, down to the least."""
    widths = list(natural)
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while width and excess > 0:
        widest = max(range(len(widths)), key=lambda one: (widths[one] > least[one], widths[one]))
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
        excess -= 1
    return widths


def band_text(
    columns: Sequence[Column], lines: Sequence[Sequence[Cell]], band: Sequence[int], screen: Screen
) -> Iterator[str]:
    """The lines of some columns, side by side."""
    picked = [[line[column] for column in band] for line in lines]
    widths = share(*measure(picked), screen.width)
    if screen.width and widths[0] > screen.width:
        widths[0] = screen.width
    wrapped = [
        [wrap(cell.text, width) or [""] for cell, width in zip(line, widths, strict=True)]
        for line in picked
    ]
    # a wrapped column may have become narrower than its share
    widths = [
        max(text_width(text) for line in wrapped for text in line[at]) for at in range(len(band))
    ]
    for line, texts in zip(picked, wrapped, strict=True):
        for at in range(max(map(len, texts))):
            yield stripped(
                padded(
                    Cell(parts[at] if at < len(parts) else "", cell.style),
                    width,
                    screen,
                    right=columns[column].right,
                )
                for parts, cell, width, column in zip(texts, line, widths, band, strict=True)
            )


def padded(cell: Cell, width: int, screen: Screen, *, right: bool) -> str:
    """A cell filled up to its width; its colour covers the text alone."""
    blank = " " * max(0, width - text_width(cell.text))
    text = screen.paint(cell.text, cell.style) if cell.text else ""
    return f"{blank}{text}" if right else f"{text}{blank}"


def stripped(parts: Iterable[str]) -> str:
    """The cells of a line, without blanks at its end."""
    return GAP.join(parts).rstrip(" ")


def paragraph(text: str, screen: Screen = FILE, indent: str = "") -> str:
    """`text` in lines that fit the screen, all but the first indented."""
    room = screen.width - text_width(indent)
    if not screen.width or room < NARROW:
        return text
    return f"\n{indent}".join(wrap(text, room))


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, broken behind blanks or signs if that does."""
    if width <= 0 or text_width(text) <= width:
        return [text]
    lines, line = [], ""
    for part in BREAKS.findall(text):
        # not the sum of both widths: signs that follow each other may share a place
        if text_width(line + part.rstrip()) > width:
            lines += [line.rstrip()] if line.strip() else []
            line = ""
        if not line and part.isspace() and lines:
            continue
        if text_width(part.rstrip()) > width:
            *whole, part = chop(part, width)
            lines += whole
        line += part
    return [*lines, line.rstrip()] if line.strip() else lines


def chop(text: str, width: int) -> list[str]:
    """`text` cut into pieces of at most `width` columns, between letters."""
    if text.isascii():
        return [text[at : at + width] for at in range(0, len(text), width)]
    from rich.cells import chop_cells

    return [piece for piece in chop_cells(text, width) if piece]


def text_width(text: str) -> int:
    """The columns that a text takes: two for a letter of Chinese, none for an accent."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
