"""The listening sockets of a stack: two loopback ports side by side, and the control socket.

Knows: binding. Refuses to know: who serves the sockets.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from openclaude.errors import OpenclaudeError

HOST = "127.0.0.1"
BACKLOG = 512  # connections that may wait while LiteLLM starts
PAIRS_TRIED = 50
# the shortest limit of sun_path among the systems we know (macOS 104, Linux 108), less the NUL
SOCKET_PATH_LIMIT = 103


class PortBusy(OpenclaudeError):
    """No pair of free ports."""

    code = "port-busy"


class Pair(NamedTuple):
    """main's listening socket and providers', on neighbouring ports."""

    main: socket.socket
    providers: socket.socket
    port: int

    def close(self) -> None:
        """Give both ports back."""
        self.main.close()
        self.providers.close()


def bind_pair(port: int, *, strict: bool) -> Pair:
    """Bind and listen on `port` and `port + 1`, or on the next free pair unless `strict`.

    Raises PortBusy, naming who holds the port where that can be found out.
    """
    for candidate in range(port, port + 1 if strict else min(port + 2 * PAIRS_TRIED, 65535), 2):
        pair = try_pair(candidate)
        if pair:
            return pair
    tried = "" if strict else f" and {PAIRS_TRIED - 1} pairs after it"
    raise PortBusy(
        f"port {port} or {port + 1} is in use{owner(port) or owner(port + 1)}{tried}",
        hint="set another `port` under [listen] in the profile, or OPENCLAUDE_LITELLM_PORT",
    )


def try_pair(port: int) -> Pair | None:
    """Both sockets, or None when either port is in use."""
    main = try_bind(port)
    if main is None:
        return None
    providers = try_bind(port + 1)
    if providers is None:
        main.close()
        return None
    return Pair(main, providers, port)


def try_bind(port: int) -> socket.socket | None:
    """A socket listening on the loopback `port`, or None when it is in use."""
    # asyncio switches Nagle's delay off only on sockets that name their protocol
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # a port whose last connections are in TIME_WAIT is free for us; a listening one is not
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            return None
        raise
    return listener


def owner(port: int) -> str:
    """` by NAME (pid N)` for whoever listens on a loopback `port`, or "" when it cannot be told."""
    import psutil

    try:
        found = [
            connection.pid
            for connection in psutil.net_connections("tcp4")
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
        ]
        pid = next((pid for pid in found if pid), None)
        return f" by `{psutil.Process(pid).name()}` (pid {pid})" if pid else ""
    except psutil.Error:
        return ""  # macOS shows other users' sockets to root only


def control_path(folder: Path) -> Path:
    """The control socket of the stack in `folder`."""
    return folder / "control.sock"


@contextlib.contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """The address of a Unix socket: its path, or its bare name from within its folder.

    Such a path has a small limit that a deep XDG_STATE_HOME exceeds. A short folder under /tmp
    would be the other way out, but anybody could make it first and answer in our place.
    """
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        yield str(path)
    else:
        with contextlib.chdir(path.parent):
            yield path.name


def bind_control(folder: Path) -> socket.socket:
    """The listening control socket of a stack. The caller holds the stack's lock."""
    path = control_path(folder)
    path.unlink(missing_ok=True)  # left by a stack that was killed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with socket_address(path) as address:
            listener.bind(address)
    finally:
        os.umask(before)
    listener.listen(64)
    return listener
