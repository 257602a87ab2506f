"""Progress of long work, on each kind of terminal."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from openclaude import output
from openclaude.output import CLEARED, progress


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 80 columns, and work that is long from its first moment."""
    terminal = Terminal()
    # pytest puts its own stderr back when the test itself begins
    monkeypatch.setattr(output, "sys", SimpleNamespace(stderr=terminal))
    monkeypatch.setattr(output, "PROGRESS_AFTER_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    return terminal


def test_a_line_is_written_over_itself_and_cleared(stderr: Terminal) -> None:
    with progress("asking") as say:
        say("haiku")
        say("sonnet")

    shown = f"{CLEARED}asking haiku (0 s){CLEARED}asking sonnet (0 s){CLEARED}"
    assert stderr.getvalue() == shown


def test_a_terminal_that_only_prints_gets_one_line_that_stays(
    stderr: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")

    with progress("asking") as say:
        say("haiku")
        say("sonnet")

    assert stderr.getvalue() == "asking ...\n"


def test_a_line_never_wraps_though_its_letters_are_wide(stderr: Terminal) -> None:
    with progress("日本語" * 30) as say:
        say("")

    line = stderr.getvalue().split(CLEARED)[1]
    assert len(line) == 39  # two columns for each, and one column that stays free


def test_what_a_terminal_would_obey_is_not_obeyed(stderr: Terminal) -> None:
    with progress("asking \x1b]0;title\x07") as say:
        say("")

    assert "\x1b]" not in stderr.getvalue()


def test_nothing_is_shown_where_no_terminal_is(
    stderr: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stderr, "isatty", lambda: False)

    with progress("asking") as say:
        say("haiku")

    assert stderr.getvalue() == ""
