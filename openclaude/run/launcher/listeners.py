"""The listening sockets of a stack: two loopback ports side by side.

Knows: binding. Independent of: which process serves the sockets.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path
from typing import NamedTuple

from openclaude.errors import OpenclaudeError
from openclaude.files import FolderUnusable

HOST = "127.0.0.1"
BACKLOG = 512  # connections that may wait while LiteLLM starts
PAIRS_TRIED = 50


class PortBusy(OpenclaudeError):
    """No pair of free ports."""

    code = "port-busy"


class SocketPair(NamedTuple):
    """main's listening socket and providers', on neighbouring ports."""

    main: socket.socket
    providers: socket.socket
    port: int

    def close(self) -> None:
        """Close both sockets."""
        self.main.close()
        self.providers.close()


def bind_pair(port: int, *, strict: bool, stacks: Path | None = None) -> SocketPair:
    """Bind and listen on `port` and `port + 1`, or on the next free pair unless `strict`.

    Raises PortBusy, which names the process on the port if it can be found; also one that cannot be
    seen from here, by its record in `stacks`.
    """
    for candidate in range(port, port + 1 if strict else min(port + 2 * PAIRS_TRIED, 65535), 2):
        pair = try_pair(candidate)
        if pair:
            return pair
    who = owner(port, stacks) or owner(port + 1, stacks)
    tried = "" if strict else f" and {PAIRS_TRIED - 1} pairs after it"
    raise PortBusy(
        f"port {port} or {port + 1} is in use{who}{tried}",
        hint="set another `port` under [listen] in the profile, or OPENCLAUDE_LITELLM_PORT",
    )


def try_pair(port: int) -> SocketPair | None:
    """Both sockets, or None if either port is in use."""
    main = try_bind(port)
    if main is None:
        return None
    providers = try_bind(port + 1)
    if providers is None:
        main.close()
        return None
    return SocketPair(main, providers, port)


def try_bind(port: int) -> socket.socket | None:
    """A socket listening on the loopback `port`, or None if it is in use. Raises OSError."""
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
        # as any other refusal, which names what it was about
        raise OSError(error.errno, error.strerror, f"{HOST}:{port}") from error
    return listener


def owner(port: int, stacks: Path | None = None) -> str:
    """` by NAME (pid N)` for the process that listens on a loopback `port`, or "" if unknown."""
    found = seen_owner(port)
    if found or stacks is None:
        return found
    from openclaude.run.stack.places import who_has

    return who_has(stacks, port)


def seen_owner(port: int) -> str:
    """The same of a process that can be seen from here."""
    import psutil

    try:
        found = [
            connection.pid
            for connection in psutil.net_connections("tcp4")
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
        ]
        pid = next((pid for pid in found if pid), None)
        # root sees our own processes too, which are called after Python
        named = f" by `{psutil.Process(pid).name()}` (pid {pid})" if pid else ""
        return stack_on(port) or named
    except psutil.Error:
        return ""  # macOS shows other users' sockets to root only


def stack_on(port: int) -> str:
    """The same for a stack of this user: its processes let nobody see what they have open."""
    from openclaude.run.launcher.strays import holder_of, supervisors
    from openclaude.run.stack.folder import read_record

    for pid, folder in supervisors():
        with contextlib.suppress(FolderUnusable):  # another user may have written there
            record = read_record(folder)
            if record and record.pid == pid and port in {record.port, record.port + 1}:
                return f" by the proxies of `{record.profile}` (pid {pid})"
    if found := holder_of(port):
        pid, folder = found
        return f" for open sessions of `{folder.name}`, whose proxies were stopped (pid {pid})"
    return ""


def kept_for(port: int) -> str:
    """The profile for whose open sessions a port is held, "" for none; its next stack takes it."""
    from openclaude.run.launcher.strays import holder_of

    found = holder_of(port)
    return found[1].name if found else ""
