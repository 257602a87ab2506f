"""Long work shows itself: a line on a terminal, nothing anywhere else."""

from __future__ import annotations

import contextlib
import os
import pty
from collections.abc import Callable

import pytest

from openclaude.compile.plan import Plan
from tests.process.world import World

CLEARED = "\r\x1b[K"


def on_terminal(world: World, *arguments: str) -> tuple[str, str]:
    """What openclaude writes to stdout, and to a terminal that is its stderr."""
    ours, theirs = pty.openpty()
    with world.start(*arguments, stderr=theirs) as process:
        os.close(theirs)
        shown = bytearray()
        with contextlib.suppress(OSError):  # Linux says EIO when the other side has closed
            while part := os.read(ours, 4096):
                shown += part
        out, _ = process.communicate(timeout=30)
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
    assert "(1 s)" in shown
    assert shown.endswith(CLEARED)


def test_a_slow_restart_shows_itself(slow: World) -> None:
    slow.up()

    out, shown = on_terminal(slow, "restart", "--wait")

    assert out == "qwen: restarted\n"
    assert "qwen: starting main" in shown


def test_a_slow_stop_shows_itself(world: World) -> None:
    import http.client

    port = world.up()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    line.request("GET", "/stream?30")  # 1.5 s, which a stop waits for
    reply = line.getresponse()
    reply.readline()

    out, shown = on_terminal(world, "stop")

    line.close()
    assert out == "qwen: stopped\n"
    assert "qwen: stopping" in shown
    assert shown.endswith(CLEARED)


def test_what_is_quick_says_nothing(world: World) -> None:
    world.up()

    assert on_terminal(world, "start", "--wait")[1] == ""


def test_nothing_is_shown_where_nobody_watches(slow: World) -> None:
    assert slow.run("start", "--wait").err == ""
