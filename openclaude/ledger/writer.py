"""Writes entries off the requests' way: a queue, and one thread that empties it.

Knows: that a request must never wait for the ledger or fail because of it. Independent of: what an
entry says.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from openclaude.ledger.entry import RequestEntry
from openclaude.ledger.store import Unusable, add, forget, open_to_write

log = logging.getLogger("openclaude.ledger")
LONGEST_QUEUE = 10_000  # entries; more are lost and counted
MOST_AT_ONCE = 500
GATHER_S = 0.1  # from the first entry on: writing ten costs as much as writing one
TRIES, PAUSE_S = 3, 1.0  # before entries are given up
SWEEP_S = 3600.0  # how often old entries are removed
Follow = Callable[[list[RequestEntry]], None]  # what else is done with entries, in the thread
Work = Callable[[], RequestEntry | None]  # makes an entry, in the thread


class Writer:
    """The ledger of one instance."""

    def __init__(self, path: Path, *, keep_s: float, follow: Follow | None = None) -> None:
        """`keep_s`: after how long an entry is removed. `follow` gets entries before the file."""
        self._path = path
        self._keep_s = keep_s
        self._follow = follow
        self._queue: queue.Queue[Work] = queue.Queue(LONGEST_QUEUE)
        self._thread: threading.Thread | None = None
        self._hurried = threading.Event()  # by whoever waits, once and for all
        self._connection: sqlite3.Connection | None = None
        self._swept = 0.0
        self._said = ""  # the last complaint, so that it is not repeated for each entry
        self.lost = 0

    def note(self, work: Work) -> None:
        """Have an entry made and written soon; never blocks, never raises."""
        if self._thread is None:  # not before a request: the process may be forked until then
            self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait(work)
        except queue.Full:
            self._lose(1, "it is not written as fast as requests come")

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything noted so far is written or lost; whether it was in time."""
        end = time.monotonic() + timeout_s
        self._hurried.set()
        while self._queue.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.01)
        return not self._queue.unfinished_tasks

    def _run(self) -> None:
        while True:
            works = [self._queue.get()]
            self._hurried.wait(GATHER_S)
            while len(works) < MOST_AT_ONCE and not self._queue.empty():
                works.append(self._queue.get())
            try:
                entries = self._made(works)
                self._show(entries)
                self._write(entries)
            finally:
                for _ in works:
                    self._queue.task_done()

    def _made(self, works: list[Work]) -> list[RequestEntry]:
        entries = []
        for work in works:
            try:
                entry = work()
            except Exception as error:  # noqa: BLE001 - a strange reply must not end the thread
                self._lose(1, f"a request could not be understood ({type(error).__name__})")
                continue
            if entry is not None:
                entries.append(entry)
        return entries

    def _show(self, entries: list[RequestEntry]) -> None:
        if self._follow is None:
            return
        try:
            self._follow(entries)
        except Exception as error:  # noqa: BLE001 - whoever follows must not end the ledger
            log.warning("requests are not passed on: %s", type(error).__name__)

    def _write(self, entries: list[RequestEntry]) -> None:
        for left in reversed(range(TRIES)):
            try:
                connection = self._connection = self._connection or open_to_write(self._path)
                add(connection, entries)
            except (OSError, sqlite3.Error, Unusable) as error:
                self._close()
                if left:
                    time.sleep(PAUSE_S)
                else:
                    self._lose(len(entries), str(error))
            else:
                self._said = ""
                self._sweep(connection)
                return

    def _sweep(self, connection: sqlite3.Connection) -> None:
        if self._swept and time.monotonic() - self._swept < SWEEP_S:
            return
        self._swept = time.monotonic()
        try:
            forget(connection, older_than_s=self._keep_s, now=time.time())
        except sqlite3.Error as error:
            log.warning("old entries of the ledger %s are not removed: %s", self._path, error)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _lose(self, number: int, why: str) -> None:
        self.lost += number
        if why != self._said:
            self._said = why
            log.warning("the ledger %s is not written: %s", self._path, why)
