"""Tables fit the screen and lose nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from openclaude.contracts.printable import printable
from openclaude.terminal.screen import BAD, FILE, GOOD
from openclaude.terminal.tables import Cell, Column, chop, paragraph, table, text_width, wrap_text

HEADER = (
    *("PROCESS", "STATE", "PORT", "PID", "FOR", "ACTIVE", "SERVED", "RESTARTS"),
    *("RSS", "PSS", "CPU"),
)
PROCESSES = [
    ("main", "ready", "4000", "1234567", "23h 59m", "2", "1843", "0", "213 MB", "120 MB", "9.3 s"),
    ("providers", "starting", "4001", "1234568", "3s", "0", "0", "1", "90 MB", "41 MB", "0.4 s"),
]
MODELS = [
    ("bedrock/qwen.qwen3-next-80b-a3b", "モデルの説明はとても長いので折り返す", "0.15"),
    ("openrouter/anthropic/claude-a-very-long-name-indeed:free", "👩‍👩‍👧 émile e\u0301mile", "-"),
    ("x", "", "1"),
]
WIDTHS = [60, 80, 120, 200]


def widths(text: str) -> list[int]:
    """Return how wide a terminal shows each line, as another library counts it."""
    return [wcswidth(line) for line in text.splitlines()]


def letters(text: str) -> str:
    """Return what is left without blanks and line ends."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("header", "rows"), [(HEADER, PROCESSES), (("MODEL", "WHAT", "$"), MODELS)]
)
def test_no_line_is_wider_than_the_screen(
    width: int, header: tuple[str, ...], rows: list[tuple[str, ...]]
) -> None:
    assert max(widths(table(header, rows, FILE._replace(width=width)))) <= width


def test_a_file_gets_one_line_for_each_row() -> None:
    assert len(table(HEADER, PROCESSES).splitlines()) == 3
    assert len(table(("MODEL", "WHAT", "$"), MODELS).splitlines()) == 4


def test_long_texts_wrap_inside_their_columns_behind_signs() -> None:
    rows = [("qwen", "bedrock/qwen.qwen3-next-80b-a3b", "a second text that is long", "4")]

    text = table(("NAME", "MODEL", "WHAT", "N"), rows, FILE._replace(width=40))

    assert text == (
        "NAME  MODEL          WHAT           N\n"
        "qwen  bedrock/qwen.  a second text  4\n"
        "      qwen3-next-    that is long\n"
        "      80b-a3b\n"
    )


def test_columns_that_do_not_fit_move_below_led_by_the_first_cell() -> None:
    text = table(HEADER, PROCESSES, FILE._replace(width=60))

    first, second = text.split("\n\n")
    assert first.splitlines()[0].split()[:3] == ["PROCESS", "STATE", "PORT"]
    assert [line.split()[0] for line in second.splitlines()] == ["PROCESS", "main", "providers"]
    shown = f"{first} {second}"
    for cell in (cell for row in PROCESSES for cell in row):
        assert cell in shown


def test_numbers_stand_to_the_right() -> None:
    text = table(("NAME", Column("COST", right=True)), [("a", "1"), ("b", "12345")])

    assert text == "NAME   COST\na         1\nb     12345\n"


def test_colour_covers_the_text_alone_and_counts_as_no_width() -> None:
    rows = [("main", Cell("ready", GOOD), "-"), ("providers", Cell("failed", BAD), "1")]
    plain = table(("A", "B", "C"), rows)

    coloured = table(("A", "B", "C"), rows, FILE._replace(colour=True))

    assert "\x1b[32mready\x1b[0m   " in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_what_a_terminal_would_obey_is_shown_as_an_escape() -> None:
    text = table(("A",), [("\x1b[2Jgone\u202e\rx",), ("two\nlines\tand",)])

    assert text == "A\n\\x1b[2Jgone\\u202e\\rx\ntwo lines and\n"


def test_a_table_without_rows_has_its_header() -> None:
    assert table(("A", "LONGER"), []) == "A  LONGER\n"


@given(st.lists(st.text(), max_size=3), st.integers(20, 200))
def test_whatever_a_cell_holds_its_letters_arrive_and_fit(texts: list[str], width: int) -> None:
    screen = FILE._replace(width=width)
    rows = [("key", text, "7") for text in texts]

    shown = table(("KEY", "TEXT", "N"), rows, screen)

    assert all(text_width(line) <= width for line in shown.splitlines())
    assert sorted(letters(shown)) == sorted(letters(table(("KEY", "TEXT", "N"), rows)))


@given(st.text().map(printable), st.integers(2, 40))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int) -> None:
    lines = wrap_text(text, width)

    assert letters("".join(lines)) == letters(text)
    assert all(text_width(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("日本語", 6),
        ("e\u0301", 1),
        ("👍🏽", 2),
        ("abc", 3),
        ("", 0),
        ("한글 ok", 7),
        ("❤\ufe0f", 2),
    ],
)
def test_a_letter_is_as_wide_as_a_terminal_shows_it(text: str, width: int) -> None:
    assert text_width(text) == width


def test_a_letter_is_not_cut_in_two() -> None:
    assert chop("日本語", 3) == ["日", "本", "語"]
    assert chop("e\u0301e\u0301", 1) == ["e\u0301", "e\u0301"]


def test_a_paragraph_hangs_behind_its_first_line() -> None:
    screen = FILE._replace(width=24)

    assert paragraph("fix: run the command again", screen, "  ") == "fix: run the command\n  again"
    assert paragraph("fix: run the command again") == "fix: run the command again"
