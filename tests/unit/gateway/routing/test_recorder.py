"""Recorded bodies: for as long as was asked, of slots only, without a credential, bounded."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openclaude.contracts.routing import RoutingTable, SlotRoute
from openclaude.gateway.routing import recorder as module
from openclaude.gateway.routing.recorder import Recorder, reply_of
from openclaude.gateway.routing.router import Router
from openclaude.ledger import recording
from openclaude.ledger.recording import (
    FOLDER,
    SWITCH,
    RecordingSwitch,
    count_recorded,
    end_recording,
    read_switch,
    remove_recorded,
    write_switch,
)

NOW = 1_790_000_000.0
KEY = "sk-openclaude-0123456789abcdef"
# one of each kind; all of them are made up
CANARIES = (
    "sk-ant-oat01-CANARYcanary0123456789",
    "AKIACANARY0123456789",
    "CANARYwJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPL",
    "ghp_CANARYcanary0123456789abcdefghij",
    "eyJCANARYhbGciOi.eyJCANARY.c2lnbmF0dXJl",
    "hunter2hunter2",
    "plain-header-canary",
)
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIICANARY\nshort\n-----END RSA PRIVATE KEY-----"


class Clock:
    def __init__(self) -> None:
        self.wall, self.steady = NOW, 100.0

    def pass_s(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(tmp_path: Path, clock: Clock) -> Recorder:
    return Recorder(tmp_path, [KEY], lambda: clock.wall, lambda: clock.steady)


def ask(folder: Path, clock: Clock, seconds: float = 600.0) -> None:
    write_switch(folder, RecordingSwitch(clock.wall, clock.wall + seconds))


def record(
    recorder: Recorder,
    request: Any,
    *reply: bytes,
    headers: list[tuple[bytes, bytes]] | None = None,
) -> list[Any]:
    """Let one request be answered with these pieces; return what claude got."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def answer() -> None:
        body = json.dumps(request).encode()
        kept = recorder.begin(send, body, headers or [], {"session": "s-1"})
        to_claude = kept.send if kept else send
        await to_claude({"type": "http.response.start", "status": 200, "headers": []})
        for piece in reply:
            await to_claude({"type": "http.response.body", "body": piece, "more_body": True})
        await to_claude({"type": "http.response.body", "body": b""})
        if kept:
            kept.end()

    asyncio.run(answer())
    if recorder._pool:
        recorder._pool.shutdown()
        recorder._pool = None
    return sent


def kept_in(folder: Path) -> list[Any]:
    return [json.loads(path.read_text()) for path in sorted((folder / FOLDER).glob("*"))]


def events(*documents: dict[str, Any]) -> bytes:
    return b"".join(
        f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in documents
    )


def test_nothing_is_kept_until_it_is_asked_for_and_after_its_time(
    recorder: Recorder, clock: Clock, tmp_path: Path
) -> None:
    recorder.look()
    assert not recorder.is_on
    ask(tmp_path, clock)
    recorder.look()
    assert recorder.is_on
    clock.pass_s(599)
    recorder.look()
    assert recorder.is_on
    clock.pass_s(1)  # nobody has looked since

    record(recorder, {"model": "x"}, b"{}")

    assert not recorder.is_on
    assert not (tmp_path / FOLDER).exists()


def test_what_is_answered_after_the_user_has_ended_it_is_not_kept(
    recorder: Recorder, clock: Clock, tmp_path: Path
) -> None:
    ask(tmp_path, clock)
    recorder.look()
    end_recording(tmp_path)
    remove_recorded(tmp_path)  # main has not looked since

    record(recorder, {"model": "x"}, b"{}")

    assert not (tmp_path / FOLDER).exists()


