"""What the ledger says: sums over requests, and single requests.

Knows: the table, what a day is where the user lives. Independent of: how it is shown, what a model
would have cost elsewhere. Reading never changes the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from math import ceil
from pathlib import Path
from typing import NamedTuple

from openclaude.ledger.entry import RequestEntry
from openclaude.ledger.rollup import BUCKET_S, KEYS, MODEL, TABLE, VALUES, has_rollup
from openclaude.ledger.store import VERSION, Unusable, present

MOST_TIMED = 20_000  # requests of which the waiting times are compared
# what requests may be summed by: the name of an option, and the column
GROUPS = {
    "tier": "tier",
    "model": "model",
    "profile": "profile",
    "session": "session",
    "project": "project",
    "day": "bucket",
}


class Where(NamedTuple):
    """Which requests are meant; the defaults mean all."""

    since: float = 0.0  # seconds since 1970
    profile: str = ""
    session: str = ""  # or the beginning of its id
    errors_only: bool = False
    after_id: int = 0

    @property
    def sql(self) -> tuple[str, list[object]]:
        """The condition, and its values."""
        parts = ["at >= ?", "id > ?"]
        given: list[object] = [self.since, self.after_id]
        if self.profile:
            parts.append("profile = ?")
            given.append(self.profile)
        if self.session:
            parts.append("substr(session, 1, length(?)) = ?")
            given += [self.session, self.session]
        if self.errors_only:
            parts.append("(status >= 400 OR status = 0 OR error != '' OR is_cut)")
        return " AND ".join(parts), given

    def of_rollup(self, first: int) -> tuple[str, list[object]]:
        """The same for the rollup, from its quarter of an hour `first` on."""
        parts, given = ["bucket >= ?"], [first, *self.sql[1][2:]]
        if self.profile:
            parts.append("profile = ?")
        if self.session:
            parts.append("substr(session, 1, length(?)) = ?")
        return " AND ".join(parts), given


class Sums(NamedTuple):
    """Sums over some requests; dollars are those of slots."""

    requests: int = 0
    errors: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cache_read: int = 0
    cache_write: int = 0
    dollars: float = 0.0
    unpriced: int = 0  # answered requests of slots whose price is not known
    first_ms: int = 0  # summed
    timed: int = 0  # over how many

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        return Sums._make(mine + its for mine, its in zip(self, other, strict=True))

    @property
    def mean_first_ms(self) -> int | None:
        """Milliseconds to the first byte of a reply, on average."""
        return round(self.first_ms / self.timed) if self.timed else None

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.tokens_in + self.tokens_out + self.cache_read + self.cache_write

    @property
    def cached(self) -> float:
        """Which part of the prompts came from a cache, 0 to 1."""
        prompts = self.tokens_in + self.cache_read + self.cache_write
        return self.cache_read / prompts if prompts else 0.0


class NumberedEntry(NamedTuple):
    """An entry with its number in the ledger."""

    id: int
    entry: RequestEntry


class SessionSums(NamedTuple):
    """What one session of claude's has used; times in seconds since 1970, None: never."""

    requests: int = 0
    errors: int = 0
    dollars: float = 0.0  # of slots
    last_at: float | None = None
    answered: str = ""  # the model that answered last, for the session itself
    error_at: float | None = None
    error: str = ""  # the last: status and Anthropic's word for its kind


class PlanUse(NamedTuple):
    """What Anthropic last said of the plan."""

    at: float
    used_5h: float | None
    used_7d: float | None
    resets_5h: int | None
    resets_7d: int | None


class Latency(NamedTuple):
    """How long a model's replies let wait for their first byte, in milliseconds."""

    model: str
    median_ms: int
    p95_ms: int  # 95 of 100 were faster
    number: int


class UsageReport(NamedTuple):
    """The answer to a question about many requests."""

    rows: list[tuple[str, Sums]]
    total: Sums
    spared: dict[str, Sums]  # by tier: what slots answered in place of Claude


