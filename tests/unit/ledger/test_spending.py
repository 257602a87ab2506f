"""What slots have cost: each request counts once, whoever has written it, and in its own time."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest

from openclaude.contracts.budget import Period
from openclaude.ledger.entry import RequestEntry
from openclaude.ledger.spending import Spending, allow, which
from openclaude.ledger.store import add, ledger_file, open_to_write
from tests.unit.ledger.entries import entry

DAY, MONTH, SESSION = Period.DAY, Period.MONTH, Period.SESSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a ledger that does not exist."""
    return ledger_file(tmp_path)


def write(path: Path, *entries: RequestEntry) -> None:
    """Write entries, as a stack does."""
    connection = open_to_write(path)
    add(connection, entries)
    connection.close()


def today(spending: Spending, tier: str = "") -> float:
    """Return what was spent today."""
    return round(spending.spent(DAY, which(DAY, "", time.time()), tier), 6)


def test_every_stacks_requests_count_once_before_and_after_they_are_written(path: Path) -> None:
    mine, other = Spending(path), Spending(path)
    now = time.time()

    written = mine.count(entry(at=now, dollars=0.25))

    assert (today(mine), today(other)) == (0.25, 0)
    write(path, written, other.count(entry(at=now, dollars=0.5, tier="opus", profile="glm")))
    for spending in (mine, other, Spending(path)):
        for _ in range(3):
            assert spending.refresh() == ""
            assert (today(spending), today(spending, "opus")) == (0.75, 0.5)


def test_a_request_belongs_to_its_day_its_month_and_its_session(path: Path) -> None:
    spending = Spending(path)
    at = datetime(2026, 11, 30, 23, 59, 59).astimezone().timestamp()
    write(path, entry(at=at, dollars=1.0, session="a"))
    for late, session in ((0, "a"), (2, "b"), (3, "")):
        spending.count(entry(at=at + late, dollars=1.0, session=session))
    spending.count(entry(at=at, dollars=None))

    assert [spending.spent(DAY, day, "") for day in ("2026-11-30", "2026-12-01")] == [1, 2]
    assert [spending.spent(MONTH, month, "haiku") for month in ("2026-11", "2026-12")] == [1, 2]
    assert [spending.spent(SESSION, one, "") for one in ("a", "b", "")] == [1, 1, 0]


def test_what_was_allowed_is_known_after_the_next_look(path: Path) -> None:
    spending = Spending(path)
    connection = open_to_write(path)
    for dollars in (1.0, 0.5):
        allow(connection, DAY, "2026-11-30", dollars)
    allow(connection, SESSION, "s", 9.0)
    connection.close()

    assert spending.refresh() == ""

    assert (spending.allowed(DAY, "2026-11-30"), spending.allowed(DAY, "2026-12-01")) == (1.5, 0)
    assert spending.allowed(SESSION, "s") == 9


def test_a_ledger_that_cannot_be_read_loses_nothing_that_is_known(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spending = Spending(path)
    now = time.time()
    write(path, entry(at=now, dollars=1.0))
    assert spending.refresh() == ""
    spending.count(entry(at=now, dollars=2.0))

    path.write_bytes(b"this is not a database, and more than sixteen bytes")
    for _ in range(3):
        assert spending.refresh()

    assert today(spending) == 3
    assert len(caplog.records) == 1


def test_a_ledger_that_was_begun_anew_is_read_from_its_beginning(path: Path) -> None:
    spending = Spending(path)
    now = time.time()
    write(path, *[entry(at=now, dollars=1.0)] * 5)
    spending.refresh()
    for file in path.parent.iterdir():
        file.unlink()
    write(path, entry(at=now, dollars=0.125))

    spending.refresh()

    assert today(spending) == 0.125


def test_where_there_is_no_ledger_only_this_stacks_requests_count(path: Path) -> None:
    spending = Spending(path)

    assert (spending.refresh(), today(spending)) == ("", 0)
    assert not path.exists()
