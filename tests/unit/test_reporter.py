"""What an instance tells the supervisor, and when."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from openclaude.run.instance import GATHER_S, Reporter

HTTP: dict[str, Any] = {"type": "http"}


def heard(doing: Callable[[Reporter], Any]) -> list[str]:
    """The lines that come out of the pipe while something is done."""
    out, into = os.pipe()

    async def run() -> None:
        await doing(Reporter(into))

    asyncio.run(run())
    os.close(into)
    with os.fdopen(out) as pipe:
        return pipe.read().splitlines()


async def nothing(*_: Any) -> None:
    """An application, and what it is called with."""


def test_the_first_request_is_told_at_once_and_the_rest_together() -> None:
    async def three(reporter: Reporter) -> None:
        app = reporter.counted(nothing)
        for _ in range(3):
            await app(HTTP, nothing, nothing)
        await asyncio.sleep(2 * GATHER_S)

    assert heard(three) == ["1 0", "0 3"]


def test_work_after_a_rest_is_told_at_once_again() -> None:
    async def two(reporter: Reporter) -> None:
        app = reporter.counted(nothing)
        await app(HTTP, nothing, nothing)
        await asyncio.sleep(2 * GATHER_S)
        await app(HTTP, nothing, nothing)

    assert heard(two) == ["1 0", "0 1", "1 1"]


def test_a_request_under_way_is_told_as_one() -> None:
    async def overlapping(reporter: Reporter) -> None:
        async def wait(*_: Any) -> None:
            await asyncio.sleep(2 * GATHER_S)

        app = reporter.counted(wait)
        await asyncio.gather(*(app(HTTP, nothing, nothing) for _ in range(2)))
        await asyncio.sleep(2 * GATHER_S)

    assert heard(overlapping) == ["1 0", "2 0", "0 2"]


def test_what_the_pipe_has_no_room_for_is_said_by_the_next_line() -> None:
    out, into = os.pipe()
    reporter = Reporter(into)
    filler = b"0 0\n" * 1024
    try:
        while os.write(into, filler):
            pass
    except BlockingIOError:
        reporter.tell()  # raises nothing
    os.read(out, 1 << 16)
    reporter.served = 7
    reporter.tell()

    assert os.read(out, 1 << 16).endswith(b"0 7\n")
    os.close(into)
    os.close(out)
