"""The messages between processes: those of the version before are read, wrong ones are refused.

wire/ contains what openclaude sent at commit 3de8aeb, recorded from its own code: a launch of this
version takes such a stack over, and one of that version takes a stack of this one over.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openclaude.contracts import control
from openclaude.contracts.control import (
    AskStatus,
    GiveAway,
    Join,
    Joinable,
    Question,
    Reload,
    Restart,
    Session,
    StartMethod,
    Stop,
    Stopped,
    question_line,
    read_question,
)
from openclaude.contracts.decode import Malformed, encode, read
from openclaude.contracts.handover import read_handover
from openclaude.contracts.plan import read_plan
from openclaude.contracts.report import ForkserverReport, ForkserverState, UnitState, read_report
from openclaude.contracts.stack_record import read_stack_record
from openclaude.contracts.worker import (
    Forked,
    ForkEnded,
    ForkserverReady,
    UnitFatal,
    UnitLacksPort,
    UnitLoad,
    UnitSize,
    UnitWarning,
    fatal_line,
    load_line,
    no_port_line,
    read_forkserver_message,
    read_order,
    read_unit_line,
    read_unit_setup,
    size_line,
    warning_line,
)

WIRE = Path(__file__).with_name("wire")


def before(name: str) -> str:
    """Return what the version before sent."""
    return (WIRE / name).read_text(encoding="utf-8")


# -- messages of the version before ----------------------------------------------------------------


def test_its_questions_are_understood() -> None:
    questions = [
        read_question(line) for line in (WIRE / "questions.jsonl").read_bytes().splitlines()
    ]

    assert questions == [
        Join(
            session=(4242, "123456"),
            delay_s=0.5,
            inherited={"HOME": "/home/u", "LANG": "C.UTF-8"},
        ),
        Join(),
        Join(),
        Reload(inherited={"HOME": "/home/u"}),
        Restart(inherited={}),
        AskStatus(),
        Stop(),
        GiveAway(),
    ]


def test_our_questions_are_what_it_understands() -> None:
    """Field by field what it sent itself, in any order."""
    lines = before("questions.jsonl").splitlines()
    lines.remove('{"do": "join"}')  # about the demo; ours name every field
    ours: list[Question] = [
        Join(
            session=(4242, "123456"),
            delay_s=0.5,
            inherited={"HOME": "/home/u", "LANG": "C.UTF-8"},
        ),
        Join(),
        Reload(inherited={"HOME": "/home/u"}),
        Restart(inherited={}),
        AskStatus(),
        Stop(),
        GiveAway(),
    ]

    theirs = [json.loads(line) for line in lines]
    for one in theirs:
        if one["do"] == "join":
            one["is_ephemeral"] = False  # new
    theirs[theirs.index({"do": "status"})]["inherited"] = {}  # new, and ignored by who knows it not
    assert [json.loads(question_line(one)) for one in ours] == theirs
    assert all(question_line(one).endswith(b"}\n") for one in ours)


def test_its_report_is_understood_by_a_launch_and_by_status() -> None:
    text = before("report.json")

    found, report = read(Joinable, text, "answer"), read_report(json.loads(text))

    assert (found.version, found.port, found.is_stopping) == ("0.1.0", 24000, False)
    assert [type(session) for session in found.sessions] == [Session]
    assert found.sessions == report.sessions
    assert found.main_key == "sk-openclaude-main"
    assert [(unit.name, unit.state) for unit in report.units] == [
        ("main", UnitState.READY),
        ("providers", UnitState.READY),
    ]
    assert report.draining == ()
    assert report.preloader is not None
    assert report.forkserver == ForkserverReport(
        pid=report.preloader, state=ForkserverState.UNKNOWN
    )


def test_our_report_has_everything_that_it_reads() -> None:
    """Every field, with the same type; a state that it does not know is displayed as it is."""
    theirs = json.loads(before("report.json"))
    ours = encode(read_report(theirs))

    for name, value in theirs.items():
        assert type(ours[name]) is type(value), name
    for name in ("units", "tiers", "sessions"):
        assert set(theirs[name][0]) <= set(ours[name][0]), name


def test_its_other_messages_are_understood() -> None:
    handover = read_handover(before("handover.json"))
    assert (handover.port, handover.method) == (24000, StartMethod.FORK)
    assert [started for _, started in handover.sessions]
    old = json.loads(before("handover.json"))
    assert json.loads(handover.to_json()) == {
        **old,
        **{"certificate": "", "former": [], "is_ephemeral": False},
    }

    record = read_stack_record(before("stack.json"))
    old = json.loads(before("stack.json"))
    assert json.loads(record.to_json()) == {**old, "former": [], "where": ""}

    stopped = read(Stopped, before("stopped.json"), "answer")
    assert encode(stopped) == json.loads(before("stopped.json"))

    setup = read_unit_setup(before("setup.json"))
    assert setup.folder == "/stack/empty"
    assert json.loads(setup.to_json()) == json.loads(before("setup.json"))

    messages = [
        read_forkserver_message(line.encode()) for line in before("forkserver.jsonl").splitlines()
    ]
    assert messages == [
        ForkserverReady(),
        Forked(forked=77),
        ForkEnded(exited=77, code=-9),
    ]
    assert read_order(b'{"application": "m:app"}').application == "m:app"


def test_its_plan_is_read_and_written_byte_for_byte_but_for_what_is_new() -> None:
    text = before("plan.json")
    new: tuple[str, ...] = ('  "is_tls": true,\n', '  "before_fork": [],\n')
    new += ('  "aws_on_expired": "ask",\n', '  "aws_login": "",\n')
    new += ('    "model_settings": {},\n', ',\n    "unbound": []', '    "claude_rows": [],\n')
    new += ('    "has_status_line": true,\n',)
    new += (',\n      "starts_programs": false',)

    written = read_plan(text).to_json()

    for line in new:
        written = written.replace(line, "")
    assert written == text


# -- what is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            b"[]",
            "control request: `do` must be one of join, status, reload, restart, lock, "
            "handover, stop",
        ),
        (b'{"do": ["join"]}', "control request: `do` must be one of join, "),
        (b'{"do": "dance"}', "control request: `do` must be one of join, "),
        (
            b'{"do": "join", "session": [1]}',
            "control request `join`: `session` must have 2 entries, not 1",
        ),
        (
            b'{"do": "join", "session": ["1", "1"]}',
            "control request `join`: `session[0]` must be a whole number, not text",
        ),
        (
            b'{"do": "join", "session": [0, ""]}',
            "control request `join`: `session[0]` must be a process id",
        ),
        (
            b'{"do": "join", "session": [99999999999, ""]}',
            "control request `join`: `session[0]` must be a process id",
        ),
        (
            b'{"do": "join", "delay_s": NaN}',
            "control request `join`: `delay_s` must be a number, not nan",
        ),
        (
            b'{"do": "join", "delay_s": -1}',
            "control request `join`: `delay_s` must be between 0 and 60",
        ),
        (
            b'{"do": "join", "delay_s": 1e9}',
            "control request `join`: `delay_s` must be between 0 and 60",
        ),
        (
            b'{"do": "join", "inherited": {"A": 1}}',
            "control request `join`: `inherited.A` must be text, not a whole number",
        ),
        (
            b'{"do": "restart", "inherited": {"A": "b\\u0000"}}',
            "control request `restart`: `inherited` has an invalid variable",
        ),
        (
            b'{"do": "reload", "inherited": {"A=B": "c"}}',
            "control request `reload`: `inherited` has an invalid variable",
        ),
        (b'{"do": "reload"}', "control request `reload`: `inherited` is missing"),
        (b"[" * 100_000, "control request: it is nested too deeply"),
    ],
)
def test_a_question_that_cannot_be_is_refused_with_a_sentence(line: bytes, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_question(line)

    assert str(refused.value).startswith(sentence)


def changed(text: str, *path: str | int, to: Any) -> str:
    """Return a JSON text with one value changed."""
    document = json.loads(text)
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "to", "sentence"),
    [
        (("port",), "4000", "plan: `port` must be a whole number, not text"),
        (("port",), 0, "plan: `port` must be between 1 and 65534"),
        (("port",), 65535, "plan: `port` must be between 1 and 65534"),
        (("version",), 2, "plan: it is from another version"),
        (("units",), {}, "plan: `units` must be a list, not an object"),
        (
            ("units", 1, "inherit", 0),
            1,
            "plan: `units[1].inherit[0]` must be text, not a whole number",
        ),
        (
            ("units", 0, "environment", "KEY"),
            None,
            "plan: `units[0].environment.KEY` must be text, not null",
        ),
        (("units", 0, "nice"), 5, "plan: `units[0].nice` is unknown"),
        (("tiers", 0, "tier"), [], "plan: `tiers[0].tier` must be text, not a list"),
        (
            ("launch", "agents"),
            {"a": 1},
            "plan: `launch.agents.a` must be an object, not a whole number",
        ),
        (
            ("launch", "picker"),
            [1],
            "plan: `launch.picker[0]` must be an object, not a whole number",
        ),
        (("linger_s",), "90s", "plan: `linger_s` must be a number, not text"),
        (("strict",), 0, "plan: `strict` must be true or false, not a whole number"),
        (
            ("units", 0, "secrets"),
            {"KEY": "sk-123"},
            "plan: `KEY` in the secrets of `main` must say where the secret is, not the secret "
            "itself",
        ),
        (("files", "main.yaml"), {}, "plan: `files.main.yaml` must be text, not an object"),
    ],
)
def test_a_plan_with_wrong_types_is_refused(path: tuple[str], to: Any, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_plan(changed(before("plan.json"), *path, to=to))

    assert str(refused.value) == sentence


@pytest.mark.parametrize("text", ["", "null", "[]", '"x"', "{}", '{"version": 3}', "\x00"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match=r"^plan: "):
        read_plan(text)


@pytest.mark.parametrize(
    ("path", "to", "sentence"),
    [
        (("method",), "thread", "handover: `method` must be one of fork, spawn"),
        (("main",), "5", "handover: `main` must be a whole number, not text"),
        (("sessions", 0), [1, 2], "handover: `sessions[0][1]` must be text, not a whole number"),
        (("later",), 1, "handover: `later` is unknown"),
        (
            ("inherited", "A"),
            "\x00",
            "handover: `inherited` has an invalid variable",
        ),
    ],
)
def test_a_handover_with_wrong_types_is_refused(path: tuple[str], to: Any, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_handover(changed(before("handover.json"), *path, to=to))

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("path", "to", "sentence"),
    [
        (("pid",), "1", "stack record: `pid` must be a whole number, not text"),
        (("pid",), 0, "stack record: `pid` cannot be 0"),
        (("port",), 65535, "stack record: `port` cannot be 65535"),
        (("started",), None, "stack record: `started` must be text, not null"),
    ],
)
def test_a_stack_record_that_cannot_be_is_refused(path: tuple[str], to: Any, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_stack_record(changed(before("stack.json"), *path, to=to))

    assert str(refused.value) == sentence


def test_a_stack_record_of_a_later_version_is_read() -> None:
    read_stack_record(changed(before("stack.json"), "later", to={}))


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        (b"{}", "message of the forkserver: it must have one of ready, forked, exited"),
        (b"[1]", "message of the forkserver: it must have one of ready, forked, exited"),
        (
            b'{"forked": "1"}',
            "message of the forkserver: `forked` must be a whole number, not text",
        ),
        (b'{"exited": 1}', "message of the forkserver: `code` is missing"),
    ],
)
def test_a_message_of_a_forkserver_that_cannot_be_is_refused(packet: bytes, sentence: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_forkserver_message(packet)

    assert str(refused.value) == sentence


def test_a_units_lines_are_two_numbers_or_its_last_words() -> None:
    assert read_unit_line(load_line(3, 12).rstrip(b"\n")) == UnitLoad(in_flight=3, served=12)
    assert read_unit_line(size_line(7).rstrip(b"\n")) == UnitSize(pss_bytes=7)
    worse = warning_line("LiteLLM answered 500\nat its start")
    assert read_unit_line(worse.rstrip(b"\n")) == UnitWarning(
        sentence="LiteLLM answered 500 at its start"
    )
    lacks = no_port_line(9464, "another program\nlistens there")
    assert read_unit_line(lacks.rstrip(b"\n")) == UnitLacksPort(
        port=9464, reason="another program listens there"
    )
    words = fatal_line("the secret `env:A\nB` is not set")
    assert read_unit_line(words.rstrip(b"\n")) == UnitFatal(
        sentence="the secret `env:A B` is not set"
    )
    assert words.count(b"\n") == 1


@pytest.mark.parametrize(
    "line",
    [b"", b"1", b"1 2 3", b"a b", b"-1 2", b"1.0 2", b"1  2", b"\xff 1", b"9" * 5000 + b" 1"],
)
def test_another_line_of_a_unit_is_refused(line: bytes) -> None:
    with pytest.raises(Malformed, match=r"^report of a unit: a line must be two whole numbers$"):
        read_unit_line(line)


def test_every_question_has_a_name_of_its_own() -> None:
    assert len({*control.QUESTIONS.values()}) == len(control.QUESTIONS)
