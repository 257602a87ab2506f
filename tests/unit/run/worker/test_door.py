"""The door of an instance: however many connections are open, the next one gets in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
from collections.abc import Iterator

import pytest

from openclaude.run.os.processes import is_there
from openclaude.run.worker.door import Door, peek

SELECTS = 1024  # descriptors that select() can name (FD_SETSIZE)


@pytest.fixture
def many_open() -> Iterator[None]:
    """A process in which every new descriptor is one that select() cannot name."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SELECTS + 100, hard))
    held = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while held[-1] < SELECTS:
            held.append(os.dup(held[0]))
        yield
    finally:
        for one in held:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Echo(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@pytest.mark.reaches_out
@pytest.mark.usefixtures("many_open")
@pytest.mark.parametrize("waits_s", [0.0, 0.05])
def test_a_connection_gets_in_beside_a_thousand_others(waits_s: float) -> None:
    async def run() -> bytes:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            door = Door(listener, Echo, None)
            door.open()
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            await asyncio.sleep(waits_s)
            writer.write(b"hello")
            async with asyncio.timeout(5.0):
                answer = await reader.read(5)
            assert writer.get_extra_info("socket").fileno() > SELECTS
            writer.close()
            door.close()
            return answer

    assert asyncio.run(run()) == b"hello"


@pytest.mark.usefixtures("many_open")
def test_a_process_is_seen_beside_a_thousand_open_files() -> None:
    assert is_there(os.getpid())


def test_what_is_looked_at_stays_to_be_read_and_an_end_is_seen() -> None:
    async def run() -> tuple[bytes, bytes, bytes]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.sendall(b"ab")
            first = await peek(ours)
            read = ours.recv(2)
            theirs.shutdown(socket.SHUT_WR)
            return first, read, await peek(ours)

    assert asyncio.run(run()) == (b"a", b"ab", b"")


@pytest.mark.reaches_out
def test_a_connection_is_closed_whatever_happens_to_it() -> None:
    def broken() -> asyncio.Protocol:
        raise RuntimeError("no protocol")

    async def run() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        with listener, socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            client.sendall(b"G")
            with pytest.raises(RuntimeError, match="no protocol"):
                await Door(listener, broken, None)._greet(accepted)
            assert accepted.fileno() == -1
            client.settimeout(5.0)
            with contextlib.suppress(ConnectionResetError):  # a byte was left unread
                assert client.recv(1) == b""

    asyncio.run(run())
