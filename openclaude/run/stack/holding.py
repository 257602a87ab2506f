"""How the ports of a stopped stack are held, and how the next stack gets them.

Knows: the holder's program, its socket; what is kept of a stack that ended unused. Independent of:
what the holder answers to claude.

A stack that ends because nobody uses it lets its ports go. A session that could not be seen may go
on later nevertheless, so the next stack of the profile knows its key by a digest, for a day.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from openclaude.contracts.decode import Malformed, to_line
from openclaude.contracts.handover import Held, Holding, read_held
from openclaude.contracts.stack_record import StackRecord
from openclaude.files import read_regular, write_private
from openclaude.run.os.environment import here
from openclaude.run.os.peers import is_strange
from openclaude.run.os.processes import python_environment, python_module
from openclaude.run.stack.client import ANSWER_TIMEOUT_S, socket_address
from openclaude.run.stack.control_socket import bind_private
from openclaude.run.stack.folder import held_path
from openclaude.run.stack.local_key import is_told_to_strangers, with_former
from openclaude.run.stack.logs import log_path, open_log

HOLDER = "openclaude.run.holder.holder"
UNUSED = "unused.keys"  # not .json: it outlives the stack
REMEMBERED_S = 24 * 3600.0
LARGEST = 16 * 1024  # bytes


def start_holder(
    folder: Path,
    record: StackRecord,
    listeners: Mapping[str, socket.socket],
    sessions: tuple[tuple[int, str], ...],
) -> None:
    """Hold a stack's sockets in a process of their own. Raises OSError.

    The process is told digests of the stack's keys, so that the next stack knows the sessions.
    """
    with bind_private(held_path(folder)) as control:
        holding = Holding(
            folder=str(folder),
            profile=record.profile,
            port=record.port,
            main=listeners["main"].fileno(),
            providers=listeners["providers"].fileno(),
            control=control.fileno(),
            sessions=sessions,
            former=with_former(record.former, record.main_key),
        )
        with open_log(log_path(folder, "supervisor")) as log:
            process = subprocess.Popen(
                python_module(
                    HOLDER, "--stack", str(folder), "--at", str(here()), "--port", str(record.port)
                ),
                env={"LANG": "C.UTF-8", **python_environment()},
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=log,  # not a terminal's, nor a pipe of who asked
                stderr=log,
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


def revoke_held(folder: Path) -> tuple[tuple[int, str], ...]:
    """Forget the keys of a stopped stack whose ports are held; return whose they were.

    The ports stay held. Raises OSError.
    """
    forget_keys(folder)
    found = take_held(folder)
    if found is None:
        return ()
    held, sockets = found
    main, providers = (socket.socket(fileno=descriptor) for descriptor in sockets)
    record = StackRecord(
        version="", profile=folder.name, pid=0, started="", port=held.port, main_key=""
    )
    with main, providers:
        start_holder(folder, record, {"main": main, "providers": providers}, held.sessions)
    return held.sessions


def remember_keys(folder: Path, record: StackRecord) -> None:
    """Keep digests of the keys of a stack that ends unused. Raises FolderUnusable.

    Not where a session says its key to whoever has the port.
    """
    if is_told_to_strangers(folder):
        return
    held = Held(port=record.port, sessions=(), former=with_former(record.former, record.main_key))
    write_private(folder / UNUSED, to_line(held).decode())


def recall_keys(folder: Path) -> Held | None:
    """What `remember_keys` has kept, unless it is old."""
    path = folder / UNUSED
    try:
        age_s = time.time() - path.stat().st_mtime
        found = read_held(read_regular(path, LARGEST, is_private=True))
    except (OSError, Malformed):
        return None
    return found if -60.0 < age_s < REMEMBERED_S else None  # a clock may have been wrong


def forget_keys(folder: Path) -> None:
    """Let no session go on with a key of a stack that has ended. Raises OSError."""
    (folder / UNUSED).unlink(missing_ok=True)


def release_ports(folder: Path) -> None:
    """End the holder of a stopped stack's ports, if there is one."""
    _, sockets = take_held(folder) or (None, ())
    for descriptor in sockets:
        os.close(descriptor)
