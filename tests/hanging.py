"""A test that hangs fails, and what it started ends; all the others still run.

Knows: what pytest-timeout leaves open. Independent of: how long a test may take (pyproject.toml).
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Generator
from types import FrameType
from typing import Any

import psutil
import pytest

TICK_S = 0.01  # the kernel counts a process's start in these
SETTINGS = pytest.StashKey[Any]()


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, bool, bool]:
    """Kill the test's processes when its time is up, before the failure is raised.

    Otherwise `with Popen(...)` waits for them once more, without a limit.

    """
    item.stash[SETTINGS] = settings
    since = time.clock_gettime(time.CLOCK_BOOTTIME)
    armed = yield
    fail = signal.getsignal(signal.SIGALRM)
    if callable(fail):

        def ring(number: int, frame: FrameType | None) -> None:
            kill_children(since)
            fail(number, frame)

        signal.signal(signal.SIGALRM, ring)
    return armed


@pytest.hookimpl(wrapper=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> Generator[None]:
    """Limit the teardown of a failed test too: pytest-timeout stops its clock for a debugger."""
    yield
    settings = node.stash.get(SETTINGS, None)
    if settings is not None and not node.config.getoption("usepdb"):
        node.config.hook.pytest_timeout_set_timer(item=node, settings=settings)


def kill_children(since: float) -> None:
    """Kill every process below this one that was started after `since`, in seconds since boot.

    psutil adds the time of boot in whole seconds, so it is subtracted again.

    """
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.create_time() - psutil.boot_time() >= since - TICK_S:
                child.kill()
