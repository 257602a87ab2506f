"""The key for a server: when it is fetched, and when again."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaude.contracts.decode import to_line
from openclaude.contracts.worker import FetchedKey
from openclaude.gateway.team import key as module
from openclaude.gateway.team import way
from openclaude.gateway.team.key import KeyUnavailable, ServerKey, expiry
from openclaude.run.worker.key_fetcher import start_fetcher

NOW = 1_000_000.0


def token(expires: float) -> str:
    """A JSON Web Token that says when it runs out."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


@contextmanager
def answering(*answers: FetchedKey) -> Iterator[tuple[socket.socket, list[bytes]]]:
    """Who fetches keys: one answer for each question, then the end."""
    ours, theirs = socket.socketpair()
    asked: list[bytes] = []

    def answer() -> None:
        with theirs:
            for one in answers:
                asked.append(theirs.recv(10))
                theirs.sendall(to_line(one._replace(number=int(asked[-1]))))
            theirs.recv(10)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield ours, asked
    finally:
        ours.close()
        thread.join()


def test_a_key_is_fetched_once_however_many_requests_need_it() -> None:
    async def run(key: ServerKey) -> list[str]:
        return await asyncio.gather(*(key.current() for _ in range(5)))

    with answering(FetchedKey(key="one")) as (line, asked):
        found = asyncio.run(run(ServerKey("command:x", fetcher=line)))

    assert found == ["one"] * 5
    assert len(asked) == 1


def test_a_refused_key_is_fetched_again_and_only_by_the_first_that_was_refused() -> None:
    async def run(key: ServerKey) -> list[str]:
        first = await key.current()
        return [first, await key.renewed(first), await key.renewed(first), await key.current()]

    with answering(FetchedKey(key="one"), FetchedKey(key="two")) as (line, asked):
        found = asyncio.run(run(ServerKey("command:x", fetcher=line)))

    assert found == ["one", "two", "two", "two"]
    assert len(asked) == 2


def test_a_token_that_runs_out_is_renewed_before_it_is_sent() -> None:
    old, new = token(NOW + 5), token(NOW + 3600)

    async def run(key: ServerKey) -> list[str]:
        return [await key.current(), await key.current(), await key.current()]

    with answering(FetchedKey(key=old), FetchedKey(key=new)) as (line, _):
        found = asyncio.run(run(ServerKey("command:x", fetcher=line, now=lambda: NOW)))

    assert found == [old, new, new]


def test_why_there_is_no_key_is_said() -> None:
    with (
        answering(FetchedKey(error="the secret `command:x` is empty")) as (line, _),
        pytest.raises(KeyUnavailable, match="the secret `command:x` is empty"),
    ):
        asyncio.run(ServerKey("command:x", fetcher=line).current())


def test_a_process_that_has_gone_is_a_sentence() -> None:
    with answering() as (line, _):
        line.shutdown(socket.SHUT_WR)
        with pytest.raises(KeyUnavailable, match="run `openclaude restart`"):
            asyncio.run(ServerKey("command:x", fetcher=line).current())


def test_an_answer_that_came_too_late_is_not_taken_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run(key: ServerKey, theirs: socket.socket) -> list[str]:
        monkeypatch.setattr(module, "PATIENCE_S", 0.05)
        with pytest.raises(KeyUnavailable):
            await key.current()
        monkeypatch.setattr(module, "PATIENCE_S", 5.0)
        numbers = [int(theirs.recv(10))]
        late = to_line(FetchedKey(key="late", number=numbers[0]))
        theirs.sendall(late[:9])
        next_one = asyncio.create_task(key.current())
        while len(numbers) < 2:
            await asyncio.sleep(0.01)
            with contextlib.suppress(BlockingIOError):
                numbers.append(int(theirs.recv(10)))
        newer = to_line(FetchedKey(key="newer", number=numbers[1]))
        theirs.sendall(late[9:] + newer)  # both at once
        return [await next_one, await key.current()]

    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        found = asyncio.run(run(ServerKey("command:x", fetcher=ours), theirs))

    assert found == ["newer", "newer"]


@pytest.mark.reaches_out
def test_the_process_that_fetches_it_answers_each_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "key"
    started: list[subprocess.Popen[str]] = []
    start = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *given, **named: started.append(start(*given, **named))
    )

    async def run(key: ServerKey) -> list[str]:
        place.write_text("one")
        place.chmod(0o600)
        first = await key.current()
        place.write_text("two")
        return [first, await key.renewed(first)]

    with socket.socket(fileno=start_fetcher("X", f"file:{place}", dict(os.environ))) as line:
        assert asyncio.run(run(ServerKey(f"file:{place}", fetcher=line))) == ["one", "two"]
    assert [one.wait(10) for one in started] == [0]


def test_a_refusal_is_closed_also_where_no_other_key_can_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    around: list[Any] = []
    monkeypatch.setattr(way, "take_own_way", lambda *given: around.append(given[2]))
    monkeypatch.setattr(way, "trusted_by", lambda _authority: None)
    key = ServerKey("command:x", fixed="old")
    refused: list[httpx.Response] = []

    async def unavailable(_refused: str) -> str:
        raise KeyUnavailable("the program has ended")

    async def send(request: httpx.Request) -> httpx.Response:
        refused.append(httpx.Response(401, stream=Unread(), request=request))
        return refused[-1]

    monkeypatch.setattr(key, "renewed", unavailable)
    way.ask_server("https://models.example.internal", "", key)
    request = httpx.Request("POST", "https://models.example.internal/v1/messages")
    answer = asyncio.run(around[0](request, send))

    assert answer.status_code == 424
    assert "the program has ended" in answer.text
    assert [one.is_closed for one in refused] == [True]


class Unread(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"refused"


def test_a_fixed_key_never_changes() -> None:
    async def run(key: ServerKey) -> list[str]:
        return [await key.current(), await key.renewed("one")]

    assert asyncio.run(run(ServerKey("env:X", fixed="one"))) == ["one", "one"]


@pytest.mark.parametrize(
    ("key", "expires"),
    [
        (token(NOW), NOW),
        ("sk-openclaude-0", float("inf")),
        ("a.b.c", float("inf")),
        (f"a.{base64.urlsafe_b64encode(b'[]').decode()}.c", float("inf")),
        (f"a.{base64.urlsafe_b64encode(b'{}').decode()}.c", float("inf")),
    ],
)
def test_only_a_token_says_when_it_runs_out(key: str, expires: float) -> None:
    assert expiry(key) == expires
