"""Which signals end a demo, what a second one changes, and how the demo's steps are displayed."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openclaude.commands.demo.signals import ENDING, DemoEnded, Signals, ended_by_signals
from openclaude.commands.demo.steps import Steps, find_steps


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Set the handlers as on a terminal: in a shell's background two of these signals are ignored.

    They are restored afterwards.
    """
    inherited = {number: signal.getsignal(number) for number in ENDING}
    before: dict[signal.Signals, Any] = dict.fromkeys(ENDING, signal.SIG_DFL)
    before[signal.SIGINT] = signal.default_int_handler
    for number, handler in before.items():
        signal.signal(number, handler)
    yield
    after = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in inherited.items():
        signal.signal(number, handler)
    assert after == before


def ending(work: Callable[[Signals], None]) -> BaseException | None:
    """Return how a demo ends that does `work`."""
    try:
        with ended_by_signals() as signals:
            work(signals)
    except (DemoEnded, KeyboardInterrupt) as end:
        return end
    return None


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT])
def test_a_signal_ends_the_demo_with_the_status_a_shell_shows_for_it(
    number: signal.Signals,
) -> None:
    def work(_signals: Signals) -> None:
        signal.raise_signal(number)
        pytest.fail("it went on")

    end = ending(work)

    assert isinstance(end, DemoEnded)
    assert end.message == f"the demo was stopped by {number.name}"
    assert end.exit_code == 128 + number


def test_ctrl_c_is_ctrl_c_as_for_every_command() -> None:
    assert isinstance(ending(lambda _: signal.raise_signal(signal.SIGINT)), KeyboardInterrupt)


def test_while_things_are_cleared_up_a_signal_only_counts() -> None:
    done = []

    def work(signals: Signals) -> None:
        signals.is_clearing = True
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        done.append(True)

    end = ending(work)

    assert done
    assert isinstance(end, DemoEnded)
    assert end.exit_code == 128 + signal.SIGTERM


def test_a_terminal_that_says_twice_that_it_closes_does_not_end_the_clearing_up() -> None:
    done = []

    def work(_signals: Signals) -> None:
        try:
            signal.raise_signal(signal.SIGHUP)
        finally:
            signal.raise_signal(signal.SIGHUP)
            done.append(True)

    assert isinstance(ending(work), DemoEnded)
    assert done


def test_a_second_ctrl_c_does() -> None:
    done = []

    def work(_signals: Signals) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    assert isinstance(ending(work), KeyboardInterrupt)
    assert not done


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals() as signals:
            signal.raise_signal(signal.SIGHUP)
        assert signals.seen == []
    finally:
        signal.signal(signal.SIGHUP, before)


# -- steps -----------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_without_a_terminal_each_step_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    steps = find_steps({"TERM": "xterm"})

    with steps.step("starting two LiteLLM instances") as note:
        note("- waiting for main")

    out, err = capsys.readouterr()
    assert (out, err) == ("", "demo: starting two LiteLLM instances\n")


@pytest.mark.parametrize(("term", "is_live"), [("xterm", True), ("dumb", False)])
def test_on_a_terminal_that_can_do_it_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, term: str, is_live: bool
) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())

    assert find_steps({"TERM": term}) == Steps(is_live=is_live)
