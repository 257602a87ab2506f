"""The control socket of a stack: binding it, whose it is, and how one that is gone comes back.

Knows: its path, its mode. Independent of: what is asked on it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

from openclaude.files import FolderUnusable, hint_for, refusal
from openclaude.run.stack.client import socket_address
from openclaude.run.stack.folder import control_path, is_live, read_record

PROBE_S = 1.0
RECOVERY_S = 5.0  # for a supervisor to bind its socket anew; it does so at once, unless it hangs
CALL_AGAIN_S = 0.1  # another launch may have held the lock, which it needs for that


def bind_control(folder: Path) -> socket.socket:
    """The listening control socket of a stack. The caller holds the stack's lock.

    Raises FolderUnusable.
    """
    path = control_path(folder)
    try:
        return bind_private(path)
    except OSError as error:
        raise refusal(error)(
            f"cannot make the socket `{path}`: {error.strerror or error}",
            hint=hint_for(
                error,
                "its file system may have no sockets; choose another place with XDG_STATE_HOME",
            ),
        ) from error


def bind_private(path: Path) -> socket.socket:
    """A listening Unix socket that only its owner reaches. Raises OSError."""
    path.unlink(missing_ok=True)  # left by a process that was killed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with socket_address(path) as address:
            listener.bind(address)
        listener.listen(64)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def identity(folder: Path) -> tuple[int, int] | None:
    """Which socket lies at a stack's control path; None where there is none."""
    try:
        found = control_path(folder).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_served(folder: Path) -> bool:
    """Whether a process listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            with socket_address(control_path(folder)) as address:
                probe.connect(address)
        except OSError:
            return False
    return True


def is_lost(folder: Path) -> bool:
    """Whether a stack runs whose socket was removed, and not bound anew yet.

    A stack that ends removes its record first.
    """
    record = None
    with contextlib.suppress(FolderUnusable):  # then what is there is not believed
        record = read_record(folder)
    return record is not None and is_live(record) and identity(folder) is None


def recover(folder: Path) -> bool:
    """Have the supervisor bind its socket anew, if it was removed; whether it has.

    The caller does not hold the stack's lock: the supervisor needs it.
    """
    deadline = time.monotonic() + RECOVERY_S
    called = 0.0
    while is_lost(folder) and time.monotonic() < deadline:
        if time.monotonic() > called + CALL_AGAIN_S:
            called = time.monotonic()
            with contextlib.suppress(ProcessLookupError, FolderUnusable):  # it ended since
                if record := read_record(folder):
                    os.kill(record.pid, signal.SIGCONT)
        time.sleep(0.01)
    return identity(folder) is not None
