"""The ledger's file: private, never corrupt, small; two writers, a kill, a clock that jumps."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from openclaude.ledger import rollup
from openclaude.ledger.entry import RequestEntry
from openclaude.ledger.store import Unusable, add, forget, ledger_file, open_to_write
from openclaude.ledger.sums import Sums, Where, open_to_read
from openclaude.ledger.writer import Writer
from tests.unit.ledger.entries import entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a ledger that does not exist."""
    return ledger_file(tmp_path)


def written(path: Path) -> int:
    """Return how many entries there are."""
    ledger = open_to_read(path)
    assert ledger is not None
    try:
        return ledger.report("tier", Where()).total.requests
    finally:
        ledger.close()


def test_what_was_added_is_read_back(path: Path) -> None:
    one = entry(dollars=0.5, first_ms=None)
    connection = open_to_write(path)
    add(connection, [one, entry(session="s2")])
    connection.close()

    ledger = open_to_read(path)
    assert ledger is not None
    found = ledger.last(Where(), 9)
    ledger.close()
    assert [each.entry for each in found] == [one, entry(session="s2")]


def test_only_the_user_can_read_it_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        connection = open_to_write(path)
        add(connection, [entry()])
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        connection.close()
    finally:
        os.umask(before)

    assert set(modes.values()) == {0o600}
    assert len(modes) > 1  # SQLite's own beside it
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_link_in_its_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path.symlink_to(victim)

    with pytest.raises(Unusable):
        open_to_write(path)
    assert victim.read_text() == "mine"


def test_a_folder_that_others_can_write_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o777)

    with pytest.raises(Unusable, match="can be written by another user"):
        open_to_write(path)


@pytest.mark.parametrize("content", [b"not a database, but more than sixteen bytes", b"\0" * 4096])
def test_a_file_that_is_not_a_database_is_set_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(content)
    path.chmod(0o600)

    connection = open_to_write(path)
    add(connection, [entry()])
    connection.close()

    assert written(path) == 1
    (aside,) = path.parent.glob("*.broken-*")
    assert aside.read_bytes() == content


def test_a_file_of_a_later_version_is_left_alone(path: Path) -> None:
    open_to_write(path).close()
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version = 99")
    later.close()

    with pytest.raises(Unusable, match="later version"):
        open_to_write(path)
    with pytest.raises(Unusable, match="later version"):
        open_to_read(path)


def test_a_batch_is_added_as_a_whole_or_not_at_all(path: Path) -> None:
    connection = open_to_write(path)

    with pytest.raises(sqlite3.Error):
        add(connection, [entry(), entry()._replace(profile=None)])  # type: ignore[arg-type]
    add(connection, [entry()])
    connection.close()

    assert written(path) == 1


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (1000.0 * 86400, 1),  # of three, two are older than 90 days
        (1000.0 * 86400 + 10, 1),
        (9000.0 * 86400, 3),  # the clock has jumped ahead by years
        (10.0 * 86400, 3),  # and back
    ],
)
def test_old_entries_are_removed_unless_the_clock_is_wrong(
    path: Path, now: float, left: int
) -> None:
    connection = open_to_write(path)
    add(connection, [entry(at=day * 86400.0) for day in (800, 900, 999)])

    forget(connection, older_than_s=90 * 86400, now=now)
    connection.close()

    assert written(path) == left


# The writer --------------------------------------------------------------------------------------


