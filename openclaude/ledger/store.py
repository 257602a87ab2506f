"""The ledger's file: how it is made, opened, filled and kept small.

Knows: SQLite, the table, its version, who may read the file. Independent of: when something is
written (`writer`), what is asked of it (`sums`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import get_type_hints

from openclaude.contracts.routing import LEDGER_FILE, LEDGER_FOLDER
from openclaude.ledger.entry import RequestEntry
from openclaude.ledger.rollup import add_rollup

VERSION = 1  # PRAGMA user_version
BUSY_S = 2.0  # for another writer
TYPES = {
    float: "REAL NOT NULL",
    float | None: "REAL",
    int: "INTEGER NOT NULL",
    int | None: "INTEGER",
    str: "TEXT NOT NULL",
}
# What the user has allowed beyond a budget: for which day, month or session
ALLOWANCES = """
    allowances (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, period TEXT NOT NULL, which TEXT NOT NULL,
        dollars REAL NOT NULL
    )
"""
# A clock that is ahead by years for a moment must not make everything look old
LONGEST_PAUSE_S = 30 * 86400.0
MOST_REMOVED = 5000  # entries at once: a fraction of a second
LEFT_BY_SQLITE = ("-wal", "-shm", "-journal")


class Unusable(Exception):
    """The file cannot be used; the text says why."""


def ledger_file(state: Path) -> Path:
    """The file in the folder of openclaude's state."""
    return state / LEDGER_FOLDER / LEDGER_FILE


def columns() -> dict[str, str]:
    """The columns and their declarations, as `RequestEntry` has them.

    One with a default is younger than the table, and may be missing in a file.
    """
    return {
        name: TYPES[kind] + (" DEFAULT ''" if name in RequestEntry._field_defaults else "")
        for name, kind in get_type_hints(RequestEntry).items()
    }


def present(connection: sqlite3.Connection) -> frozenset[str]:
    """The columns that a file's table has. Raises sqlite3.Error."""
    return frozenset(row[1] for row in connection.execute("PRAGMA table_info(requests)"))


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open the file, made anew where there is none, 0600 in a folder 0700.

    A file that is not a database is set aside, never removed. Raises Unusable, OSError or
    sqlite3.Error.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    check(path.parent, os.lstat(path.parent), stat.S_ISDIR)
    with contextlib.suppress(FileExistsError):
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(path, flags, 0o600))
    check(path, os.lstat(path), stat.S_ISREG)
    try:
        return prepare(connect(path))
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # locked, full, read-only: not its content
            raise
        set_aside(path)
        return open_to_write(path)


def check(path: Path, found: os.stat_result, is_kind: object) -> None:
    """Raise Unusable unless a file or folder is ours alone, and what it should be."""
    if not callable(is_kind) or not is_kind(found.st_mode):
        raise Unusable(f"{path} is not what it should be: remove it")
    if found.st_uid != os.geteuid():
        raise Unusable(f"{path} belongs to another user (uid {found.st_uid}): remove it")
    if found.st_mode & 0o022:
        from shlex import quote

        close = f"`chmod go-w {quote(str(path))}`"
        raise Unusable(f"{path} can be written by another user: {close} ends that")


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing file. Raises sqlite3.Error."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)


def prepare(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Make the table where there is none. Raises Unusable or sqlite3.Error, and closes then."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise Unusable("it is of a later version of openclaude")
        if version < VERSION:
            declared = ", ".join(f"{name} {kind}" for name, kind in columns().items())
            connection.executescript(
                "BEGIN IMMEDIATE;"
                f"CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, {declared});"
                "CREATE INDEX IF NOT EXISTS by_time ON requests (at);"
                f"PRAGMA user_version = {VERSION}; COMMIT;"
            )
        add_columns(connection)
        connection.execute(f"CREATE TABLE IF NOT EXISTS {ALLOWANCES}")
        connection.execute("CREATE INDEX IF NOT EXISTS by_session ON requests (session)")
        connection.execute(
            "CREATE INDEX IF NOT EXISTS by_quota ON requests (id) WHERE used_5h IS NOT NULL"
        )
        add_rollup(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def add_columns(connection: sqlite3.Connection) -> None:
    """Add the columns that an earlier version did not know; it ignores them. Raises sqlite3.Error.

    Looked at again under the lock: another instance may do the same at this moment.
    """
    if columns().keys() <= present(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        there = present(connection)
        for name, kind in columns().items():
            if name not in there:
                connection.execute(f"ALTER TABLE requests ADD COLUMN {name} {kind}")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def set_aside(path: Path) -> None:
    """Rename a file that is not a database, and what SQLite keeps beside it."""
    aside = f"{path}.broken-{time.time_ns()}"
    path.rename(aside)
    for ending in LEFT_BY_SQLITE:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{ending}").rename(f"{aside}{ending}")


def add(connection: sqlite3.Connection, entries: Iterable[RequestEntry]) -> None:
    """Add entries, all or none. Raises sqlite3.Error."""
    names = ", ".join(columns())
    marks = ", ".join("?" * len(RequestEntry._fields))
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(f"INSERT INTO requests ({names}) VALUES ({marks})", entries)  # noqa: S608
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def forget(connection: sqlite3.Connection, *, older_than_s: float, now: float) -> int:
    """Remove entries that are older; return how many. Raises sqlite3.Error.

    Nothing is removed while the clock is far ahead of the newest entry, since then it may be wrong.
    """
    (newest,) = connection.execute("SELECT max(at) FROM requests").fetchone()
    if newest is None or not -LONGEST_PAUSE_S < now - newest < LONGEST_PAUSE_S:
        return 0
    gone = MOST_REMOVED
    number = 0
    while gone == MOST_REMOVED:  # other writers get their turn between two parts
        rows = connection.execute(
            "DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE at < ? LIMIT ?)",
            (now - older_than_s, MOST_REMOVED),
        )
        gone = rows.rowcount
        number += gone
    return number
