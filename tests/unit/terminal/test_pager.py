"""Long output in a pager: when, and what becomes of it if the pager does not do its part."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from openclaude.terminal.pager import pager_for, show_in_pager
from tests.unit.terminal.test_screen import resize

TERMINAL = {"TERM": "xterm", "PATH": os.environ["PATH"]}
LONG = "a line\n" * 500


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    """A pseudo-terminal of 24 lines."""
    leader, follower = os.openpty()
    resize(follower, 80)
    with os.fdopen(follower, "w", encoding="utf-8") as stream:
        yield stream
    os.close(leader)


@pytest.mark.parametrize(
    ("text", "env", "pager"),
    [
        (LONG, TERMINAL, "less"),
        (LONG, {**TERMINAL, "PAGER": "more -s"}, "more -s"),
        (LONG, {**TERMINAL, "PAGER": "cat"}, ""),
        (LONG, {**TERMINAL, "PAGER": " "}, ""),
        (LONG, {**TERMINAL, "TERM": "dumb"}, ""),
        ("a line\n" * 23, TERMINAL, ""),
        ("a line\n" * 24, TERMINAL, "less"),
    ],
)
def test_only_what_does_not_fit_on_a_terminal_is_paged(
    terminal: TextIO, text: str, env: dict[str, str], pager: str
) -> None:
    assert pager_for(text, terminal, env) == pager


def test_a_pipe_is_never_paged() -> None:
    assert pager_for(LONG, io.StringIO(), TERMINAL) == ""


@pytest.mark.reaches_out
def test_the_pager_gets_the_text_and_less_its_options(tmp_path: Path) -> None:
    out = tmp_path / "a file"

    done = show_in_pager(LONG, f"cat > '{out}'; echo $LESS $LV >> '{out}'", TERMINAL)

    assert done
    assert out.read_text() == f"{LONG}FRX -c\n"


@pytest.mark.reaches_out
def test_options_of_the_user_for_less_win(tmp_path: Path) -> None:
    out = tmp_path / "out"

    show_in_pager("", f"echo $LESS > {out}", {**TERMINAL, "LESS": "-i"})

    assert out.read_text() == "-i\n"


@pytest.mark.reaches_out
def test_a_pager_that_ends_early_is_no_failure() -> None:
    assert show_in_pager(LONG * 1000, "true", TERMINAL)


@pytest.mark.reaches_out
@pytest.mark.parametrize("pager", ["no-such-pager 2>/dev/null", "/ 2>/dev/null"])
def test_a_pager_that_is_missing_leaves_the_text_to_us(pager: str) -> None:
    assert not show_in_pager(LONG, pager, TERMINAL)


@pytest.mark.reaches_out
def test_ctrl_c_is_the_pagers_and_ours_again_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)

    # the terminal sends it to the whole group
    assert show_in_pager(LONG, "kill -INT $PPID; true", TERMINAL)

    assert signal.getsignal(signal.SIGINT) is before
