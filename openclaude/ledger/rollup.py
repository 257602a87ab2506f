"""Sums by quarter of an hour, which the file keeps itself, so that a report need not read it all.

Knows: what is summed, by what, and the triggers that keep it true whichever version of openclaude
adds or removes entries. Independent of: who asks for sums, and what for.
"""

from __future__ import annotations

import contextlib
import sqlite3

from openclaude.ledger.entry import Via

BUCKET_S = 900  # every time zone's midnight is at such a quarter of an hour
TABLE = "rollup"
# the model that answered, else the one that was asked for; of an entry, "{}" in front of a column
MODEL = "CASE WHEN {0}answered = '' THEN {0}asked ELSE {0}answered END"
OURS = f"('{Via.SLOT}', '{Via.ON_LIMIT}', '{Via.BUDGET}')"  # answered in place of Claude
PRICED = f"{OURS[:-1]}, '{Via.EYES}')"  # those that are paid for by the token
BUCKET = f"CAST({{0}}at / {BUCKET_S} AS INTEGER)"
# what it is summed by: a column of the rollup, and what it is of an entry
KEYS = {
    "bucket": BUCKET,
    "profile": "{0}profile",
    "session": "{0}session",
    "project": "{0}project",
    "tier": "{0}tier",
    "model": MODEL,
    "is_spared": f"({{0}}via IN {OURS} AND {{0}}status = 200)",
}
# what is summed, in the order of `Sums`
VALUES = {
    "requests": "1",
    "errors": "({0}status >= 400 OR {0}status = 0 OR {0}error != '')",
    "tokens_in": "coalesce({0}tokens_in, 0)",
    "tokens_out": "coalesce({0}tokens_out, 0)",
    "cache_read": "coalesce({0}cache_read, 0)",
    "cache_write": "coalesce({0}cache_write, 0)",
    "dollars": "coalesce({0}dollars, 0)",
    "unpriced": (
        f"({{0}}via IN {PRICED} AND {{0}}dollars IS NULL AND {{0}}tokens_out IS NOT NULL"
        " AND {0}status = 200)"
    ),
    "first_ms": "coalesce({0}first_ms, 0)",
    "timed": "({0}first_ms IS NOT NULL)",
}
COLUMNS = (
    "bucket INTEGER NOT NULL",
    *(f"{name} TEXT NOT NULL" for name in ("profile", "session", "project", "tier", "model")),
    "is_spared INTEGER NOT NULL",
    *(f"{name} {'REAL' if name == 'dollars' else 'INTEGER'} NOT NULL" for name in VALUES),
)
ADDED, REMOVED = "rollup_added", "rollup_removed"


def of_entry(expressions: dict[str, str], row: str = "") -> str:
    """Expressions over an entry's columns; `row` is NEW. or OLD. in a trigger."""
    return ", ".join(one.format(row) for one in expressions.values())


def keys_match(row: str) -> str:
    """The condition that a row of the rollup is that of an entry."""
    return " AND ".join(f"{name} = {one.format(row)}" for name, one in KEYS.items())


def statements() -> list[str]:
    """What makes the table, fills it from the entries, and keeps it so."""
    names = ", ".join((*KEYS, *VALUES))
    summed = ", ".join(f"sum({one.format('')})" for one in VALUES.values())
    more = ", ".join(f"{name} = {name} + excluded.{name}" for name in VALUES)
    less = ", ".join(f"{name} = {name} - {one.format('OLD.')}" for name, one in VALUES.items())
    grouped = ", ".join(str(number + 1) for number in range(len(KEYS)))
    return [
        f"CREATE TABLE {TABLE} ({', '.join(COLUMNS)}, PRIMARY KEY ({', '.join(KEYS)}))"
        " WITHOUT ROWID",
        f"INSERT INTO {TABLE} ({names}) SELECT {of_entry(KEYS)}, {summed}"  # noqa: S608
        f" FROM requests GROUP BY {grouped}",
        f"CREATE TRIGGER {ADDED} AFTER INSERT ON requests BEGIN"  # noqa: S608
        f" INSERT INTO {TABLE} ({names})"
        f" VALUES ({of_entry(KEYS, 'NEW.')}, {of_entry(VALUES, 'NEW.')})"
        f" ON CONFLICT ({', '.join(KEYS)}) DO UPDATE SET {more}; END",
        # what is empty goes, so that the file stays small and no rest of a subtraction is shown
        f"CREATE TRIGGER {REMOVED} AFTER DELETE ON requests BEGIN"  # noqa: S608
        f" UPDATE {TABLE} SET {less} WHERE {keys_match('OLD.')};"
        f" DELETE FROM {TABLE} WHERE {keys_match('OLD.')} AND requests <= 0; END",
    ]


def has_rollup(connection: sqlite3.Connection) -> bool:
    """Whether a file has the table and what keeps it true, as this version writes them."""
    found = dict(
        connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE name IN (?, ?, ?)", (TABLE, ADDED, REMOVED)
        )
    )
    wanted = [one for one in statements() if one.startswith("CREATE")]
    return [found.get(name) for name in (TABLE, ADDED, REMOVED)] == wanted


def add_rollup(connection: sqlite3.Connection) -> None:
    """Make it where it is missing or another version's. Raises sqlite3.Error.

    A million entries take seconds, once. Looked at again under the lock: another instance may do
    the same at this moment.
    """
    if has_rollup(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not has_rollup(connection):
            for kind, name in (("TRIGGER", ADDED), ("TRIGGER", REMOVED), ("TABLE", TABLE)):
                connection.execute(f"DROP {kind} IF EXISTS {name}")
            for statement in statements():
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
