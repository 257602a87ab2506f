"""How an instance ends: at once when its supervisor has gone or says so, or when it has done.

Knows: the lifeline, the grace of streams. Independent of: HTTP, what a stream is.

SIGTERM, or the end of the lifeline: requests get STREAM_GRACE_S. A byte on the lifeline: the
instance was replaced, and its requests take as long as they need, until one of the others comes.
An instance that other machines ask may take requests for a while after its first SIGTERM, until
whoever shares out the requests has noticed that it is no longer ready.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable

from openclaude.contracts.worker import DRAIN, ServiceEnd

# Streams under way get this long when the instance is told to end, seconds.
STREAM_GRACE_S = 10
# Those that last longer are cancelled, and get this long to say so, seconds. Nobody waits for it
# who is quick; on a busy machine eight streams were seen to take 1.0.
FAREWELL_S = 3.0
LOOK_S = 0.1
AT_ONCE = ServiceEnd(drain_s=0, grace_s=STREAM_GRACE_S)


class InstanceEnd:
    """The end of one instance, as far as it is known."""

    def __init__(self, ending: ServiceEnd = AT_ONCE) -> None:
        self.is_patient = False  # it was replaced, and nobody waits for its end
        self.grace_s = ending.grace_s
        self._drain_s = ending.drain_s
        self._drained_at = 0.0  # when draining is over; 0 before it begins

    def begin_drain(self) -> bool:
        """Heed a signal; tell whether requests are still taken for a while after it.

        Only after the first one: another means that nobody waits.
        """
        if not self._drain_s or self._drained_at:
            return False
        self._drained_at = time.monotonic() + self._drain_s
        return True

    @property
    def is_drained(self) -> bool:
        """Whether the time is over for which requests are taken after a signal."""
        return 0 < self._drained_at <= time.monotonic()

    def follow(self, lifeline: int) -> None:
        """Exit as the supervisor says, or when it does: its end of the pipe closes."""

        def wait() -> None:
            while os.read(lifeline, 1) == DRAIN:
                self.is_patient = True
                os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(STREAM_GRACE_S + FAREWELL_S + 2)
            os._exit(1)

        threading.Thread(target=wait, name="lifeline", daemon=True).start()

    def on_signal(self, *, is_ending: bool) -> None:
        """Heed a SIGTERM; one to an instance that already ends means: now."""
        if is_ending:
            self.is_patient = False

    async def wait(self, is_busy: Callable[[], bool]) -> None:
        """Wait for what is under way while nobody is in a hurry."""
        while self.is_patient and is_busy():
            await asyncio.sleep(LOOK_S)
