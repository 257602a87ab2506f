"""What an instance says in its log: whatever is printed or logged in it, with time and level.

Knows: Python's streams and loggers. Independent of: the file, which is the process's standard
error; who logs what. Set up once, before a fork: a walk over all loggers of LiteLLM's in each
instance would cost each 3 MB of its own.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import time
from collections.abc import Callable

from openclaude.contracts.printable import printable
from openclaude.run.os.log_line import CONTINUED, OUTPUT, log_entry

STANDARD_ERROR = 2
LONGEST_PART = 64 * 1024  # characters of a line that has not ended
LITELLM_PROXY = "LiteLLM Proxy"  # the name of its logger
# how LiteLLM (1.108.14) says, as an error, that it has no pages for a browser: the zipapp and the
# image leave them out, and nothing here serves them
ABSENT_PAGES = ("Packaged UI at ", "Selected UI path ")
TRACEBACK = "Traceback (most recent call last):"


def write_whole(text: str) -> None:
    """Write it to standard error in one piece, so that entries of two threads do not mix."""
    try:
        os.write(STANDARD_ERROR, text.encode("utf-8", "backslashreplace"))
    except OSError:
        return  # a full disk must not fail a request, and there is nowhere left to say so


class StampedStream(io.TextIOBase):
    """In place of `sys.stdout` and `sys.stderr`: each line gets its time.

    An indented line goes on with the one before, as those of a traceback do.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._part = ""
        # a thread may hold it when the process is forked: only the forkserver is, which has none
        self._lock = threading.RLock()

    def write(self, text: str, /) -> int:
        """Take a text; its whole lines are written."""
        with self._lock:
            *lines, self._part = (self._part + text).split("\n")
            if len(self._part) > LONGEST_PART:
                lines, self._part = [*lines, self._part], ""
            if written := "".join(map(self._line, lines)):
                write_whole(written)
        return len(text)

    def _line(self, line: str) -> str:
        if not line.strip():
            return ""
        if line[0].isspace() or line == TRACEBACK:
            return f"{CONTINUED}{printable(line)}\n"
        return log_entry(self._now(), OUTPUT, printable(line))

    def flush(self) -> None:
        """Write a line that has not ended."""
        with self._lock:
            part, self._part = self._part, ""
            if line := self._line(part):
                write_whole(line)

    def fileno(self) -> int:
        """What the text goes to."""
        return STANDARD_ERROR

    def writable(self) -> bool:
        """It is."""
        return True


class EntryHandler(logging.Handler):
    """What loggers say, an entry each; a traceback is its further lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one entry."""
        try:
            # the time of this clock, which may have been set back: no reader may guess another
            text = f"{record.name.replace(' ', '-')}: {self.format(record)}"
            write_whole(log_entry(record.created, record.levelname, printable(text)))
        except Exception:  # noqa: BLE001 - as of every handler: a log fails no request
            self.handleError(record)


def leave_out_absent_pages() -> None:
    """Keep LiteLLM's errors about its pages for a browser out of the log; before its import."""
    logging.getLogger(LITELLM_PROXY).addFilter(is_not_about_pages)


def is_not_about_pages(record: logging.LogRecord) -> bool:
    """Tell whether a record is about anything else."""
    return not str(record.msg).startswith(ABSENT_PAGES)


def stamp_everything() -> None:
    """Give all that this process prints and logs from now on a time and a level.

    LiteLLM's handlers are replaced, but their filters, which take credentials out, are kept and see
    what others log as well.
    """
    sys.stdout = StampedStream()
    sys.stderr = StampedStream()
    handler = EntryHandler()
    for one in (logging.root, *logging.root.manager.loggerDict.values()):
        if not isinstance(one, logging.Logger):
            continue
        for former in [*one.handlers]:
            if isinstance(former, logging.StreamHandler | EntryHandler):
                for kept in former.filters:
                    handler.addFilter(kept)
                one.removeHandler(former)
                one.propagate = True
    logging.root.addHandler(handler)
