"""A port that an instance serves beside its own: bound by itself, and let go when it is replaced.

Knows: how two instances of one stack share it for a moment, and that two stacks must not.
Independent of: what is served there. Nothing depends on it: where the port cannot be had, the
instance says so and serves the rest.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from openclaude.contracts.worker import FurtherPort

LOOPBACK = "127.0.0.1"
ANSWER_S = 0.5
ANOTHER_STACK = "another profile's proxies show theirs there"
OTHER_PROGRAM = "another program listens there"
NAME = b"x-openclaude-stack: "  # of the stack that answers, in a reply's head


def open_further(
    wanted: FurtherPort | None, lacking: Callable[[int, str], None]
) -> list[socket.socket]:
    """Bind and listen; [] for no port, or where that is impossible.

    `lacking` is then told the port and why it cannot be had.
    """
    if wanted is None:
        return []
    port = wanted.port
    if is_of_another(wanted):
        lacking(port, ANOTHER_STACK)
        return []
    listener = socket.socket()
    try:
        # the instance that this one replaces has it until it is told to end
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        lacking(port, OTHER_PROGRAM if error.errno == errno.EADDRINUSE else str(error.strerror))
        return []
    return [listener]


def is_of_another(wanted: FurtherPort) -> bool:
    """Whether another stack answers on a port: the kernel would divide connections between both."""
    question = b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((LOOPBACK, wanted.port), ANSWER_S) as line:
            line.settimeout(ANSWER_S)
            line.sendall(question)
            head = line.recv(4096)
    except OSError:
        return False  # nothing answers, or not as an instance does
    found = [one for one in head.split(b"\r\n") if one.lower().startswith(NAME)]
    return bool(found) and found[0][len(NAME) :] != wanted.owner.encode()