def test_a_clock_that_is_set_back_prolongs_nothing(
    recorder: Recorder, clock: Clock, tmp_path: Path
) -> None:
    ask(tmp_path, clock)
    recorder.look()
    clock.pass_s(300)
    clock.wall -= 3600
    recorder.look()
    assert not recorder.is_on  # it is of the future now

    clock.wall += 3600
    clock.wall -= 4  # a little, and the file counts as long as this process has said
    recorder.look()
    assert recorder.is_on
    clock.steady += 305
    recorder.look()
    assert not recorder.is_on
    again = Recorder(tmp_path, [], lambda: NOW - 3600, lambda: 0.0)
    again.look()
    assert not again.is_on


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "{}",
        '{"at": "x", "until": 1}',
        json.dumps({"at": NOW, "until": NOW + 3601}),
        json.dumps({"at": NOW, "until": NOW}),
        json.dumps({"at": NOW + 60, "until": NOW + 120}),
        json.dumps({"at": NOW - 120, "until": NOW - 60}),
        '{"at": NaN, "until": NaN}',
    ],
)
def test_a_file_that_asks_for_something_else_asks_for_nothing(tmp_path: Path, said: str) -> None:
    path = tmp_path / SWITCH
    path.write_text(said)
    path.chmod(0o600)

    assert read_switch(tmp_path, NOW) is None


@pytest.mark.parametrize("kind", ["link", "fifo", "readable", "folder"])
def test_only_a_private_file_asks(tmp_path: Path, kind: str) -> None:
    asked = json.dumps({"at": NOW, "until": NOW + 60})
    path = tmp_path / SWITCH
    match kind:
        case "link":
            (tmp_path / "theirs").write_text(asked)
            (tmp_path / "theirs").chmod(0o600)
            path.symlink_to(tmp_path / "theirs")
        case "fifo":
            os.mkfifo(path, 0o600)
        case "folder":
            path.mkdir(0o700)
        case _:
            path.write_text(asked)
            path.chmod(0o644)

    assert read_switch(tmp_path, NOW) is None


def test_no_credential_is_in_what_is_kept_and_claude_gets_the_same_bytes(
    recorder: Recorder, clock: Clock, tmp_path: Path
) -> None:
    ask(tmp_path, clock)
    recorder.look()
    text = "\n".join(
        [
            "please look at this",
            f"export AWS_SECRET_ACCESS_KEY={CANARIES[2]}",
            *CANARIES[:2],
            *CANARIES[3:5],
            f"password: {CANARIES[5]}",
            f"https://me:{CANARIES[5]}@example.com/",
            PEM,
            KEY,
        ]
    )
    # where the text is cut for the expressions, at every offset
    far = "".join(f"{'x ' * (2030 + shift)}{CANARIES[0]} " for shift in range(0, 60, 7))
    request = {
        "model": "slot",
        "messages": [{"role": "user", "content": text}, {"role": "user", "content": far}],
        "metadata": {"api_key": CANARIES[6], "token": CANARIES[5], "max_tokens": "12"},
        "image": {"type": "base64", "data": "A" * 9000},
    }
    half, rest = CANARIES[0][:12], CANARIES[0][12:]
    reply = events(
        {"type": "message_start", "message": {"id": "m", "content": [], "usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "x", "text": piece}}
            for piece in ("the key is ", half, rest, ", goodbye")
        ),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"x": 1}},
    )
    headers = [(b"authorization", b"Bearer plain-header-canary"), (b"x-api-key", KEY.encode())]
    request["system"] = "plain-header-canary, said"

    sent = record(recorder, request, reply[:100], reply[100:], headers=headers)

    assert b"".join(one.get("body", b"") for one in sent) == reply
    (path,) = (tmp_path / FOLDER).iterdir()
    written = path.read_text()
    assert [one for one in (*CANARIES, "MIICANARY", KEY, "AAAAAAAA") if one in written] == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (one,) = kept_in(tmp_path)
    assert one["request"]["messages"][0]["content"].startswith("please look at this\n")
    assert one["request"]["metadata"]["max_tokens"] == "12"
    assert one["reply"]["content"] == [{"type": "text", "text": "the key is (removed) goodbye"}]
    assert (one["reply"]["stop_reason"], one["status"], one["session"]) == ("end_turn", 200, "s-1")


