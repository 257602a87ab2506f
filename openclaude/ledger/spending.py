"""What slots have cost in a day, a month or a session: a sum that is known without asking the file.

Knows: that the requests of this process count at once, and those of others when the ledger is read
again; that each counts once. Independent of: what may be spent, requests. All methods may be called
from any thread.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from openclaude.contracts.budget import Period
from openclaude.ledger.entry import RequestEntry
from openclaude.ledger.rollup import BUCKET_S
from openclaude.ledger.store import VERSION, present
from openclaude.ledger.sums import day_of

log = logging.getLogger("openclaude.ledger")
BUSY_S = 0.5  # for a writer that has the file
OLDEST_S = 62 * 86400.0  # a month, and a session that began in the one before
LATEST_S = 400 * 86400.0  # of a clock that was ahead; beyond it, no day may have a name
MONTH = len("2026-11")  # of a day's name
Key = tuple[str, str, str]  # period, which one, tier or "" for all
ROWS = """
    SELECT CAST(at / {bucket} AS INTEGER), session, tier, sum(dollars) FROM requests
    WHERE id > ? AND id <= ? AND at BETWEEN ? AND ? AND dollars > 0 AND {others} GROUP BY 1, 2, 3
"""


class Tally:
    """Dollars by period, by which one of them, and by tier."""

    def __init__(self) -> None:
        self.sums: defaultdict[Key, float] = defaultdict(float)

    def add(self, day: str, session: str, tier: str, dollars: float) -> None:
        """Add what a session has spent on a day in a tier."""
        for one in {tier, ""}:
            self.sums[Period.DAY, day, one] += dollars
            self.sums[Period.MONTH, day[:MONTH], one] += dollars
            if session:
                self.sums[Period.SESSION, session, one] += dollars


def which(period: Period, session: str, at: float) -> str:
    """Which day, month or session it is at a time: "2026-11-30", "2026-11", or the session's id."""
    if period is Period.SESSION:
        return session
    day = datetime.fromtimestamp(at).astimezone().date().isoformat()
    return day if period is Period.DAY else day[:MONTH]


class Spending:
    """The spending of all profiles together, and what was allowed beyond their budgets."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.instance = secrets.token_hex(8)  # names this process's requests in the ledger
        self._lock = threading.Lock()
        self._own = Tally()
        self._others = Tally()
        self._allowed: dict[tuple[str, str], float] = {}
        self._last = 0  # the number of the last entry that was read
        self._said = ""
        self.read_at: float | None = None  # of the monotonic clock; None: not yet

    def count(self, entry: RequestEntry) -> RequestEntry:
        """Count a request of this process; return its entry with this process's name."""
        if entry.dollars:
            day = which(Period.DAY, "", entry.at)
            with self._lock:
                self._own.add(day, entry.session, entry.tier, entry.dollars)
        return entry._replace(instance=self.instance)

    def spent(self, period: Period, of: str, tier: str) -> float:
        """US dollars in a day, month or session as `which` names it; tier "" means all."""
        key = (period, of, tier)
        with self._lock:
            return self._own.sums.get(key, 0.0) + self._others.sums.get(key, 0.0)

    def allowed(self, period: Period, of: str) -> float:
        """US dollars that the user has allowed beyond the budget."""
        with self._lock:
            return self._allowed.get((period, of), 0.0)

    def refresh(self) -> str:
        """Read what is new in the ledger; why that was impossible, or ""."""
        why = ""
        try:
            if self._path.exists():
                self._read()
        except (OSError, sqlite3.Error, ValueError) as error:
            why = str(error)
        if why and why != self._said:
            log.warning("budgets count only this stack's requests: %s: %s", self._path, why)
        self._said = why
        self.read_at = time.monotonic()
        return why

    def _read(self) -> None:
        uri = f"{self._path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if not version:  # its first writer has not made the table yet
                return
            if version > VERSION:
                raise ValueError("it is of a later version of openclaude")
            self._read_new(connection)
        finally:
            connection.close()

    def _read_new(self, connection: sqlite3.Connection) -> None:
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM requests").fetchone()
        first = 0 if last < self._last else self._last  # the file was replaced
        knows_instance = "instance" in present(connection)
        others = "instance != ?" if knows_instance else "? = ?"
        own = [self.instance] if knows_instance else [self.instance, self.instance]
        text = ROWS.format(bucket=BUCKET_S, others=others)
        now = time.time()
        between = [now - OLDEST_S, now + LATEST_S]
        rows = connection.execute(text, [first, last, *between, *own]).fetchall()
        allowed = read_allowed(connection)
        with self._lock:
            if not first:
                self._others = Tally()
            for bucket, session, tier, dollars in rows:
                self._others.add(day_of(bucket), session, tier, dollars)
            self._last = last
            self._allowed = allowed


def read_allowed(connection: sqlite3.Connection) -> dict[tuple[str, str], float]:
    """What was allowed, by period and which one of them. Raises sqlite3.Error."""
    exists = "SELECT count(*) FROM sqlite_master WHERE name = 'allowances'"
    if not connection.execute(exists).fetchone()[0]:
        return {}
    rows = connection.execute("SELECT period, which, sum(dollars) FROM allowances GROUP BY 1, 2")
    return {(period, of): dollars for period, of, dollars in rows}


def allow(connection: sqlite3.Connection, period: Period, of: str, dollars: float) -> None:
    """Allow dollars beyond the budgets of a day, month or session. Raises sqlite3.Error."""
    connection.execute(
        "INSERT INTO allowances (at, period, which, dollars) VALUES (?, ?, ?, ?)",
        (time.time(), period, of, dollars),
    )
