"""What output is shown on: width, colours, `~`."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios
from collections.abc import Iterator
from typing import TextIO

import pytest

from openclaude.terminal.screen import BAD, FILE, find_screen, short_path

TERMINAL = {"TERM": "xterm-256color"}


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    """A pseudo-terminal of 97 columns."""
    leader, follower = os.openpty()
    resize(follower, 97)
    with os.fdopen(follower, "w", encoding="utf-8") as stream:
        yield stream
    os.close(leader)


def resize(descriptor: int, columns: int) -> None:
    """Tell a terminal its width."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


@pytest.mark.parametrize("columns", ["80", "200", "1", "-7", "0", "", "many", "９９", "9" * 400])
def test_a_terminal_knows_its_width_better_than_columns(terminal: TextIO, columns: str) -> None:
    assert find_screen(terminal, {**TERMINAL, "COLUMNS": columns}).width == 97


@pytest.mark.parametrize(
    ("columns", "width"),
    [
        *(("80", 80), ("200", 200), ("20", 20), ("19", 0), ("1001", 0), ("99999", 0)),
        *(("0", 0), ("-7", 0), ("", 0), ("many", 0), ("９９", 0), ("²", 0), ("9" * 400, 0)),
    ],
)
def test_a_pipe_has_the_width_of_a_sensible_columns_or_none(columns: str, width: int) -> None:
    assert find_screen(io.StringIO(), {"COLUMNS": columns}).width == width


def test_a_terminal_that_does_not_tell_has_80_columns_or_those_of_columns(
    terminal: TextIO,
) -> None:
    resize(terminal.fileno(), 0)

    assert find_screen(terminal, TERMINAL).width == 80
    assert find_screen(terminal, {**TERMINAL, "COLUMNS": "132"}).width == 132


def test_nothing_is_laid_out_in_fewer_than_20_columns(terminal: TextIO) -> None:
    resize(terminal.fileno(), 3)

    assert find_screen(terminal, TERMINAL).width == 20


@pytest.mark.parametrize(
    ("env", "colour", "moves"),
    [
        (TERMINAL, True, True),
        ({**TERMINAL, "NO_COLOR": "1"}, False, True),
        ({**TERMINAL, "NO_COLOR": ""}, True, True),
        ({**TERMINAL, "NO_COLOR": "1", "FORCE_COLOR": "1"}, False, True),
        ({**TERMINAL, "FORCE_COLOR": "0"}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, False),
    ],
)
def test_what_a_terminal_takes(
    terminal: TextIO, env: dict[str, str], colour: bool, moves: bool
) -> None:
    screen = find_screen(terminal, env)

    assert (screen.colour, screen.moves) == (colour, moves)


def test_a_pipe_gets_colours_only_when_they_are_forced() -> None:
    assert not find_screen(io.StringIO(), TERMINAL).colour
    assert find_screen(io.StringIO(), {**TERMINAL, "FORCE_COLOR": "1"}).colour
    assert not find_screen(io.StringIO(), {**TERMINAL, "FORCE_COLOR": "1"}).moves


def test_paint_adds_nothing_where_there_are_no_colours() -> None:
    assert FILE.paint("failed", BAD) == "failed"
    assert FILE._replace(colour=True).paint("failed", BAD) == "\x1b[31mfailed\x1b[0m"
    assert FILE._replace(colour=True).paint("fine", "") == "fine"


@pytest.mark.parametrize(
    ("path", "home", "short"),
    [
        ("/home/me/x/y.toml", "/home/me", "~/x/y.toml"),
        ("/home/me/x", "/home/me/", "~/x"),
        ("/home/me", "/home/me", "~"),
        ("/home/meredith/x", "/home/me", "/home/meredith/x"),
        ("/srv/home/me/x", "/home/me", "/srv/home/me/x"),
        ("/etc/x", "/", "/etc/x"),
        ("/etc/x", "", "/etc/x"),
        ("x/y", "x", "x/y"),
    ],
)
def test_a_path_below_the_home_begins_with_a_tilde(path: str, home: str, short: str) -> None:
    assert short_path(path, home) == short
