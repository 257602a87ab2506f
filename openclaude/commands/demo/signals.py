"""How a demo is interrupted: by Ctrl-C, a closed terminal, or a signal of another program.

Knows: which signals, and what a second one means. Independent of: the clean-up.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from openclaude.errors import OpenclaudeError

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


class Ended(BaseException):
    """A signal arrived.

    Like KeyboardInterrupt, not an Exception, so that it is not handled as a failure.
    """


class DemoEnded(OpenclaudeError):
    """The demo was interrupted before it had its answers."""

    code = "demo-ended"

    def __init__(self, number: int) -> None:
        super().__init__(f"the demo was stopped by {signal.Signals(number).name}")
        self.exit_code = 128 + number  # what a shell shows for it


class Signals:
    """The received signals. The first raises Ended, unless the clean-up has begun."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.is_clearing = False

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Signal handler: raise Ended.

        During the clean-up it does nothing, except for a second Ctrl-C, which stops the wait for
        it.
        """
        is_hurry = number == signal.SIGINT and number in self.seen
        self.seen.append(number)
        if not self.is_clearing or is_hurry:
            self.is_clearing = True  # a terminal that closes may say so twice
            raise Ended


@contextmanager
def ended_by_signals() -> Iterator[Signals]:
    """Raise DemoEnded, or KeyboardInterrupt for Ctrl-C, after the block has cleaned up.

    A signal that is ignored stays ignored, as under nohup.

    """
    signals = Signals()
    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, signals.receive)
    try:
        with suppress(Ended):  # it is in `seen`, as is one that came while things were cleared up
            yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signals.seen:
        raise KeyboardInterrupt if signals.seen[0] == signal.SIGINT else DemoEnded(signals.seen[0])
