"""What an instance accepts from a connection without the key: little, and not for long."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from openclaude.contracts.worker import ADMIT
from openclaude.run.stack import logs
from openclaude.run.worker import connections
from openclaude.run.worker.connections import InstanceConnection

START = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n"
KEY = b"x-litellm-api-key: k\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Coroutine[Any, Any, Streams]]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Admit requests with a key; read the body to its end."""
    if any(name == b"x-litellm-api-key" for name, _ in scope["headers"]):
        scope[ADMIT]()
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Connect]:
    """Run a server with our connections; yield a way to connect to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, http=InstanceConnection, log_config=None, ws="none", lifespan="off")
    )
    running = asyncio.create_task(server.serve([listener]))
    port = listener.getsockname()[1]
    try:
        yield lambda: asyncio.open_connection("127.0.0.1", port)
    finally:
        server.should_exit = True
        await running
        listener.close()


async def said(streams: Streams, *parts: bytes) -> bytes:
    """Return what is answered, to the end of the reply or of the connection."""
    reader, writer = streams
    found = b""
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
        while not found.endswith(b"0\r\n\r\n") and (part := await reader.read(4096)):
            found += part
    return found


FIELD = b"x-a: b\r\n"


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ([START + b"\r\n"], b"HTTP/1.1 200"),
        ([START + FIELD * 150 + b"\r\n"], b"HTTP/1.1 200"),
        ([START + FIELD * 250 + b"\r\n"], b"HTTP/1.1 431"),
        ([START + b"x-a: " + b"b" * 100_000 + b"\r\n\r\n"], b"HTTP/1.1 200"),
        ([START + b"x-a: ", *[b"b" * 50_000] * 4], b"HTTP/1.1 431"),
        ([START + b"x-a: " + b"b" * 200_000 + b"\r\n\r\n"], b"HTTP/1.1 431"),
        ([START, *[b"x-a: " + b"b" * 50_000 + b"\r\n"] * 4, b"\r\n"], b"HTTP/1.1 431"),
        ([b"GET /", *[b"a" * 50_000] * 4, b" HTTP/1.1\r\n"], b"HTTP/1.1 431"),
        ([b"\0\1\2\r\n\r\n"], b"HTTP/1.1 400"),
        # a body is not a head, however long it is
        (
            [START.replace(b"GET", b"POST") + b"content-length: 400000\r\n\r\n", b"b" * 400_000],
            b"HTTP/1.1 200",
        ),
    ],
)
def test_a_head_has_limits(parts: list[bytes], answer: bytes) -> None:
    async def ask() -> bytes:
        async with serving() as connect:
            streams = await connect()
            found = await said(streams, *parts)
            streams[1].close()
            return found

    # a request that is refused while it is still being sent may cause a reset
    assert asyncio.run(ask())[:12] in {answer, b"" if answer.endswith(b"431") else answer}


@pytest.mark.variants
def test_the_next_request_of_a_connection_has_the_same_limits() -> None:
    async def ask() -> list[bytes]:
        async with serving() as connect:
            streams = await connect()
            once = START + b"x-a: " + b"b" * 100_000 + b"\r\n\r\n"
            found = [await said(streams, once), await said(streams, once)]
            found.append(await said(streams, START + b"x-a: ", *[b"b" * 50_000] * 4))
            streams[1].close()
            return found

    first, second, third = asyncio.run(ask())
    assert first[:12] == second[:12] == b"HTTP/1.1 200"
    assert third[:12] in {b"HTTP/1.1 431", b""}


@pytest.mark.parametrize("sent", [b"", b"GET / HT", START])
def test_a_head_that_does_not_come_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", 0.05)

    async def wait() -> bytes:
        async with serving() as connect:
            reader, writer = await connect()
            writer.write(sent)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 20) == b""
            writer.close()
            return b""

    assert asyncio.run(wait()) == b""


def test_a_request_and_the_rest_after_it_are_not_hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", 0.3)

    async def ask() -> list[bytes]:
        async with serving() as connect:
            streams = await connect()
            first = await said(streams, START + b"\r\n")
            await asyncio.sleep(0.6)
            second = await said(streams, START + b"\r\n")
            streams[1].close()
            return [first[:12], second[:12]]

    assert asyncio.run(ask()) == [b"HTTP/1.1 200", b"HTTP/1.1 200"]


def test_who_has_no_key_makes_room_and_who_has_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNPROVEN", 3)

    async def crowd() -> tuple[bytes, bytes, bytes]:
        async with serving() as connect:
            ours = await connect()
            await said(ours, START + KEY + b"\r\n")
            idle = [await connect() for _ in range(3)]
            late = await connect()
            answered = await said(late, START + b"\r\n")
            try:
                oldest = await asyncio.wait_for(idle[0][0].read(), 5)
            except ConnectionError:
                oldest = b""
            again = await said(ours, START + KEY + b"\r\n")
            for _, writer in (ours, *idle, late):
                writer.close()
            return answered[:12], oldest, again[:12]

    assert asyncio.run(crowd()) == (b"HTTP/1.1 200", b"", b"HTTP/1.1 200")


def test_a_log_that_grows_while_it_is_written_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOG_LIMIT", 100)
    path = tmp_path / "main.log"

    with logs.open_log(path) as writer:
        for number in range(50):
            writer.write(b"%4d\n" % number)
            writer.flush()
            logs.bound_log(path)

    assert path.read_bytes().splitlines()[-1] == b"  49"
    assert path.stat().st_size <= 105
    aside = tmp_path / "main.log.1"
    assert aside.stat().st_size == 100
    assert aside.stat().st_mode & 0o777 == 0o600
    assert {found.name for found in tmp_path.iterdir()} == {"main.log", "main.log.1"}
