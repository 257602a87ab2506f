"""A connection whose other side acknowledges nothing ends in time: the kernel is told so."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import ClientSession, web
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import BaseConnector

from openclaude.gateway.litellm.resend import UNACKNOWLEDGED_MS, watch_connections
from tests.conftest import need


async def options_of_two_requests() -> list[int]:
    """Return what the kernel was told of the connection, for a fresh one and for a pooled one."""

    seen = asyncio.Queue[None]()

    async def answer(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        await seen.get()  # until then the client has the connection in hand
        return reply

    server = web.AppRunner(app := web.Application())
    app.router.add_get("/", answer)
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    port = server.addresses[0][1]
    found = []
    async with ClientSession() as client:
        for _ in range(2):
            async with client.get(f"http://127.0.0.1:{port}/") as reply:
                assert reply.connection
                assert reply.connection.transport
                line = reply.connection.transport.get_extra_info("socket")
                found.append(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
                seen.put_nowait(None)
                await reply.read()
    await server.cleanup()
    return found


def test_the_kernel_ends_a_connection_that_acknowledges_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need(hasattr(socket, "TCP_USER_TIMEOUT"), "TCP_USER_TIMEOUT, which is Linux's")
    # put back after the test: they are patched for the whole process
    monkeypatch.setattr(BaseConnector, "connect", BaseConnector.connect)
    monkeypatch.setattr(ResponseHandler, "data_received", ResponseHandler.data_received)
    assert asyncio.run(options_of_two_requests()) == [0, 0]

    watch_connections()

    assert asyncio.run(options_of_two_requests()) == [UNACKNOWLEDGED_MS, UNACKNOWLEDGED_MS]
