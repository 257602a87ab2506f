"""What an instance tells its supervisor of itself: that it lives, how much it has to do.

Knows: the report pipe, which requests count. Independent of: what a request is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from openclaude.contracts.worker import (
    ADMIT,
    WARN,
    load_line,
    no_port_line,
    size_line,
    warning_line,
)
from openclaude.run.os.procstat import own_pss

log = logging.getLogger("openclaude.instance")
HEARTBEAT_S = 5.0
MEASURE_S = 60.0  # between two looks at its own memory, if it has served anything meanwhile
# Reports that may be late are sent together, after this many seconds
GATHER_S = 0.1
LONGEST_WARNING = 1000  # characters: the pipe takes it whole, or not at all


class Reporter:
    """Reports to the supervisor, in a line of two numbers, requests in flight and served.

    The first line reports readiness; one every few seconds is the heartbeat. The numbers are
    absolute, so that a line that did not fit into the pipe is not lost.
    """

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self.in_flight = 0
        self.served = 0
        self.told_busy = False
        self.warnings = b""  # lines that go with the next numbers
        self.later: asyncio.TimerHandle | None = None
        os.set_blocking(pipe, False)

    def tell(self) -> None:
        """Write the line; if the pipe is full, the next one makes up for it."""
        if self.later:
            self.later.cancel()
            self.later = None
        self.told_busy = self.in_flight > 0
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self.pipe, self.warnings + load_line(self.in_flight, self.served))
            self.warnings = b""

    def warn(self, sentence: str) -> None:
        """Something is worse than it should be; the supervisor reports it, and we serve."""
        self.warnings += warning_line(sentence[:LONGEST_WARNING])

    def lacks_port(self, port: int, reason: str) -> None:
        """A further port is another's; the supervisor reports it, and we serve the rest."""
        log.warning("no figures of requests are shown on port %d: %s", port, reason)
        self.warnings += no_port_line(port, reason)

    def tell_soon(self) -> None:
        """Write it after a delay, with the changes until then.

        Each line wakes the supervisor: a twelfth of a slot's processor time in main (measured).

        """
        if self.later is None:
            self.later = asyncio.get_running_loop().call_later(GATHER_S, self.tell)

    def begin(self) -> None:
        """One more request that has shown the key."""
        self.in_flight += 1
        if self.told_busy:
            self.tell_soon()
        else:
            self.tell()  # at once: an instance that is thought idle may be put to sleep

    def counted(self, application: Any) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """The application, with those of its requests counted that it admits."""

        async def count(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await application({**scope, WARN: self.warn}, receive, send)
                return
            is_counted = False
            prove = scope.pop(ADMIT, None)  # the connection's own

            def admit() -> None:
                nonlocal is_counted
                is_counted = True
                self.begin()
                if prove:
                    prove()

            scope[ADMIT] = admit
            try:
                await application(scope, receive, send)
            finally:
                if is_counted:
                    self.in_flight -= 1
                    self.served += 1
                    self.tell_soon()

        return count

    async def beat(self) -> None:
        """Send a heartbeat every few seconds, and the size now and then."""
        measured_at, served = -MEASURE_S, -1
        while True:
            self.tell()
            now = time.monotonic()
            if served != self.served and now - measured_at >= MEASURE_S:
                measured_at, served = now, self.served
                self.warnings += size_line(own_pss())  # goes with the next one
            await asyncio.sleep(HEARTBEAT_S)
