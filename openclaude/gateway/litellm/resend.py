"""A request that met a dead connection is sent once more, on a fresh one.

Knows: LiteLLM's HTTP transport, aiohttp's pool of connections. Independent of: who asks whom, and
for what.

A pooled connection may have died meanwhile: a server's or a NAT's idle time, a laptop that slept.
The request that finds out has reached nobody, and without this its claude would show "API error"
and wait. It is sent again only where it cannot have been answered: not a byte came back, on a
connection that had served before, and at once; or the kernel says that nothing was acknowledged.
A server that took a request and thinks, refuses, or cuts its answer gets none twice. One that ends
an idle connection just then looks like one that has read the request and cut it. claude asks
Anthropic again after either; a provider is not asked again, since a fallback may be next.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

import httpx
from aiohttp import ClientConnectorError, ClientOSError, ServerDisconnectedError
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import BaseConnector, Connection

# What is dead says so within a round trip; who closes later may have worked on the request.
AT_ONCE_S = 5.0
# A connection whose other side acknowledges nothing for this long is dead. Linux would go on for a
# quarter of an hour, and aiohttp's pool does not see that a laptop slept: its clock slept, too.
UNACKNOWLEDGED_MS = 30_000


class SentRequest:
    """One request on its way: the connection it got, and what is known of that."""

    def __init__(self, *, only_fresh: bool) -> None:
        self.only_fresh = only_fresh
        self.was_pooled = False
        self.protocol: ResponseHandler | None = None
        self.began_at = time.monotonic()


SENT: ContextVar[SentRequest | None] = ContextVar("sent", default=None)
SERVED: WeakSet[ResponseHandler] = WeakSet()  # connections that had a request before
ANSWERING: WeakSet[ResponseHandler] = WeakSet()  # those that got a byte since their last request


def resend_lost(hop: str = "", *, after_end: bool = True) -> None:
    """Let every request of this process survive a dead pooled connection; once per process.

    `hop` is the address of an instance of ours. It may be ended with a request in hand, by its
    supervisor or by the kernel, and a new one has the same socket: to it a request
    without an answer goes again from a fresh connection, too, and however late. `after_end` says
    whether one goes again that met the end of its connection, and not a reset.
    """
    from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

    watch_connections()
    original = LiteLLMAiohttpTransport.handle_async_request
    ours = httpx.URL(hop) if hop else None

    async def handle(self: LiteLLMAiohttpTransport, request: httpx.Request) -> httpx.Response:
        with sending(only_fresh=False) as first:
            try:
                return await original(self, request)
            except httpx.TransportError as error:
                is_hop = ours is not None and url_origin(request.url) == url_origin(ours)
                is_certain = is_hop or after_end or not is_ended(error)
                if not (is_certain and is_whole(request) and is_lost(first, error, is_hop=is_hop)):
                    raise
        with sending(only_fresh=True):
            return await original(self, request)

    LiteLLMAiohttpTransport.handle_async_request = handle  # type: ignore[method-assign]


@contextmanager
def sending(*, only_fresh: bool) -> Iterator[SentRequest]:
    """The connection that is asked for meanwhile is this one's."""
    found = SentRequest(only_fresh=only_fresh)
    token = SENT.set(found)
    try:
        yield found
    finally:
        SENT.reset(token)


def url_origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Whom an address asks."""
    return url.scheme, url.host, url.port


def is_whole(request: httpx.Request) -> bool:
    """Whether a request can be sent again: a body that is made as it is sent is gone."""
    try:
        return request.content is not None
    except httpx.RequestNotRead:
        return False


def is_ended(error: httpx.TransportError) -> bool:
    """Whether the other side has ended the connection in order."""
    return isinstance(error.__cause__, ServerDisconnectedError)


def is_lost(tried: SentRequest, error: httpx.TransportError, *, is_hop: bool) -> bool:
    """Whether a request that failed has certainly no answer, and nobody works on it."""
    cause = error.__cause__
    if not isinstance(cause, ServerDisconnectedError | ClientOSError | ConnectionError):
        return False  # a time that ran out, say: who is slow lives
    if isinstance(cause, ClientConnectorError) or tried.protocol is None:
        return False  # there was no connection at all
    if tried.protocol in ANSWERING:
        return False
    if is_hop:
        return True
    if not tried.was_pooled:
        return False
    unacknowledged = isinstance(cause, OSError) and cause.errno == errno.ETIMEDOUT
    return unacknowledged or time.monotonic() - tried.began_at < AT_ONCE_S


def watch_connections() -> None:
    """Tell each request which connection it got, and note which connections answer."""
    connect, received = BaseConnector.connect, ResponseHandler.data_received

    async def connect_for(self: BaseConnector, *arguments: Any, **named: Any) -> Connection:
        connection = await connect(self, *arguments, **named)
        tried = SENT.get()
        while tried and tried.only_fresh and connection.protocol in SERVED:
            connection.close()  # of the same age as the one that was dead
            connection = await connect(self, *arguments, **named)
        if (protocol := connection.protocol) is None:
            return connection
        is_pooled = protocol in SERVED
        if not is_pooled:
            give_up_in_time(protocol)
        if tried:
            tried.was_pooled, tried.protocol = is_pooled, protocol
            tried.began_at = time.monotonic()
        SERVED.add(protocol)
        ANSWERING.discard(protocol)
        return connection

    def note_received(self: ResponseHandler, data: bytes) -> None:
        if data and self not in ANSWERING:
            ANSWERING.add(self)
        received(self, data)

    BaseConnector.connect = connect_for  # type: ignore[method-assign]
    ResponseHandler.data_received = note_received  # type: ignore[method-assign]


def give_up_in_time(protocol: ResponseHandler) -> None:
    """Let a connection end when the other side acknowledges nothing; on Linux only."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    found = protocol.transport and protocol.transport.get_extra_info("socket")
    if option is not None and found and found.family in {socket.AF_INET, socket.AF_INET6}:
        found.setsockopt(socket.IPPROTO_TCP, option, UNACKNOWLEDGED_MS)
