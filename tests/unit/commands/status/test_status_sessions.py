"""`openclaude status` and `openclaude top`: a line for each open session."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from openclaude.commands.status import sessions, top
from openclaude.commands.status.sessions import (
    SessionLine,
    assigned,
    claudes_id,
    session_lines,
    shortened,
    shown_sessions,
)
from openclaude.commands.status.top import View, fitting, picture_of
from openclaude.errors import UsageError
from openclaude.ledger.store import add, ledger_file, open_to_write
from openclaude.ledger.sums import SessionSums
from openclaude.paths import Places, find_places
from openclaude.run.os.processes import start_time
from tests.unit.ledger.entries import entry

NOW = 1_790_000_000.0


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return find_places({"HOME": str(tmp_path)})


def line(pid: int = 7, **changed: Any) -> SessionLine:
    began = changed.pop("began_at", NOW - 3720)
    folder = changed.pop("folder", "/home/me/work")
    return SessionLine("qwen", pid, folder, began, "s1", SessionSums()._replace(**changed))


def report(*pids: int, profile: str = "qwen") -> dict[str, Any]:
    living = [{"pid": pid, "started": start_time(pid)} for pid in pids]
    return {"profile": profile, "uptime_s": 61.0, "sessions": living}


def test_a_session_is_one_line_and_a_stack_without_one_another() -> None:
    failed = line(
        requests=12,
        dollars=0.1234,
        answered="bedrock/qwen\x1b[2J",
        error="429 rate_limit_error",
        error_at=NOW - 65,
    )

    text = shown_sessions([failed], [report(profile="base")], Path("/home/me"), NOW)

    assert text.splitlines() == [
        "FOLDER  AGE    PROFILE  MODEL                REQUESTS  COST     LAST ERROR",
        "~/work  1h 2m  qwen     bedrock/qwen\\x1b[2J  12        $0.1234  429 rate_limit_error, 1m 5s ago",  # noqa: E501
        "base: up 1m 1s, no open session",
    ]


def test_a_clock_that_was_set_back_makes_no_age_negative() -> None:
    later = line(began_at=NOW + 99, error="529", error_at=NOW + 99)

    cells = sessions.row(later, Path("/"), NOW)

    assert (cells[1], cells[-1]) == ("0s", "529, 0s ago")


@pytest.mark.parametrize(
    ("folder", "shown"),
    [
        ("/home/me", "~"),
        ("/home/meyer", "/home/meyer"),
        ("/a\x1b]0;x\x07\n", "/a\\x1b]0;x\\x07\\n"),
        ("/" + "x" * 60, "..." + "x" * 37),
        ("", ""),
    ],
)
def test_a_folder_is_short_and_harmless(folder: str, shown: str) -> None:
    assert shortened(folder, Path("/home/me")) == shown


def test_each_of_two_sessions_in_one_folder_has_its_own_requests() -> None:
    early, late = line(1, began_at=10.0), line(2, began_at=20.0)

    assert assigned([early, late], [("x", 15.0), ("y", 25.0)]) == {1: "x", 2: "y"}
    assert assigned([early, late], [("y", 25.0), ("x", 26.0)]) == {2: "y", 1: "x"}
    assert assigned([early], [("x", 15.0), ("after /clear", 25.0)]) == {1: "after /clear"}
    assert assigned([early], [("of one before", 5.0)]) == {}


def test_the_ledger_and_the_process_belong_together(places: Places, tmp_path: Path) -> None:
    me, folder = os.getpid(), os.path.realpath(Path.cwd())
    connection = open_to_write(ledger_file(places.state))
    now = time.time()
    mine = {"session": "s-1", "project": folder, "at": now + 1}
    add(
        connection,
        [
            entry(**mine, dollars=0.5),
            entry(**mine, status=429, error="rate_limit_error", answered="", dollars=None),
            entry(**mine, agent="Explore", answered="another", dollars=0.25),
            entry(session="s-2", project="/elsewhere", at=now + 1),
            entry(session="s-3", project=folder, at=now + 1, profile="base"),
        ],
    )
    connection.close()

    (found,) = session_lines([report(me)], places, {}, now)

    assert (found.folder, found.session) == (folder, "s-1")
    assert found.used == SessionSums(
        requests=3,
        errors=1,
        dollars=0.75,
        last_at=now + 1,
        answered="bedrock/qwen",
        error_at=now + 1,
        error="429 rate_limit_error",
    )
    assert json.dumps(found.document())
    config = tmp_path / "claude"
    (config / "sessions").mkdir(parents=True)
    (config / "sessions" / f"{me}.json").write_text(json.dumps({"pid": me, "sessionId": "s-2"}))
    (known,) = session_lines([report(me)], places, {"CLAUDE_CONFIG_DIR": str(config)}, now)
    assert (known.session, known.used.requests) == ("s-2", 1)


def test_a_pid_that_was_taken_by_another_process_is_nobody(places: Places) -> None:
    gone = report(os.getpid())
    gone["sessions"][0]["started"] = "1"

    (found,) = session_lines([gone], places, {}, NOW)

    assert (found.folder, found.began_at) == ("", None)
    assert f"pid {os.getpid()}" in shown_sessions([found], [], Path("/home/me"), NOW)


@pytest.mark.parametrize("said", ["", "[", "[]", '{"pid": 8, "sessionId": "x"}', '{"pid": 7}'])
def test_a_file_of_claudes_that_says_something_else_says_nothing(tmp_path: Path, said: str) -> None:
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "7.json").write_text(said)

    assert claudes_id(7, tmp_path) == ""
    assert claudes_id(9, tmp_path) == ""


def test_a_ledger_that_cannot_be_read_leaves_its_columns_empty(places: Places) -> None:
    path = ledger_file(places.state)
    path.parent.mkdir(parents=True)
    path.write_text("no database" * 1000)

    (found,) = session_lines([report(os.getpid())], places, {}, NOW)

    assert found.used == SessionSums()
    assert sessions.row(found, Path("/"), NOW)[4:] == ("0", "-", "-")


def test_the_picture_has_the_size_of_the_terminal(places: Places) -> None:
    view = View([line(pid, requests=pid) for pid in range(1, 40)], [], ["`base` is silent"])

    picture = picture_of(view, "r", places, 40, 10)

    assert len(picture) == 10
    assert picture[0].startswith("\x1b[1msessions: 39, $0.00 on slots, ")
    assert all(len(shown) <= 40 for shown in picture[1:])
    assert picture[-2] == "... 34 more lines"
    assert picture[-1] == fitting(top.KEYS, 40)
    rows = [shown for shown in picture_of(view, "r", places, 200, 60) if "qwen" in shown]
    assert [int(shown.split()[5]) for shown in rows] == list(range(39, 0, -1))


def test_wide_letters_take_two_columns() -> None:
    assert fitting("日本語", 5) == "日本"
    assert fitting("e\u0301e", 1) == "e\u0301"


def test_top_without_a_terminal_says_what_else_there_is(places: Places) -> None:
    import argparse

    with pytest.raises(UsageError, match="needs a terminal"):
        top.run(argparse.Namespace(profile=None), places, {"TERM": "xterm"})


def test_signals_are_noted_and_handled_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGWINCH)

    with top.signals() as noted:
        os.kill(os.getpid(), signal.SIGWINCH)
        signal.pthread_sigmask(signal.SIG_BLOCK, [])
        assert list(os.read(noted, 9)) == [signal.SIGWINCH]

    assert signal.getsignal(signal.SIGWINCH) == before
