"""The files of logs, whatever another program has put in their place."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from openclaude.run.os.log_line import CONTINUED, is_detail
from openclaude.run.stack import logs
from openclaude.run.stack.logs import bound_log, last_lines, open_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "main.log"


@pytest.mark.parametrize("kind", ["link", "dangling", "fifo"])
def test_what_is_no_file_is_replaced_by_one_and_what_a_link_leads_to_is_spared(
    log: Path, tmp_path: Path, kind: str
) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("precious\n")
    match kind:
        case "fifo":
            os.mkfifo(log)
        case "link":
            log.symlink_to(theirs)
        case _:
            log.symlink_to(tmp_path / "nowhere")

    with open_log(log) as file:
        file.write(b"ours\n")

    assert (log.read_text(), theirs.read_text()) == ("ours\n", "precious\n")
    assert log.lstat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "nowhere").exists()


def test_a_link_is_neither_rotated_nor_read(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOG_LIMIT", 10)
    theirs = tmp_path / "theirs"
    theirs.write_text("precious and long\n" * 10)
    log.symlink_to(theirs)

    with contextlib.suppress(OSError):
        bound_log(log)

    assert theirs.read_text() == "precious and long\n" * 10
    assert last_lines(log) == ""


def test_the_copy_of_a_long_log_does_not_follow_a_link(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOG_LIMIT", 10)
    theirs = tmp_path / "theirs"
    theirs.write_text("precious\n")
    (tmp_path / "main.log.new").symlink_to(theirs)
    log.write_text("a line\n" * 10)

    bound_log(log)

    assert theirs.read_text() == "precious\n"
    assert log.read_text() == ""
    assert (tmp_path / "main.log.1").read_text() == "ne\na line\n"


def test_last_lines_go_back_beyond_a_rotation(log: Path) -> None:
    log.with_suffix(".log.1").write_text("one\ntwo\n")
    log.write_text("three\n")

    assert last_lines(log, 2) == "two\nthree"
    assert last_lines(log, 9) == "one\ntwo\nthree"
    assert last_lines(log, 0) == ""


def test_lines_that_are_not_shown_do_not_count(log: Path) -> None:
    log.write_text(f"one\n{CONTINUED}detail\n{CONTINUED}detail\ntwo\n")

    assert last_lines(log, 2, lambda line: not is_detail(line)) == "one\ntwo"


def test_huge_lines_and_bytes_that_are_no_text_are_shown_within_limits(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_bytes(b"\x00\xff\x1b[2J\n" + b"y" * 40_000 + b"\nlast\n")

    first, second, third = last_lines(log).split("\n")
    assert (first, third) == ("\\x00\ufffd\\x1b[2J", "last")
    assert second.endswith("y ... 23616 more bytes")
    monkeypatch.setattr(logs, "LOG_LIMIT", 100)
    assert last_lines(log) == "last"


def test_a_folder_in_place_of_a_log_is_no_log(log: Path) -> None:
    log.mkdir()

    assert last_lines(log) == ""
    with pytest.raises(IsADirectoryError):
        open_log(log)
