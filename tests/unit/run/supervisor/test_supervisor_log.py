"""The supervisor's log: when each thing was done, in a file of limited length."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.run.os.log_line import stamp
from openclaude.run.supervisor import log
from openclaude.run.supervisor.log import Faults, SupervisorLog


@contextlib.contextmanager
def logging_to(folder: Path) -> Iterator[Path]:
    """Return a log that receives standard output and error, as a supervisor's does."""
    found = folder / "supervisor.log"
    kept = [os.dup(standard) for standard in log.STANDARD]
    descriptor = os.open(found, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in log.STANDARD:
        os.dup2(descriptor, standard)
    os.close(descriptor)
    try:
        yield found
    finally:
        for standard, old in zip(log.STANDARD, kept, strict=True):
            os.dup2(old, standard)
            os.close(old)


def test_an_entry_has_the_time_in_utc_to_the_millisecond(tmp_path: Path) -> None:
    with logging_to(tmp_path) as path:
        SupervisorLog(path, lambda: 1796032800.1239)("start main: a connection arrived")

    assert path.read_text() == "2026-11-30T10:00:00.123Z INFO start main: a connection arrived\n"
    assert stamp(0.0) == "1970-01-01T00:00:00.000Z"


def test_a_long_log_is_put_aside_and_python_writes_to_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "LOG_LIMIT", 100)

    with logging_to(tmp_path) as path:
        write = SupervisorLog(path, lambda: 0.0)
        for number in range(20):
            write(f"entry {number}")
        os.write(2, b"a traceback\n")

    aside = path.with_name("supervisor.log.1")
    assert max(path.stat().st_size, aside.stat().st_size) < 200
    assert path.read_text().endswith("entry 19\na traceback\n")
    assert aside.stat().st_mode & 0o777 == path.stat().st_mode & 0o777 == 0o600
    assert {found.name for found in path.parent.iterdir()} == {path.name, aside.name}


def test_the_log_of_a_successor_is_not_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "LOG_LIMIT", 1)

    with logging_to(tmp_path) as path:
        write = SupervisorLog(path, lambda: 0.0)
        aside = path.rename(path.with_name("supervisor.log.1"))  # as the successor does
        path.write_text("the successor's\n")
        write("one")
        write("two")

    assert aside.read_text().count("\n") == 2
    assert path.read_text() == "the successor's\n"


def test_a_fault_is_told_whole_once_and_then_ever_more_rarely() -> None:
    said: list[str] = []
    faults = Faults(said.append)

    def fail() -> None:
        raise IndexError("tuple index out of range")

    pauses = []
    for _ in range(100):
        assert faults.survive("hearing what was said", fail) is None
        pauses.append(faults.end_round())

    assert len(said) == 7
    assert said[0].startswith("hearing what was said failed, which is a bug; the stack goes on:\n")
    assert said[-1] == (
        "hearing what was said failed 64 times: IndexError('tuple index out of range')"
    )
    assert (pauses[0], max(pauses)) == (log.FIRST_PAUSE_S, log.LONGEST_PAUSE_S)
    assert faults.survive("waiting", lambda: 3) == 3
    assert faults.end_round() == 0.0


def test_a_recursion_without_end_is_told_in_a_few_lines() -> None:
    said: list[str] = []

    def deeper() -> None:
        deeper()

    Faults(said.append).survive("answering", deeper)

    assert "RecursionError" in said[0]
    assert len(said[0].splitlines()) < 70


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EMFILE, "as the system refused it (Too many open files)"),
        (errno.ENOSPC, "as the system refused it (No space left on device)"),
        (errno.EBADF, "which is a bug"),
    ],
)
def test_what_the_system_refuses_is_no_bug(number: int, words: str) -> None:
    said: list[str] = []

    def refuse() -> None:
        raise OSError(number, os.strerror(number))

    Faults(said.append).survive("counting sessions", refuse)

    assert said[0].startswith(f"counting sessions failed, {words}; the stack goes on:\n")
