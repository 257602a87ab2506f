"""A picture on the whole terminal, redrawn in place; what was on the screen comes back afterwards.

Knows: the alternate screen. Independent of: what is shown, keys.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

# with the cursor hidden, and long lines cut instead of continued in the next, which is taken
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_REST = "\x1b[H", "\x1b[K", "\x1b[J"
LEAST_ROWS = 3


@contextmanager
def whole_screen(stream: IO[str]) -> Iterator[Callable[[str], None]]:
    """Take the whole terminal; the block is given a function that shows a text.

    However the block ends, by SIGTERM too, the terminal is as it was.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    stream.write(ENTER)
    try:
        yield lambda text: show_whole(text, stream)
    finally:
        stream.write(LEAVE)
        stream.flush()
        signal.signal(signal.SIGTERM, before)


def show_whole(text: str, stream: IO[str]) -> None:
    """Show the lines that fit, and say how many more there are."""
    try:
        rows = os.get_terminal_size(stream.fileno()).lines
    except (OSError, ValueError):
        rows = 0
    lines = fitting(text.rstrip("\n").split("\n"), rows or 24)
    stream.write(HOME + "\n".join(f"{line}{CLEAR_LINE}" for line in lines) + CLEAR_REST)
    stream.flush()


def fitting(lines: list[str], rows: int) -> list[str]:
    """The lines that fit, the last of which counts the others."""
    room = max(rows, LEAST_ROWS)
    if len(lines) <= room:
        return lines
    return [*lines[: room - 1], f"... {len(lines) - room + 1} more lines"]
