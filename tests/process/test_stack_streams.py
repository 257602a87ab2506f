"""Streams outlive what happens to their stack: they end by themselves, unless it is stopped."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator

import pytest

from openclaude.contracts.plan import Plan
from tests.process.world import Stream, World, is_gone, is_whole, streaming, until

MANY = 60  # lines, one every 50 ms: several times what a stream gets when its stack is stopped
GRACE = {"STUB_GRACE_S": "0.3"}
LATER = "9.9.9"


@pytest.fixture
def brief(empty_world: World, plan: Callable[..., Plan]) -> World:
    """A world whose units give streams little time when they are told to end."""
    empty_world.patch_supervisor(
        "from openclaude.run.supervisor import unit_processes\nunit_processes.STOP_TIMEOUT_S = 2.0"
    )
    empty_world.keep(plan(main=GRACE, providers=GRACE))
    return empty_world


@pytest.fixture
def stream(brief: World) -> Iterator[Stream]:
    """A stream of its main."""
    port = brief.up()
    with streaming(port, brief.home) as one:
        until(lambda: brief.units()["main"]["in_flight"] == 1)
        yield one


def restart(world: World, _: Callable[..., Plan]) -> None:
    """`openclaude restart`."""
    assert world.run("restart", "--wait").status == 0


def reload(world: World, plan: Callable[..., Plan]) -> None:
    """An edited profile."""
    world.keep(plan(main={**GRACE, "MARK": "changed"}))
    assert world.run("start", "--wait").status == 0


def take_over(world: World, _: Callable[..., Plan]) -> None:
    """Another version of openclaude, whose launch finds the stack of this one."""
    cache = world.cache / "plans" / "qwen.plain.json"
    cache.write_text(json.dumps({**json.loads(cache.read_text()), "made_by": LATER}))
    world.patch_client(f"import openclaude\nopenclaude.__version__ = {LATER!r}")
    assert world.run("start", "--wait").status == 0


HOW = [restart, reload, take_over]


def goes_on(stream: Stream) -> list[bytes]:
    """Return the lines of a stream for a while."""
    return [stream.reply.readline().rstrip(b"\n") for _ in range(MANY)]


@pytest.mark.parametrize("how", HOW, ids=lambda one: one.__name__)
def test_a_stream_ends_by_itself_although_its_stack_was_replaced(
    brief: World,
    plan: Callable[..., Plan],
    stream: Stream,
    how: Callable[[World, Callable[..., Plan]], None],
) -> None:
    old, supervisor = brief.units()["main"]["pid"], brief.record()["pid"]

    how(brief, plan)

    lines = goes_on(stream)
    assert brief.units()["main"]["pid"] != old
    assert is_whole(stream, [*lines, *stream.finish()])
    until(lambda: is_gone(old))
    if how is take_over:
        until(lambda: is_gone(supervisor))


@pytest.mark.parametrize("how", HOW, ids=lambda one: one.__name__)
def test_a_stop_gives_streams_of_a_replaced_unit_no_more_than_their_grace(
    brief: World,
    plan: Callable[..., Plan],
    stream: Stream,
    how: Callable[[World, Callable[..., Plan]], None],
) -> None:
    how(brief, plan)

    assert brief.run("stop").status == 0

    assert brief.processes() == []
    with pytest.raises(http.client.HTTPException):  # IncompleteRead: it was cut
        stream.reply.read()


def test_a_replaced_unit_that_says_nothing_any_more_is_killed(
    empty_world: World, plan: Callable[..., Plan]
) -> None:
    world = empty_world
    world.patch_supervisor(
        "from openclaude.run.supervisor import unit_processes\n"
        "unit_processes.HANG_TIMEOUT_S = 0.5"  # shorter than the time between two heartbeats
    )
    world.keep(plan())
    port = world.up()
    with streaming(port, world.home):
        until(lambda: world.units()["main"]["in_flight"] == 1)
        old = world.units()["main"]["pid"]
        world.run("restart")
        until(lambda: is_gone(old))

    log = (world.folder() / "supervisor.log").read_text()
    assert f"kill main (draining, pid {old}): it sent no heartbeat" in log
