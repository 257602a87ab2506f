"""A client that sends exactly the bytes it is given and keeps exactly what comes back.

Knows: HTTP/1.1 on loopback. Independent of: what is sent, and to whom. For tests that compare two
ways to one upstream byte by byte, where claude's own session ids would differ.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, NamedTuple

import h11

from openclaude.standins.base.exchange import Recorded

Headers = tuple[tuple[bytes, bytes], ...]

MESSAGES = "/v1/messages?beta=true"
TIMEOUT_S = 120.0
LOCAL_KEY = b"x-litellm-api-key"
# headers that belong to a connection of its own
OF_THE_CONNECTION = frozenset({b"host", b"content-length", b"connection"})


class RawReply(NamedTuple):
    """A reply as it arrived; header names as they were written."""

    status: int
    headers: Headers
    body: bytes
    is_whole: bool  # whether it ended properly by HTTP's rules, and was not cut off

    def sorted_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers without the case and order of their names, which mean nothing in HTTP."""
        return sorted((name.lower(), value) for name, value in self.headers)


def ask(
    port: int,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    *,
    target: str = MESSAGES,
    method: str = "POST",
    own_host: bool = False,
) -> RawReply:
    """Send one request to a loopback port and read the reply to its end.

    `own_host`: the headers bring a Host of their own.
    """
    given = headers if own_host else ((b"Host", b"127.0.0.1:%d" % port), *headers)
    with connect(port) as connection:
        wire = begin(connection, given, body, target=target, method=method)
        return read_reply(connection, wire)


def connect(port: int) -> socket.socket:
    """A connection to a loopback port."""
    return socket.create_connection(("127.0.0.1", port), TIMEOUT_S)


def begin(
    connection: socket.socket,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    *,
    target: str = MESSAGES,
    method: str = "POST",
) -> h11.Connection:
    """Send one request with a Host among the headers; the caller may read or abandon the reply."""
    wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    head = [(b"Content-Length", b"%d" % len(body)), *headers]
    request = h11.Request(method=method, target=target, headers=head)
    connection.sendall(
        (wire.send(request) or b"")
        + (wire.send(h11.Data(data=body)) or b"")
        + (wire.send(h11.EndOfMessage()) or b"")
    )
    return wire


def read_reply(connection: socket.socket, wire: h11.Connection) -> RawReply:
    """Read the reply to a request that was sent."""
    status, body = 0, bytearray()
    headers: Headers = ()
    while True:
        try:
            event: Any = wire.next_event()
            if event is h11.NEED_DATA:
                wire.receive_data(connection.recv(65536))
        except (h11.RemoteProtocolError, ConnectionError):
            return RawReply(status, headers, bytes(body), is_whole=False)
        match event:
            case h11.Response():
                status = event.status_code
                headers = tuple((bytes(n), bytes(v)) for n, v in event.headers.raw_items())
            case h11.Data():
                body += event.data
            case h11.EndOfMessage():
                return RawReply(status, headers, bytes(body), is_whole=True)


def read_until(connection: socket.socket, wanted: bytes, *, timeout_s: float) -> bytes:
    """Return what has arrived once it contains `wanted`, with framing. Raises TimeoutError."""
    connection.settimeout(timeout_s)
    seen = bytearray()
    while wanted not in seen:
        part = connection.recv(65536)
        if not part:
            raise AssertionError(f"the connection ended after {bytes(seen)!r}")
        seen += part
    return bytes(seen)


def client_headers(request: Recorded) -> Headers:
    """Return a recorded request's headers, for another connection."""
    return tuple(pair for pair in request.headers if pair[0].lower() not in OF_THE_CONNECTION)


def with_key(headers: Headers, key: str) -> Headers:
    """The same with the local key of main, as claude sends it."""
    return (*headers, (LOCAL_KEY, b"Bearer " + key.encode()))