def day_of(bucket: int) -> str:
    """The day of a quarter of an hour where the user lives, as ISO has it.

    What a clock that was wrong has called a day for which there is no name is the last one.
    """
    try:
        return datetime.fromtimestamp(bucket * BUCKET_S).astimezone().date().isoformat()
    except (ValueError, OverflowError, OSError):
        return date.max.isoformat()


class LedgerReader:
    """The ledger, open to read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        there = present(connection)  # an earlier version's file lacks some columns
        self._names = {name: name if name in there else "''" for name in RequestEntry._fields}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def report(self, group: str, where: Where) -> UsageReport:
        """Sums by one of GROUPS, read in one pass: days in their order, else the dearest first.

        Raises sqlite3.Error, as everything here.
        """
        rows: dict[str, Sums] = {}
        spared: dict[str, Sums] = {}
        total = Sums()
        for name, tier, is_spared, sums in self._groups(group, where):
            rows[name] = rows.get(name, Sums()).plus(sums)
            total = total.plus(sums)
            if is_spared:
                spared[tier] = spared.get(tier, Sums()).plus(sums)
        in_order = sorted(rows.items())
        if group != "day":
            in_order.sort(key=lambda one: (-one[1].dollars, -one[1].tokens))
        return UsageReport(in_order, total, spared)

    def days(self, where: Where) -> dict[str, dict[str, Sums]]:
        """Sums by day and tier."""
        days: dict[str, dict[str, Sums]] = {}
        for name, tier, _, sums in self._groups("day", where):
            day = days.setdefault(name, {})
            day[tier] = day.get(tier, Sums()).plus(sums)
        return days

    def latencies(self, where: Where) -> list[Latency]:
        """The waiting times of the last answered requests by model, the most used first."""
        condition, values = where.sql
        text = (
            f"SELECT {MODEL.format('')}, first_ms FROM requests"  # noqa: S608
            f" WHERE {condition} AND status = 200 AND first_ms IS NOT NULL ORDER BY id DESC LIMIT ?"
        )
        by_model: dict[str, list[int]] = {}
        for model, first_ms in self._connection.execute(text, [*values, MOST_TIMED]):
            by_model.setdefault(model, []).append(first_ms)
        found = []
        for model, times in sorted(by_model.items(), key=lambda one: -len(one[1])):
            times.sort()
            last = len(times) - 1
            found.append(Latency(model, times[last // 2], times[last * 95 // 100], len(times)))
        return found

    def _groups(self, group: str, where: Where) -> Iterator[tuple[str, str, bool, Sums]]:
        """Sums by one of GROUPS, tier, and whether it was in place of Claude."""
        text, values = self._summed(GROUPS[group], where)
        for key, tier, is_spared, *numbers in self._connection.execute(text, values):
            yield day_of(key) if group == "day" else str(key), tier, is_spared, Sums(*numbers)

    def _summed(self, column: str, where: Where) -> tuple[str, list[object]]:
        """A query for sums by a column, tier and whether it was in place of Claude.

        Whole quarters of an hour are read from the rollup, the one that `since` cuts from entries.
        """
        entries = self._of_entries(column)
        condition, values = where.sql
        if where.errors_only or where.after_id or not has_rollup(self._connection):
            text = f"SELECT {entries} FROM requests WHERE {condition} GROUP BY 1, 2, 3"  # noqa: S608
            return text, values
        first = ceil(where.since / BUCKET_S)
        summed = ", ".join(f"sum({name})" for name in VALUES)
        of_rollup, given = where.of_rollup(first)
        return (
            f"SELECT {column}, tier, is_spared, {summed} FROM {TABLE} WHERE {of_rollup}"  # noqa: S608
            f" GROUP BY 1, 2, 3 UNION ALL SELECT {entries} FROM requests"
            f" WHERE {condition} AND at < ? GROUP BY 1, 2, 3",
            [*given, *values, first * BUCKET_S],
        )

    def _of_entries(self, column: str) -> str:
        """What is selected for sums over entries; an earlier version's file lacks some columns."""
        one = self._names[column] if column in self._names else KEYS[column].format("")
        spared = KEYS["is_spared"].format("")
        values = (f"sum({value.format('')})" for value in VALUES.values())
        return ", ".join((one, "tier", spared, *values))

    def last(self, where: Where, number: int) -> list[NumberedEntry]:
        """The newest of them, oldest first."""
        condition, values = where.sql
        rows = self._select(f"WHERE {condition} ORDER BY id DESC LIMIT ?", [*values, number])
        return list(rows)[::-1]

    def profiles(self) -> list[str]:
        """The profiles of all requests."""
        table = TABLE if has_rollup(self._connection) else "requests"
        rows = self._connection.execute(f"SELECT DISTINCT profile FROM {table} ORDER BY 1")  # noqa: S608
        return [name for (name,) in rows]

    def one(self, number: int) -> NumberedEntry | None:
        """The entry with this number."""
        return next(iter(self._select("WHERE id = ?", [number])), None)

    def of_session(self, session: str, since: float = 0.0) -> SessionSums:
        """What one session of claude's has used, by its index; `since`: seconds since 1970."""
        failed = "(status >= 400 OR error != '')"
        count, errors, dollars, last = self._connection.execute(
            f"SELECT count(*), total({failed}), total(dollars), max(at) FROM requests"  # noqa: S608
            " WHERE session = ? AND at >= ?",
            [session, since],
        ).fetchone()
        model = self._connection.execute(
            "SELECT answered FROM requests WHERE session = ? AND agent = '' AND answered != ''"
            " ORDER BY id DESC LIMIT 1",
            [session],
        ).fetchone()
        error = self._connection.execute(
            f"SELECT at, status, error FROM requests WHERE session = ? AND at >= ? AND {failed}"  # noqa: S608
            " ORDER BY id DESC LIMIT 1",
            [session, since],
        ).fetchone()
        return SessionSums(
            requests=count,
            errors=int(errors),
            dollars=dollars,
            last_at=last,
            answered=model[0] if model else "",
            error_at=error[0] if error else None,
            error=" ".join(map(str, filter(None, error[1:]))) if error else "",
        )

    def sessions_in(self, profile: str, project: str, since: float) -> list[tuple[str, float]]:
        """The sessions of a folder that asked something since then: id, first request; in order."""
        rows = self._connection.execute(
            "SELECT session, min(at) FROM requests WHERE at >= ? AND profile = ? AND session != ''"  # noqa: S608
            f" AND {self._names['project']} = ? GROUP BY session ORDER BY min(id)",
            [since, profile, project],
        )
        return [(session, at) for session, at in rows]

    def quota(self) -> PlanUse | None:
        """What Anthropic last said of the plan, if it ever did."""
        rows = self._connection.execute(
            "SELECT at, used_5h, used_7d, resets_5h, resets_7d FROM requests"
            " WHERE used_5h IS NOT NULL ORDER BY id DESC LIMIT 1"
        )
        return next((PlanUse(*row) for row in rows), None)

    def _select(self, rest: str, values: Iterable[object]) -> Iterator[NumberedEntry]:
        names = ", ".join(self._names.values())
        rows = self._connection.execute(f"SELECT id, {names} FROM requests {rest}", [*values])  # noqa: S608
        return (NumberedEntry(number, RequestEntry(*row)) for number, *row in rows)


def open_to_read(path: Path) -> LedgerReader | None:
    """Open the ledger; None where there is none yet. Raises Unusable or sqlite3.Error."""
    if not path.exists():
        return None
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise Unusable("it is of a later version of openclaude")
    except BaseException:
        connection.close()
        raise
    if not version:  # its first writer has not made the table yet
        connection.close()
        return None
    return LedgerReader(connection)
