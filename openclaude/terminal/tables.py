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
    lines = [[Cell(shown(column.title), HEAD) for column in columns]]
    lines += [[styled(cell) for cell in row] for row in rows]
    natural, least = measure(lines)
    if not screen.width or together(natural) <= screen.width:
        return "".join(f"{side_by_side(columns, line, natural, screen)}\n" for line in lines)
    return "\n".join(
        "".join(f"{line}\n" for line in band_text(columns, lines, band, screen))
        for band in split_bands(least, screen.width)
    )


def together(widths: Sequence[int]) -> int:
    """The width of columns side by side."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def styled(cell: str | Cell) -> Cell:
    """A cell without what a terminal would obey; a dash, which stands for nothing, is dim."""
    if isinstance(cell, str):
        return Cell(shown(cell), DIM if cell == DASH else "")
    return Cell(shown(cell.text), cell.style)


def shown(text: str) -> str:
    """Foreign text in one line, harmless."""
    if text.isprintable():
        return text
    return printable(text.replace("\n", " ").replace("\t", " "))


def split_bands(least: Sequence[int], width: int) -> Iterator[list[int]]:
    """The columns that stand side by side; the first one leads each band."""
    band = [0]
    for column in range(1, len(least)):
        if len(band) > 1 and together([least[one] for one in (*band, column)]) > width:
            yield band
            band = [0]
        band.append(column)
    yield band


def measure(lines: Sequence[Sequence[Cell]]) -> tuple[list[int], list[int]]:
    """How wide each column would like to be, and how wide it must be."""
    natural = [widest(cell.text for cell in column) for column in zip(*lines, strict=True)]
    titles = [text_width(cell.text) for cell in lines[0]]
    return natural, [
        min(wide, max(title, NARROW)) for wide, title in zip(natural, titles, strict=True)
    ]


def widest(texts: Iterable[str]) -> int:
    """The width of the widest text."""
    column = list(texts)
    plain = "".join(column).isascii()
    return max(map(len if plain else text_width, column))


def share(natural: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """The widths of columns side by side: the widest give way first, down to the least."""
    widths = list(natural)
    for _ in range(together(widths) - width):
        giving = max(range(len(widths)), key=lambda one: (widths[one] > least[one], widths[one]))
        if widths[giving] <= least[giving]:
            break
        widths[giving] -= 1
    return [min(wide, width) for wide in widths]


def band_text(
    columns: Sequence[Column], lines: Sequence[Sequence[Cell]], band: Sequence[int], screen: Screen
) -> Iterator[str]:
    """The lines of some columns, side by side; texts wrap."""
    beside = [columns[column] for column in band]
    picked = [[line[column] for column in band] for line in lines]
    widths = share(*measure(picked), screen.width)
    wrapped = [
        [wrap_text(cell.text, width) or [""] for cell, width in zip(line, widths, strict=True)]
        for line in picked
    ]
    # a wrapped column may have become narrower than its share
    widths = [widest(text for line in wrapped for text in line[at]) for at in range(len(band))]
    for line, texts in zip(picked, wrapped, strict=True):
        for at in range(max(map(len, texts))):
            cells = [
                Cell(parts[at] if at < len(parts) else "", cell.style)
                for parts, cell in zip(texts, line, strict=True)
            ]
            yield side_by_side(beside, cells, widths, screen)


def side_by_side(
    columns: Sequence[Column], cells: Sequence[Cell], widths: Sequence[int], screen: Screen
) -> str:
    """One line; a cell's colour covers its text alone."""
    parts = []
    for column, (text, style), width in zip(columns, cells, widths, strict=True):
        if (style and screen.colour) or not text.isascii():
            blank = " " * (width - text_width(text))
            coloured = screen.paint(text, style) if text else text
            parts.append(f"{blank}{coloured}" if column.right else f"{coloured}{blank}")
        else:  # nearly all
            parts.append(text.rjust(width) if column.right else text.ljust(width))
    return GAP.join(parts).rstrip(" ")


def paragraph(text: str, screen: Screen = FILE, indent: str = "") -> str:
    """`text` in lines that fit the screen, all but the first indented."""
    room = screen.width - text_width(indent)
    if not screen.width or room < NARROW:
        return text
    return f"\n{indent}".join(wrap_text(text, room))


def wrap_text(text: str, width: int) -> list[str]:
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
