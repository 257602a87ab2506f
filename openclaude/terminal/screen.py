"""What the output is shown on: its width, whether it takes colours, which folder is `~`.

Knows: terminals, NO_COLOR, FORCE_COLOR, TERM, COLUMNS. Independent of: what is shown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO, NamedTuple

NARROWEST = 20  # columns; nothing can be laid out in fewer
WIDEST = 1000  # a wider COLUMNS is a mistake
USUAL = 80

# Colours say how something is, and are the terminal's own sixteen: they suit its background.
GOOD, BAD, WARNING, DIM, HEAD = "32", "31", "33", "2", "1"


class Screen(NamedTuple):
    """What stdout or stderr is; by default a file, which takes lines of any length."""

    width: int = 0  # columns; 0: lines are as long as they are
    colour: bool = False
    moves: bool = False  # a terminal that can clear lines and switch screens
    home: str = ""  # shown as `~`

    def paint(self, text: str, style: str) -> str:
        """`text` in a style, where colours are on."""
        return paint(text, style, colour=self.colour and bool(style))

    def path(self, path: object) -> str:
        """A path for people: below the home it begins with `~`."""
        return short_path(str(path), self.home)


FILE = Screen()


def find_screen(stream: IO[str], env: Mapping[str, str]) -> Screen:
    """What a stream is shown on.

    A terminal knows its own width better than COLUMNS, which is that of the shell's start; what is
    no terminal has the width that COLUMNS asks for, or none.
    """
    is_terminal = stream.isatty()
    width = (width_of(stream) or asked_width(env) or USUAL) if is_terminal else asked_width(env)
    return Screen(
        width=max(width, NARROWEST) if width else 0,
        colour=wants_colour(stream, env),
        moves=is_terminal and not is_dumb(env),
        home=env.get("HOME", ""),
    )


def width_of(stream: IO[str]) -> int:
    """The columns of the stream's terminal; 0 if it does not tell."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


def asked_width(env: Mapping[str, str]) -> int:
    """The columns that COLUMNS asks for; 0 if it asks for none, or for nonsense."""
    text = env.get("COLUMNS", "")
    width = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return width if NARROWEST <= width <= WIDEST else 0


def is_dumb(env: Mapping[str, str]) -> bool:
    """Whether the terminal only prints, as those of editors and old printers do."""
    return env.get("TERM", "dumb") in {"", "dumb"}


def wants_colour(stream: IO[str], env: Mapping[str, str]) -> bool:
    """Colour per stream: NO_COLOR, FORCE_COLOR, TERM=dumb, then whether it is a terminal."""
    if env.get("NO_COLOR"):
        return False
    if forced := env.get("FORCE_COLOR"):
        return forced not in {"0", "false"}
    return env.get("TERM") != "dumb" and stream.isatty()


def paint(text: str, code: str, *, colour: bool) -> str:
    """`text` in the ANSI style `code` where colour is on."""
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def short_path(path: str, home: str) -> str:
    """`path` with `~` in place of the home directory; any other path as it is."""
    home = home.rstrip("/")
    if not home.startswith("/"):
        return path
    if path == home:
        return "~"
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path
