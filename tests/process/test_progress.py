"""Long operations show progress: a line on a terminal, nothing anywhere else."""

from __future__ import annotations

import contextlib
import os
import pty
import re
from collections.abc import Callable

import pytest

from openclaude.contracts.plan import Plan
from tests.process.world import World, streaming

CLEARED = "\r\x1b[K"


def on_terminal(
    world: World, *arguments: str, once: tuple[bytes, Callable[[], None]] | None = None
) -> tuple[str, str]:
    """Return openclaude's stdout, and its output on a terminal that is its stderr.

    An action may be run once the terminal shows a text.
    """
    ours, theirs = pty.openpty()
    with world.start(*arguments, stderr=theirs) as process:
        os.close(theirs)
        shown = bytearray()
        with contextlib.suppress(OSError):  # Linux reports EIO when the other side has closed
            while part := os.read(ours, 4096):
                shown += part
                if once and once[0] in shown:
                    once[1]()
        out, _ = process.communicate(timeout=120)
    os.close(ours)
    return world.plain(out), shown.decode()


@pytest.fixture
def slow(empty_world: World, plan: Callable[..., Plan]) -> World:
    """A world whose main takes a second and a half to start."""
    empty_world.keep(plan(main={"STUB_DELAY_S": "1.5"}))
    return empty_world


def test_a_slow_start_shows_what_it_waits_for_and_clears_it(slow: World) -> None:
    out, shown = on_terminal(slow, "start", "--wait")

    assert out.startswith("qwen: started on ")
    assert "qwen: starting main" in shown
    assert re.search(r"qwen: starting main[^\r]* \([1-9][0-9]* s\)", shown)
    assert shown.endswith(CLEARED)


def test_a_slow_restart_shows_itself(slow: World) -> None:
    slow.up()

    out, shown = on_terminal(slow, "restart", "--wait")

    assert out == "qwen: restarted\n"
    assert "qwen: starting main" in shown


def test_a_slow_stop_shows_itself(world: World) -> None:
    with streaming(world.up(), world.home) as stream:
        out, shown = on_terminal(world, "stop", once=(b"qwen: stopping", stream.gate.touch))

    assert out == "qwen: stopped\n"
    assert "qwen: stopping" in shown
    assert shown.endswith(CLEARED)


def test_what_is_quick_says_nothing(world: World) -> None:
    world.up()
    world.patch_client("from openclaude import output; output.PROGRESS_AFTER_S = 86_400")

    assert on_terminal(world, "start", "--wait")[1] == ""


def test_nothing_is_shown_where_nobody_watches(slow: World) -> None:
    assert slow.run("start", "--wait").err == ""


def test_setup_shows_that_it_asks_claude(world: World) -> None:
    world.executable("claude", "#!/bin/sh\nsleep 0.8\n")

    out, shown = on_terminal(world, "setup", "--yes")

    assert out.startswith("STATE ")
    assert "looking (1 s)" in shown
    assert shown.endswith(CLEARED)


def test_a_profile_that_takes_long_to_come_shows_itself(empty_world: World) -> None:
    empty_world.executable("git", "#!/bin/sh\nsleep 0.8\nexit 1\n")
    source = "git+https://127.0.0.1/profiles.git#mine.toml"

    _, shown = on_terminal(empty_world, "profiles", "import", source, "mine", "--yes")

    assert "fetching the profile (1 s)" in shown
    assert f"(1 s){CLEARED}" in shown
    assert "git cannot get" in shown
