"""The whole terminal is taken and given back."""

from __future__ import annotations

import io
import os
import signal

import pytest

from openclaude.terminal.whole_screen import (
    CLEAR_LINE,
    CLEAR_REST,
    ENTER,
    HOME,
    LEAVE,
    whole_screen,
)


def test_a_text_is_drawn_in_place_and_the_terminal_given_back() -> None:
    stream = io.StringIO()

    with whole_screen(stream) as show:
        show("one\ntwo\n")
        show("three\n")

    first = f"{HOME}one{CLEAR_LINE}\ntwo{CLEAR_LINE}{CLEAR_REST}"
    assert stream.getvalue() == f"{ENTER}{first}{HOME}three{CLEAR_LINE}{CLEAR_REST}{LEAVE}"


def test_what_does_not_fit_is_counted() -> None:
    stream = io.StringIO()

    with whole_screen(stream) as show:
        show("".join(f"line {number}\n" for number in range(40)))

    assert "line 22" in stream.getvalue()
    assert "line 23" not in stream.getvalue()
    assert "... 17 more lines" in stream.getvalue()


def test_ctrl_c_gives_the_terminal_back() -> None:
    stream = io.StringIO()

    with pytest.raises(KeyboardInterrupt), whole_screen(stream):
        raise KeyboardInterrupt

    assert stream.getvalue().endswith(LEAVE)


def test_sigterm_gives_the_terminal_back() -> None:
    stream = io.StringIO()
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(SystemExit) as ended, whole_screen(stream):
        os.kill(os.getpid(), signal.SIGTERM)

    assert ended.value.code == 143
    assert stream.getvalue().endswith(LEAVE)
    assert signal.getsignal(signal.SIGTERM) is before
