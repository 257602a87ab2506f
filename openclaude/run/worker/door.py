"""The door of an instance: accepts connections on one listening socket, in plain HTTP or in TLS.

Knows: who may come in, how the first byte of a connection tells which of the two it is. Independent
of: HTTP, what is served, who made the certificate.

claude gets an https:// address and the certificate to expect there, so that it says nothing to
another user who has the port (see docs/security.md). Sessions of an openclaude before it, and
launches with `listen.tls = false`, speak plain HTTP to the same socket. A connection of another
user is closed before a byte of it is read. The door of `openclaude serve` lets other users and
machines in, and speaks TLS alone.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable

from openclaude.run.os.peers import is_foreign
from openclaude.run.os.tls import HANDSHAKE

log = logging.getLogger("openclaude.door")
HANDSHAKE_TIMEOUT_S = 10.0
SILENCE_S = 30.0  # until the first byte
SILENT = 1000  # connections without one; a sleeping stack's backlog is 512
# Until something that was full (descriptors, memory) is tried again.
PAUSE_S = 0.1
FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

MakeProtocol = Callable[[], asyncio.Protocol]


class Door:
    """Everything that comes in on one listening socket."""

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: MakeProtocol,
        context: ssl.SSLContext | None,
        *,
        is_public: bool = False,
    ) -> None:
        """`is_public`: other machines and users come in, too, and nobody without TLS."""
        self._is_public = is_public
        self._listener = listener
        self._make_protocol = make_protocol
        self._context = context
        self._greeting: dict[asyncio.Task[None], None] = {}  # not begun yet, the oldest first
        self._later: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Accept from now on."""
        self._listener.setblocking(False)
        self._watch()

    def close(self) -> None:
        """Accept no more; what was accepted may still begin."""
        asyncio.get_running_loop().remove_reader(self._listener)
        if self._later:
            self._later.cancel()

    @property
    def is_greeting(self) -> bool:
        """Whether a connection was accepted that has not begun."""
        return bool(self._greeting)

    async def wait_closed(self) -> None:
        """Leave connections that have not begun; they carry no request yet."""
        greeting = list(self._greeting)
        for task in greeting:
            task.cancel()
        await asyncio.gather(*greeting, return_exceptions=True)

    def _watch(self) -> None:
        """Accept a connection as soon as one comes."""
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        """Let one connection in.

        Not with `sock_accept`: what it has accepted is lost if it is cancelled just then.
        """
        loop = asyncio.get_running_loop()
        try:
            connection, peer = self._listener.accept()
        except OSError as error:
            if error.errno in FULL:  # it would be tried again at once, and fail again
                log.warning("a connection has to wait: %s", error)
                loop.remove_reader(self._listener)
                self._later = loop.call_later(PAUSE_S, self._watch)
            return
        # 15 microseconds, and claude keeps its connections
        if not self._is_public and is_foreign(peer, self._listener.getsockname()):
            connection.close()
            return
        if len(self._greeting) >= SILENT:
            next(iter(self._greeting)).cancel()
        task = loop.create_task(self._greet(connection))
        self._greeting[task] = None
        task.add_done_callback(lambda ended: self._greeting.pop(ended, None))

    async def _greet(self, connection: socket.socket) -> None:
        """Give a connection to its protocol, once it has said which of the two it is."""
        loop = asyncio.get_running_loop()
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(SILENCE_S):
                first = await peek(connection)
            if first == HANDSHAKE and self._context is not None:
                await loop.connect_accepted_socket(
                    self._make_protocol,
                    connection,
                    ssl=self._context,
                    ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S,
                )
            elif first and not self._is_public:
                await loop.connect_accepted_socket(self._make_protocol, connection)
            else:
                connection.close()
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            log.info("a connection did not begin: %s", error)
            connection.close()
        except BaseException:  # also what nobody has thought of must not keep a connection open
            connection.close()
            raise


async def peek(connection: socket.socket) -> bytes:
    """The first byte of a connection, which stays to be read; b"" where it ended without one.

    Raises OSError for a connection that broke.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            return connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            readable = asyncio.Event()
        loop.add_reader(connection, readable.set)  # not select(), which ends at descriptor 1023
        try:
            await readable.wait()
        finally:
            loop.remove_reader(connection)