def test_what_is_kept_has_a_limit(
    recorder: Recorder, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_REPLY", 1000)
    monkeypatch.setattr(module, "LARGEST_REQUEST", 1000)
    monkeypatch.setattr(module, "MOST_BYTES", 2000)
    ask(tmp_path, clock)
    recorder.look()

    for _ in range(20):
        record(recorder, {"model": "x" * 2000}, b"y " * 300, b"z " * 300)
    recorder.look()

    assert 0 < count_recorded(tmp_path).size <= 2000
    assert "bytes)" in kept_in(tmp_path)[0]["request"]
    assert kept_in(tmp_path)[0]["is_whole"] is False
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    recorder.look()
    assert not recorder.is_on


@pytest.mark.parametrize(
    "spoil",
    [
        lambda place: place.write_text("a file"),
        lambda place: place.symlink_to("/nowhere"),
    ],
)
def test_what_cannot_be_written_fails_no_request(
    recorder: Recorder, clock: Clock, tmp_path: Path, spoil: Callable[[Path], Any]
) -> None:
    ask(tmp_path, clock)
    recorder.look()
    spoil(tmp_path / FOLDER)

    sent = record(recorder, {"model": "x"}, b"{}")

    assert sent[0]["status"] == 200
    assert count_recorded(tmp_path) == recording.RecordedFiles()


def test_too_many_at_once_are_answered_and_not_kept(
    recorder: Recorder, clock: Clock, tmp_path: Path
) -> None:
    ask(tmp_path, clock)
    recorder.look()

    async def send(_message: Any) -> None: ...

    begun = [recorder.begin(send, b"{}", [], {}) for _ in range(module.MOST_PENDING + 1)]

    assert begun[-1] is None
    assert None not in begun[:-1]


@pytest.mark.parametrize("body", [b"", b"{", b"data: [\n\n", b"data: 7\n\n", b"\xff\xfe"])
def test_a_strange_reply_is_kept_somehow(body: bytes) -> None:
    assert json.dumps(reply_of(body))


def test_a_recording_is_ended_and_removed(tmp_path: Path, clock: Clock) -> None:
    ask(tmp_path, clock)
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "one.json").write_text("{}")

    assert (end_recording(tmp_path), end_recording(tmp_path)) == (True, False)
    assert remove_recorded(tmp_path) == 1
    assert [*tmp_path.iterdir()] == []


def test_a_link_in_place_of_the_folder_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "precious.json").write_text("{}")
    (tmp_path / FOLDER).symlink_to(tmp_path / "theirs")

    assert remove_recorded(tmp_path) == 0
    assert (tmp_path / "theirs" / "precious.json").exists()


def test_a_request_that_fails_on_its_way_to_a_slot_gives_its_place_back(
    recorder: Recorder, clock: Clock, tmp_path: Path
) -> None:
    class Blind:
        async def see(self, *_: Any) -> Any:
            raise RuntimeError("cannot see")

    async def inner(*_: Any) -> None:
        pytest.fail("it goes no further")

    ask(tmp_path, clock)
    recorder.look()
    table = RoutingTable(slots={"openclaude-haiku": SlotRoute()})
    router = Router(inner, table, raw_body_key="raw", recorder=recorder, eyes=Blind())
    body = json.dumps({"model": "openclaude-haiku", "messages": []}).encode()

    async def send(_message: Any) -> None:
        """There is no reader."""

    async def one() -> None:
        scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return messages.pop() if messages else await asyncio.Event().wait()

        with pytest.raises(RuntimeError, match="cannot see"):
            await router(scope, receive, send)

    async def run() -> None:
        for _ in range(module.MOST_PENDING):
            await one()

    asyncio.run(run())
    if recorder._pool:
        recorder._pool.shutdown()

    assert recorder.begin(send, body, [], {}) is not None