def test_entries_are_written_soon_and_a_strange_one_ends_nothing(path: Path) -> None:
    writer = Writer(path, keep_s=1e9)

    writer.note(entry)
    writer.note(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    writer.note(lambda: None)
    writer.note(entry)

    assert writer.flush(30.0)
    assert written(path) == 2
    assert writer.lost == 1


def test_who_follows_gets_entries_also_where_the_file_cannot_be_written(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaude.ledger.writer.PAUSE_S", 0.0)
    path.mkdir(parents=True)
    got: list[RequestEntry] = []
    writer = Writer(path, keep_s=1e9, follow=got.extend)

    writer.note(entry)

    assert writer.flush(30.0)
    assert (len(got), writer.lost) == (1, 1)


def test_who_follows_and_fails_ends_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_entries: list[RequestEntry]) -> None:
        raise ValueError("words of a request")

    writer = Writer(path, keep_s=1e9, follow=fail)

    writer.note(entry)

    assert writer.flush(30.0)
    assert written(path) == 1
    assert caplog.messages == ["requests are not passed on: ValueError"]


def test_entries_of_a_moment_are_written_together_and_at_once_if_somebody_waits(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = []
    monkeypatch.setattr("openclaude.ledger.writer.GATHER_S", 600.0)
    monkeypatch.setattr("openclaude.ledger.writer.add", lambda _, many: together.append(len(many)))
    writer = Writer(path, keep_s=1e9)

    for _ in range(10):
        writer.note(entry)

    assert writer.flush(30.0)
    assert together == [10]


def test_a_ledger_that_cannot_be_written_costs_nobody_anything_and_is_logged_once(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaude.ledger.writer.PAUSE_S", 0.0)
    path.parent.mkdir()
    path.parent.chmod(0o777)
    writer = Writer(path, keep_s=1e9)

    for _ in range(5):
        writer.note(entry)
        assert writer.flush(30.0)

    assert writer.lost == 5
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    path.parent.chmod(0o700)
    writer.note(entry)
    assert writer.flush(30.0)
    assert written(path) == 1


def test_a_queue_that_is_full_loses_entries_and_never_blocks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaude.ledger.writer.LONGEST_QUEUE", 2)
    writer = Writer(path, keep_s=1e9)
    monkeypatch.setattr(writer, "_run", lambda: None)

    for _ in range(5):
        writer.note(entry)

    assert writer.lost == 3


WRITE = """
import sys
from pathlib import Path
from openclaude.ledger.writer import Writer
from tests.unit.ledger.entries import entry
writer = Writer(Path(sys.argv[1]), keep_s=1e9)
print("ready", flush=True)
number = int(sys.argv[2])
while number:
    number -= 1
    writer.note(entry)
    writer.flush(60.0)
print(writer.lost, flush=True)
"""


@pytest.mark.reaches_out
@pytest.mark.slow
def test_two_processes_write_the_same_file(path: Path) -> None:
    argv = [sys.executable, "-c", textwrap.dedent(WRITE), str(path), "150"]
    both = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    said = [process.communicate()[0].split() for process in both]

    assert said == [["ready", "0"]] * 2
    assert written(path) == 300


@pytest.mark.reaches_out
@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_a_whole_file(path: Path) -> None:
    argv = [sys.executable, "-c", textwrap.dedent(WRITE), str(path), "100000"]
    open_to_write(path).close()
    for _ in range(3):
        began = written(path)
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            try:
                end = time.monotonic() + 60
                while written(path) < began + 20:
                    assert time.monotonic() < end
                    time.sleep(0.01)
            finally:
                process.kill()

    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    writer = Writer(path, keep_s=1e9)
    writer.note(entry)
    assert writer.flush(30.0)
    assert writer.lost == 0


FULL = """
import resource
import sys
from pathlib import Path
from openclaude.ledger import writer as module
from tests.unit.ledger.entries import entry
module.PAUSE_S = 0.0
folder = Path(sys.argv[1]).parent
writer = module.Writer(Path(sys.argv[1]), keep_s=1e9)
def write(number):
    for _ in range(number):
        writer.note(lambda: entry(changes="x" * 1000))
        assert writer.flush(60.0)
write(3)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
largest = max(file.stat().st_size for file in folder.iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 10_000, most))
while not writer.lost:
    write(1)
lost = writer.lost
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
write(5)
print(lost, writer.lost - lost)
"""


@pytest.mark.reaches_out
@pytest.mark.slow
def test_on_a_full_disk_entries_are_lost_and_the_file_is_not(path: Path) -> None:
    argv = [sys.executable, "-c", textwrap.dedent(FULL), str(path)]

    ran = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)

    assert ran.stdout.split() == ["1", "0"]  # none more, once there is space again
    assert ran.stderr.count("is not written") == 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert written(path) >= 8


def test_whatever_the_clock_said_entries_are_kept_and_shown(path: Path) -> None:
    connection = open_to_write(path)
    add(connection, [entry(at=at) for at in (0.0, 1_790_000_000.0, 1e13, 1e300)])
    connection.close()

    days = [day for day, _ in sums_by(path, "day")]

    assert len(days) == 3
    assert days[-1] == "9999-12-31"


def test_a_file_of_an_earlier_version_gets_its_new_columns_and_can_be_read_before(
    path: Path,
) -> None:
    open_to_write(path).close()
    with sqlite3.connect(path) as before:
        for trigger in (rollup.ADDED, rollup.REMOVED):
            before.execute(f"DROP TRIGGER {trigger}")
        before.execute(f"DROP TABLE {rollup.TABLE}")
        for name in RequestEntry._field_defaults:
            before.execute(f"ALTER TABLE requests DROP COLUMN {name}")
        old = entry()[: -len(RequestEntry._field_defaults)]
        names, marks = ", ".join(RequestEntry._fields[: len(old)]), ", ".join("?" * len(old))
        before.execute(f"INSERT INTO requests ({names}) VALUES ({marks})", old)  # noqa: S608
    before.close()

    assert [row[0] for row in sums_by(path, "project")] == [""]
    connection = open_to_write(path)
    add(connection, [entry(project="/p", changes="a", attempts="[]")])
    connection.close()

    assert sorted(row[0] for row in sums_by(path, "project")) == ["", "/p"]


def sums_by(path: Path, group: str) -> list[tuple[str, Sums]]:
    """Return the rows of a report, and read every entry."""
    ledger = open_to_read(path)
    assert ledger is not None
    try:
        assert len(ledger.last(Where(), 99)) == ledger.report(group, Where()).total.requests
        return ledger.report(group, Where()).rows
    finally:
        ledger.close()
