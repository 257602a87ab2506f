"""The server side of one HTTP/1.1 connection: keep-alive, streams, aborts.

Knows: h11 and asyncio streams. Independent of: what is answered, and why. h11 instead of a
framework, because it keeps the case and the order of header names, which is what a test of a
transparent proxy must compare.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any, TypeVar

import h11

from openclaude.standins.base.exchange import Chunk, Recorded, Reply

READ_SIZE = 65536
MAX_HEAD_SIZE = 1 << 20

T = TypeVar("T")


class ClientLeftError(Exception):
    """The client closed the connection before its reply had ended."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The two ends of one client's connection, and h11's state of it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    wire: h11.Connection


async def attend(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    respond: Callable[[Recorded], Coroutine[Any, Any, Reply]],
) -> None:
    """Serve one connection until a side ends it. Raises ClientLeftError if that was too early."""
    # asyncio sets TCP_NODELAY only for sockets made with an explicit protocol number; without it a
    # reply of two writes waits 40 ms for the client's delayed acknowledgement.
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Without a write buffer, drain() returns only when the kernel has taken every byte: a cut then
    # never loses what should be sent before it.
    writer.transport.set_write_buffer_limits(high=0)
    connection = Connection(
        reader, writer, h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_SIZE)
    )
    try:
        while (request := await _read_request(connection)) is not None:
            reply = await _unless_the_client_leaves(connection, respond(request))
            if request.method == "HEAD":
                reply = replace(reply, body=b"")
            await _unless_the_client_leaves(connection, _send(connection, reply))
            if reply.cut or connection.wire.our_state is not h11.DONE:
                return
            connection.wire.start_next_cycle()
    except h11.RemoteProtocolError:
        return
    finally:
        writer.close()


async def _read_request(connection: Connection) -> Recorded | None:
    """Return the next request, or None if the client sends no more."""
    head: h11.Request | None = None
    parts: list[bytes] = []
    while True:
        match connection.wire.next_event():
            case h11.NEED_DATA:
                connection.wire.receive_data(await connection.reader.read(READ_SIZE))
            case h11.Request() as head:
                pass
            case h11.Data(data=part):
                parts.append(bytes(part))
            case h11.EndOfMessage() if head is not None:
                return Recorded(
                    method=head.method.decode("latin-1"),
                    target=head.target.decode("latin-1"),
                    headers=tuple((bytes(n), bytes(v)) for n, v in head.headers.raw_items()),
                    body=b"".join(parts),
                    at=time.monotonic(),
                )
            case _:
                return None


async def _unless_the_client_leaves(connection: Connection, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, watching the client, so that an abort in a pause is seen."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(connection.reader.read(READ_SIZE))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done() and not working.done() and not _read_early(watching):
            raise ClientLeftError
        return await working
    except ConnectionError as error:
        raise ClientLeftError from error
    finally:
        await _end(working)
        await _end(watching)
        # Only now: the next request may have arrived while these two were ending.
        if early := _read_early(watching):
            connection.wire.receive_data(early)


def _read_early(watching: asyncio.Future[bytes]) -> bytes:
    """Read what the client sent before its reply had ended: a pipelined request, or nothing."""
    return b"" if watching.cancelled() or watching.exception() else watching.result()


async def _end(task: asyncio.Future[Any]) -> None:
    """Cancel tasks that are not done and wait for them, so that no exception is reported late."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # retrieved, so that asyncio does not report it again


async def _send(connection: Connection, reply: Reply) -> None:
    """Send a reply as its fields say. Raises ConnectionError if it cannot be sent completely."""
    await asyncio.sleep(reply.wait_s)
    if reply.cut and not reply.body:
        return
    wire = connection.wire
    head = h11.Response(status_code=reply.status, headers=_headers(reply))
    await _write(connection, wire.send(head))
    for chunk in _chunks(reply):
        if chunk.pause_s:
            await asyncio.sleep(chunk.pause_s)
        await _write(connection, wire.send(h11.Data(data=chunk.content)))
    if not reply.cut:
        await _write(connection, wire.send(h11.EndOfMessage()))


def _headers(reply: Reply) -> list[tuple[str, str]]:
    """Return the reply's headers, adding a date and a length if it has none."""
    added = {"date": formatdate(usegmt=True)}
    if isinstance(reply.body, bytes):
        added["content-length"] = str(len(reply.body))
    said = {name.lower() for name, _ in reply.headers}
    return [*reply.headers, *((name, value) for name, value in added.items() if name not in said)]


def _chunks(reply: Reply) -> tuple[Chunk, ...]:
    """Yield the parts to send; for a body that will be cut, the first half."""
    if isinstance(reply.body, tuple):
        return reply.body
    if not reply.body:
        return ()
    end = len(reply.body) // 2 if reply.cut else len(reply.body)
    return (Chunk(content=reply.body[:end]),)


async def _write(connection: Connection, content: bytes | None) -> None:
    """Write, and wait until the kernel has taken everything."""
    if content:
        connection.writer.write(content)
        await connection.writer.drain()
