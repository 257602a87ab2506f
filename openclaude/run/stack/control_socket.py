"""The control socket of a stack: binding it, and whose it is.

Knows: its path, its mode. Independent of: what is asked on it.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from openclaude.files import hint_for, refusal
from openclaude.run.stack.client import socket_address
from openclaude.run.stack.folder import control_path

PROBE_S = 1.0


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
