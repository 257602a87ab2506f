"""How the ports of a stopped stack are held, and how the next stack gets them.

Knows: the holder's program, its socket. Independent of: what it answers to claude.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from openclaude.contracts.decode import Malformed, to_line
from openclaude.contracts.handover import Held, Holding, read_held
from openclaude.contracts.stack_record import StackRecord
from openclaude.run.os.peers import is_strange
from openclaude.run.os.processes import python_environment, python_module
from openclaude.run.stack.client import ANSWER_TIMEOUT_S, socket_address
from openclaude.run.stack.control_socket import bind_private

HOLDER = "openclaude.run.holder.holder"


def held_path(folder: Path) -> Path:
    """The socket on which a holder gives the ports away; it outlives its stack."""
    return folder / "held.sock"


def start_holder(
    folder: Path,
    record: StackRecord,
    listeners: Mapping[str, socket.socket],
    sessions: tuple[tuple[int, str], ...],
) -> None:
    """Hold a stack's sockets in a process of their own. Raises OSError."""
    with bind_private(held_path(folder)) as control:
        holding = Holding(
            folder=str(folder),
            profile=record.profile,
            port=record.port,
            main=listeners["main"].fileno(),
            providers=listeners["providers"].fileno(),
            control=control.fileno(),
            sessions=sessions,
        )
        process = subprocess.Popen(
            python_module(HOLDER, "--stack", str(folder)),
            env={"LANG": "C.UTF-8", **python_environment()},
            cwd="/",
            stdin=subprocess.PIPE,
            pass_fds=(holding.main, holding.providers, holding.control),
            start_new_session=True,
        )
        if process.stdin:
            with process.stdin as pipe:
                pipe.write(to_line(holding))


def take_held(folder: Path) -> tuple[Held, tuple[int, ...]] | None:
    """The held sockets of a stopped stack and whom they are held for; None where there are none.

    Their holder ends.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            with socket_address(held_path(folder)) as address:
                connection.connect(address)
            if is_strange(connection):
                return None
            said, given, _, _ = socket.recv_fds(connection, 1 << 20, 2)
            connection.recv(1)  # the end: that of the holder
            held = read_held(said)
        except (OSError, Malformed):
            return None  # it was killed, and its socket is left
    return (held, tuple(given)) if len(given) == 2 else None


def release_ports(folder: Path) -> None:
    """End the holder of a stopped stack's ports, if there is one."""
    _, sockets = take_held(folder) or (None, ())
    for descriptor in sockets:
        os.close(descriptor)
