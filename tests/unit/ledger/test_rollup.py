"""The sums that the file keeps itself: always those of its entries, whoever writes or removes."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.ledger import rollup, sums
from openclaude.ledger.entry import RequestEntry, Via
from openclaude.ledger.store import add, columns, forget, ledger_file, open_to_write
from openclaude.ledger.sums import GROUPS, LedgerReader, UsageReport, Where, open_to_read
from tests.unit.ledger.entries import entry

BEGAN = 1_790_000_000.0
WHERES = (
    Where(),
    Where(since=BEGAN + 1234.5),
    Where(since=BEGAN - BEGAN % 900 + 900),  # where a quarter of an hour begins
    Where(since=BEGAN + 86400, profile="qwen"),
    Where(session="s1"),
    Where(since=BEGAN + 9e9),
)


def made(number: int) -> list[RequestEntry]:
    """Return different entries, always the same."""
    chance = random.Random(number)  # noqa: S311
    return [
        entry(
            at=BEGAN + chance.choice((0, 900 * chance.randrange(300), chance.random() * 2e5)),
            profile=chance.choice(("qwen", "glm")),
            session=chance.choice(("s1", "s12", "s2")),
            project=chance.choice(("", "/a")),
            tier=chance.choice(("haiku", "opus", "")),
            via=chance.choice(tuple(Via)),
            answered=chance.choice(("", "bedrock/a")),
            status=chance.choice((0, 200, 200, 429)),
            tokens_in=chance.choice((None, 12)),
            cache_read=chance.choice((None, 5)),
            dollars=chance.choice((None, 0.125)),
            first_ms=chance.choice((None, 80)),
        )
        for _ in range(number)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a ledger that does not exist."""
    return ledger_file(tmp_path)


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """Return an open ledger with entries."""
    opened = open_to_write(path)
    add(opened, made(400))
    yield opened
    opened.close()


def check(path: Path, monkeypatch: pytest.MonkeyPatch) -> UsageReport:
    """Compare every report with one of the entries alone; return one of all."""
    ledger = open_to_read(path)
    assert ledger is not None
    for group in GROUPS:
        for where in WHERES:
            fast = ledger.report(group, where)
            with monkeypatch.context() as patch:
                patch.setattr(sums, "has_rollup", lambda _: False)
                assert fast == ledger.report(group, where), (group, where)
    report = ledger.report("day", Where())
    ledger.close()
    return report


def drop(connection: sqlite3.Connection) -> None:
    """Leave a file as one of a version that had no rollup."""
    for kind, name in (
        ("TRIGGER", rollup.ADDED),
        ("TRIGGER", rollup.REMOVED),
        ("TABLE", rollup.TABLE),
        ("INDEX", "by_quota"),
    ):
        connection.execute(f"DROP {kind} {name}")


def test_every_report_is_that_of_the_entries(
    connection: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rollup.has_rollup(connection)
    report = check(path, monkeypatch)

    assert report.total.requests == 400
    assert len(report.rows) > 2


def test_reports_do_not_read_the_entries(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("DROP TRIGGER rollup_removed")
    connection.execute("CREATE TRIGGER rollup_removed AFTER DELETE ON requests BEGIN SELECT 1; END")
    connection.execute("DELETE FROM requests")
    reader = LedgerReader(connection)

    assert reader.report("day", Where()).total.requests == 0  # the trigger is not ours: not trusted
    connection.execute("DROP TRIGGER rollup_removed")
    connection.execute(rollup.statements()[-1])
    assert reader.report("day", Where()).total.requests == 400


def test_what_is_removed_is_no_longer_counted(
    connection: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert forget(connection, older_than_s=86400, now=BEGAN + 2e5) > 100
    left = check(path, monkeypatch).total
    connection.execute("DELETE FROM requests")

    assert 0 < left.requests < 300
    assert check(path, monkeypatch) == UsageReport([], sums.Sums(), {})
    assert connection.execute("SELECT count(*) FROM rollup").fetchone() == (0,)


def test_a_file_without_it_can_be_read_and_gets_it_when_it_is_written(
    connection: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(connection)
    before = check(path, monkeypatch)

    open_to_write(path).close()

    assert rollup.has_rollup(connection)
    assert check(path, monkeypatch) == before


def test_one_of_another_version_is_made_anew(
    connection: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = check(path, monkeypatch)
    drop(connection)
    connection.execute("CREATE TABLE rollup (bucket, requests)")
    connection.execute("INSERT INTO rollup VALUES (1, 99)")

    assert check(path, monkeypatch) == before
    open_to_write(path).close()
    assert rollup.has_rollup(connection)
    assert check(path, monkeypatch) == before


def test_entries_that_an_earlier_version_writes_are_counted(
    connection: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = entry()[: -len(RequestEntry._field_defaults)]
    names = ", ".join(list(columns())[: len(old)])
    marks = ", ".join("?" * len(old))

    connection.execute(f"INSERT INTO requests ({names}) VALUES ({marks})", old)  # noqa: S608

    assert check(path, monkeypatch).total.requests == 401


def test_a_batch_that_fails_leaves_the_sums_as_they_were(
    connection: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(sqlite3.Error):
        add(connection, [entry(), entry()._replace(profile=None)])  # type: ignore[arg-type]

    assert check(path, monkeypatch).total.requests == 400


MIGRATE = """
import sys
from pathlib import Path
from openclaude.ledger import rollup, store
connection = store.connect(Path(sys.argv[1]))
connection.set_trace_callback(lambda text: print(text.split()[0], flush=True))
connection.set_progress_handler(lambda: print("busy", flush=True), 10_000)
rollup.add_rollup(connection)
"""


@pytest.mark.reaches_out
@pytest.mark.slow
def test_a_kill_while_an_old_file_is_summed_loses_nothing(
    connection: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(connection, made(20_000))
    drop(connection)
    before = check(path, monkeypatch)
    argv = [sys.executable, "-c", MIGRATE, str(path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert "INSERT\n" in lines
        assert next(lines) == "busy\n"
        process.kill()

    assert not rollup.has_rollup(connection)
    assert check(path, monkeypatch) == before
    open_to_write(path).close()
    assert rollup.has_rollup(connection)
    assert check(path, monkeypatch) == before
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
