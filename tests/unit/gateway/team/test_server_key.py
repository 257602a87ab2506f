"""The key for a server: when it is fetched, and when again."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from openclaude.contracts.decode import to_line
from openclaude.contracts.worker import FetchedKey
from openclaude.gateway.team.key import KeyUnavailable, ServerKey, expiry

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
                theirs.sendall(to_line(one))
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
