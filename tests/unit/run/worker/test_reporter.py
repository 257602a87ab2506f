"""What an instance reports to the supervisor, and when."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from openclaude.contracts.worker import ADMIT, WARN
from openclaude.run.worker import reporter
from openclaude.run.worker.reporter import Reporter

GATHER_S = 0.01
HTTP: dict[str, Any] = {"type": "http"}


@pytest.fixture(autouse=True)
def sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are collected only briefly; which timer is first does not depend on the length."""
    monkeypatch.setattr(reporter, "GATHER_S", GATHER_S)


def heard(doing: Callable[[Reporter], Any]) -> list[str]:
    """Return the lines that come out of the pipe while something is done."""
    out, into = os.pipe()

    async def run() -> None:
        await doing(Reporter(into))

    asyncio.run(run())
    os.close(into)
    with os.fdopen(out) as pipe:
        return pipe.read().splitlines()


async def nothing(*_: Any) -> None:
    """What an application is called with."""


async def admitting(scope: Any, *_: Any) -> None:
    """An application that admits every request."""
    scope[ADMIT]()


def test_the_first_request_is_told_at_once_and_the_rest_together() -> None:
    async def three(reporter: Reporter) -> None:
        app = reporter.counted(admitting)
        for _ in range(3):
            await app({**HTTP}, nothing, nothing)
        await asyncio.sleep(2 * GATHER_S)

    assert heard(three) == ["1 0", "0 3"]


def test_work_after_a_rest_is_told_at_once_again() -> None:
    async def two(reporter: Reporter) -> None:
        app = reporter.counted(admitting)
        await app({**HTTP}, nothing, nothing)
        await asyncio.sleep(2 * GATHER_S)
        await app({**HTTP}, nothing, nothing)

    assert heard(two) == ["1 0", "0 1", "1 1"]


def test_a_request_without_the_key_is_not_told_and_keeps_no_stack() -> None:
    async def refused(reporter: Reporter) -> None:
        await reporter.counted(nothing)({**HTTP}, nothing, nothing)
        await asyncio.sleep(2 * GATHER_S)
        assert (reporter.in_flight, reporter.served) == (0, 0)

    assert heard(refused) == []


def test_a_request_under_way_is_told_as_one() -> None:
    async def overlapping(reporter: Reporter) -> None:
        async def wait(scope: Any, *_: Any) -> None:
            scope[ADMIT]()
            await asyncio.sleep(2 * GATHER_S)

        app = reporter.counted(wait)
        await asyncio.gather(*(app({**HTTP}, nothing, nothing) for _ in range(2)))
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


def test_a_warning_goes_with_the_first_numbers_so_that_it_is_no_sign_of_life() -> None:
    async def starts(scope: Any, *_: Any) -> None:
        scope[WARN]("the warm-up failed:\nno answer")

    async def warned(reporter: Reporter) -> None:
        await reporter.counted(starts)({"type": "lifespan"}, nothing, nothing)
        os.set_blocking(reporter.pipe, False)
        reporter.tell()
        reporter.tell()

    assert heard(warned) == ["~the warm-up failed: no answer", "0 0", "0 0"]


def test_a_warning_that_had_no_room_goes_with_the_next_numbers() -> None:
    async def warned(reporter: Reporter) -> None:
        own, full = reporter.pipe, os.pipe()
        os.set_blocking(full[1], False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(full[1], b"x" * 65536)
        reporter.warn("no answer")
        reporter.pipe = full[1]
        reporter.tell()
        reporter.pipe = own
        reporter.tell()
        for descriptor in full:
            os.close(descriptor)

    assert heard(warned) == ["~no answer", "0 0"]
