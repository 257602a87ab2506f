"""What Ctrl-C does to the program: before, between and after the code that expects it.

Knows: SIGINT. Independent of: everything; the first import of the console script, because Python
shows a traceback for a Ctrl-C that nobody catches, and most of a launch is imports.

A launch has nothing to undo: it leaves no more behind than one that is killed. So Ctrl-C ends it
where it is. Commands that ask or clean up get Python's KeyboardInterrupt.
"""

from __future__ import annotations

# The builtin module under `signal`, which imports a dozen others: a Ctrl-C in these was seen
import _signal  # type: ignore[import-not-found, unused-ignore]
import os

INTERRUPTED = 130


def end_quietly() -> None:
    """Let Ctrl-C end this process at once, unless it is ignored, as in the background of a script.

    What has been handled otherwise stays so: this module may be imported by another program.
    """
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, end_now)


def end_now(*_: object) -> None:
    """The handler. No KeyboardInterrupt, which any finalizer or callback would print."""
    os._exit(INTERRUPTED)


class Catchable:
    """Lets Ctrl-C raise KeyboardInterrupt for the length of a block."""

    def __enter__(self) -> None:
        self._was_quiet = _signal.getsignal(_signal.SIGINT) is end_now
        if self._was_quiet:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        if self._was_quiet:
            _signal.signal(_signal.SIGINT, end_now)


end_quietly()
