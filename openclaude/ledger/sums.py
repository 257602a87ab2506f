"""What the ledger says: sums over requests, and single requests.

Knows: the table, what a day is where the user lives. Independent of: how it is shown, what a model
would have cost elsewhere. Reading never changes the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.ledger.entry import RequestEntry, Via
from openclaude.ledger.store import VERSION, Unusable

BUCKET_S = 900  # every time zone's midnight is at such a quarter of an hour
# what requests may be summed by: the name of an option, and the column
GROUPS = {
    "tier": "tier",
    "model": "model",
    "profile": "profile",
    "session": "session",
    "day": "day",
}
# the model that answered, else the one that was asked for
MODEL = "CASE WHEN answered = '' THEN asked ELSE answered END"
OURS = f"('{Via.SLOT}', '{Via.ON_LIMIT}')"  # answered in place of Claude
SUMS = f"""
    count(*), sum(status >= 400 OR status = 0 OR error != ''),
    sum(coalesce(tokens_in, 0)), sum(coalesce(tokens_out, 0)),
    sum(coalesce(cache_read, 0)), sum(coalesce(cache_write, 0)),
    sum(coalesce(dollars, 0)), sum(via IN {OURS} AND dollars IS NULL AND status = 200),
    sum(coalesce(first_ms, 0)), count(first_ms)
"""


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


class PlanUse(NamedTuple):
    """What Anthropic last said of the plan."""

    at: float
    used_5h: float | None
    used_7d: float | None
    resets_5h: int | None
    resets_7d: int | None


class LedgerReader:
    """The ledger, open to read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def total(self, where: Where) -> Sums:
        """Sums over all of them. Raises sqlite3.Error, as everything here."""
        return next((sums for _, sums in self._grouped("1", where)), Sums())

    def by(self, group: str, where: Where) -> list[tuple[str, Sums]]:
        """Sums by one of GROUPS: days in their order, else the dearest first."""
        if group == "day":
            return self._by_day(where)
        column = MODEL if group == "model" else GROUPS[group]
        found = [(str(name), sums) for name, sums in self._grouped(column, where)]
        return sorted(found, key=lambda one: (-one[1].dollars, -one[1].tokens, one[0]))

    def in_place_of_claude(self, where: Where) -> list[tuple[str, Sums]]:
        """Sums by tier over what slots answered."""
        return [
            (str(tier), sums)
            for tier, sums in self._grouped("tier", where, f" AND via IN {OURS} AND status = 200")
        ]

    def _by_day(self, where: Where) -> list[tuple[str, Sums]]:
        days: dict[str, Sums] = {}
        for bucket, sums in self._grouped(f"CAST(at / {BUCKET_S} AS INTEGER)", where):
            day = datetime.fromtimestamp(int(bucket) * BUCKET_S).astimezone().date().isoformat()
            days[day] = days.get(day, Sums()).plus(sums)
        return sorted(days.items())

    def _grouped(self, column: str, where: Where, more: str = "") -> Iterator[tuple[Any, Sums]]:
        condition, values = where.sql
        text = f"SELECT {column}, {SUMS} FROM requests WHERE {condition}{more} GROUP BY 1"  # noqa: S608
        for name, *sums in self._connection.execute(text, values):
            yield name, Sums(*sums)

    def last(self, where: Where, number: int) -> list[NumberedEntry]:
        """The newest of them, oldest first."""
        condition, values = where.sql
        rows = self._select(f"WHERE {condition} ORDER BY id DESC LIMIT ?", [*values, number])
        return list(rows)[::-1]

    def one(self, number: int) -> NumberedEntry | None:
        """The entry with this number."""
        return next(iter(self._select("WHERE id = ?", [number])), None)

    def quota(self) -> PlanUse | None:
        """What Anthropic last said of the plan, if it ever did."""
        rows = self._connection.execute(
            "SELECT at, used_5h, used_7d, resets_5h, resets_7d FROM requests"
            " WHERE used_5h IS NOT NULL ORDER BY id DESC LIMIT 1"
        )
        return next((PlanUse(*row) for row in rows), None)

    def _select(self, rest: str, values: Iterable[object]) -> Iterator[NumberedEntry]:
        names = ", ".join(RequestEntry._fields)
        rows = self._connection.execute(f"SELECT id, {names} FROM requests {rest}", [*values])  # noqa: S608
        return (NumberedEntry(number, RequestEntry(*row)) for number, *row in rows)


def open_to_read(path: Path) -> LedgerReader | None:
    """Open the ledger; None where there is none yet. Raises Unusable or sqlite3.Error."""
    if not path.exists():
        return None
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        connection.close()
        raise Unusable("it is of a later version of openclaude")
    return LedgerReader(connection) if version else None
