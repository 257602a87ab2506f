"""An instance's log: whatever is printed or logged in it has a time and a level."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.run.os.log_line import bare, is_detail, log_entry
from openclaude.run.worker import log
from openclaude.run.worker.log import (
    ABSENT_PAGES,
    EntryHandler,
    StampedStream,
    is_not_about_pages,
    leave_out_absent_pages,
    stamp_everything,
)

NOW = 1796032800.5
STAMP = "2026-11-30T10:00:00.500Z"


@contextlib.contextmanager
def logging_to(folder: Path) -> Iterator[Path]:
    """Let standard error of this process be a file."""
    path = folder / "main.log"
    kept = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield path
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_each_printed_line_has_its_time_and_what_is_indented_goes_on(tmp_path: Path) -> None:
    with logging_to(tmp_path) as path:
        stream = StampedStream(lambda: NOW)
        print("LiteLLM: ", end="", file=stream)
        print("hello\n\n  more of it\x1b[2J", file=stream)
        stream.write("unfinished \ud800")
        stream.flush()

    assert path.read_text() == (
        f"{STAMP} OUTPUT LiteLLM: hello\n"
        "    |   more of it\\x1b[2J\n"
        f"{STAMP} OUTPUT unfinished \\ud800\n"
    )


def test_a_traceback_is_hidden_but_for_its_last_line(tmp_path: Path) -> None:
    with logging_to(tmp_path) as path:
        stream = StampedStream(lambda: NOW)
        try:
            raise ValueError("no such thing")
        except ValueError:
            traceback.print_exc(file=stream)

    lines = path.read_text().splitlines()
    assert len(lines) > 3
    told = [line for line in lines if not is_detail(line)]
    assert told == [f"{STAMP} OUTPUT ValueError: no such thing"]


def test_a_line_without_end_is_written_all_the_same(tmp_path: Path) -> None:
    with logging_to(tmp_path) as path:
        StampedStream(lambda: NOW).write("x" * (log.LONGEST_PART + 1))

    assert path.stat().st_size > log.LONGEST_PART


def test_what_a_logger_says_is_one_entry_with_its_level_and_its_own_time(tmp_path: Path) -> None:
    said = "\x1b]0;PWNED\x07\x00"
    record = logging.LogRecord("LiteLLM Proxy", 40, "x.py", 1, "over: %s", (said,), None)
    with logging_to(tmp_path) as path:
        record.created = NOW
        EntryHandler().handle(record)
        record.created = NOW - 3600  # the clock was set back: the order stays that of the lines
        record.exc_text = "Traceback (most recent call last):\n  File x\nKeyError: 1"
        EntryHandler().handle(record)

    lines = path.read_text().splitlines()
    assert lines[0] == f"{STAMP} ERROR LiteLLM-Proxy: over: \\x1b]0;PWNED\\x07\\x00"
    assert lines[1].startswith("2026-11-30T09:00:00.500Z ERROR LiteLLM-Proxy: over: ")
    assert lines[2:] == [
        "    | Traceback (most recent call last):",
        "    |   File x",
        "    | KeyError: 1",
    ]
    assert [is_detail(line) for line in lines] == [False, False, True, True, True]
    assert bare(lines[0]) == "LiteLLM-Proxy: over: \\x1b]0;PWNED\\x07\\x00"
    assert is_detail(log_entry(NOW, "DEBUG", "x"))


def test_a_record_that_cannot_be_formatted_fails_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "%d", ("no number",), None)
    with logging_to(tmp_path) as path:
        monkeypatch.setattr(sys, "stderr", StampedStream(lambda: NOW))
        EntryHandler().handle(record)

    assert "TypeError" in path.read_text()


def test_every_logger_writes_so_and_the_filters_of_litellm_see_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Redaction(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            record.msg = str(record.msg).replace("sk-secret", "REDACTED")
            return True

    theirs = logging.StreamHandler()
    theirs.addFilter(Redaction())
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    logger = logging.getLogger("openclaude.test.theirs")
    monkeypatch.setattr(logger, "handlers", [theirs])
    monkeypatch.setattr(logger, "propagate", False)

    with logging_to(tmp_path) as path:
        stamp_everything()
        logger.warning("the key is sk-secret")
        logging.getLogger("openclaude.test.another").warning("sk-secret again")
        print("printed")
        stamp_everything()  # once more, in a fork of what has done it
        logger.warning("once")

    said = [line.split("Z ", 1)[1] for line in path.read_text().splitlines()]
    assert said == [
        "WARNING openclaude.test.theirs: the key is REDACTED",
        "WARNING openclaude.test.another: REDACTED again",
        "OUTPUT printed",
        "WARNING openclaude.test.theirs: once",
    ]
    assert len(logging.root.handlers) == 1


def test_an_entry_has_a_limit() -> None:
    entry = log_entry(NOW, "ERROR", "x" * 100_000)

    assert len(entry) < 70_000
    assert entry.endswith("\n    | ... 34464 more characters\n")


def test_an_error_about_pages_that_nobody_serves_is_left_out_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("LiteLLM Proxy")
    leave_out_absent_pages()
    try:
        for start in ABSENT_PAGES:
            logger.error(start + "%s is invalid or incomplete.", "/here")
        logger.error("Packaged otherwise")
    finally:
        logger.removeFilter(is_not_about_pages)
    assert [record.getMessage() for record in caplog.records] == ["Packaged otherwise"]


def test_litellm_says_it_in_these_words() -> None:
    import litellm.proxy

    text = Path(litellm.proxy.__path__[0], "proxy_server.py").read_text(encoding="utf-8")
    for start in ABSENT_PAGES:
        assert text.count(f'"{start}%s is invalid') == 1
