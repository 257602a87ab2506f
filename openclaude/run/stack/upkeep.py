"""What a running stack needs in its folder, made again if another program has removed it.

Knows: the files, what each says. Independent of: who removed them; units, sessions.

Without this, a unit whose config is gone cannot be started again, and without record and control
socket the supervisor is not found: a launch would start a second one, and `stop` none.
"""

from __future__ import annotations

import enum
import fcntl
import os
import socket
from pathlib import Path

from openclaude.contracts.plan import Plan
from openclaude.contracts.stack_record import StackRecord
from openclaude.files import private_folder, write_private
from openclaude.run.stack.control_socket import bind_control, identity, is_served
from openclaude.run.stack.folder import (
    PLAN,
    client_certificate,
    record_path,
    server_certificate,
    write_files,
    write_record,
)

LOOK_EVERY_S = 1.0


class Found(enum.Enum):
    """What a look at the folder has found."""

    WHOLE = "whole"
    RENEWED = "renewed"
    TAKEN = "taken"  # another supervisor listens there
    BUSY = "busy"  # a launch or a stop works there


class Upkeep:
    """The folder of one running stack."""

    def __init__(self, folder: Path, record: StackRecord, *, is_tls: bool) -> None:
        self.folder = folder
        self.record = record
        self.control: socket.socket | None = None  # where the one before was removed
        self._identity = identity(folder)
        self._due = 0.0
        both = (server_certificate(folder), client_certificate(folder)) if is_tls else ()
        self._certificates = {path: path.read_text(encoding="ascii") for path in both}

    def hurry(self) -> None:
        """Look again at once: a launch or a command misses the socket."""
        self._due = 0.0

    def write_record(self) -> None:
        """Write the record."""
        write_record(self.folder, self.record)

    def renew_record(self, *, main_key: str) -> None:
        """The record with another key, and without those before: they were revoked."""
        self.record = self.record._replace(main_key=main_key, former=())
        self.write_record()

    def take_control(self) -> socket.socket | None:
        """The new control socket, once, if there is one."""
        control, self.control = self.control, None
        return control

    def look(self, plan: Plan, now: float) -> Found:
        """Make anew what is missing, at most once a second. Raises OSError or FolderUnusable."""
        if now < self._due:
            return Found.WHOLE
        self._due = now + LOOK_EVERY_S
        missing = self._missing(plan)
        if not missing and identity(self.folder) == self._identity:
            return Found.WHOLE
        private_folder(self.folder)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return self._renew(plan)
        except BlockingIOError:
            return Found.BUSY
        finally:
            os.close(lock)

    def _renew(self, plan: Plan) -> Found:
        """The same under the lock of the stack."""
        if identity(self.folder) not in {None, self._identity} and is_served(self.folder):
            return Found.TAKEN
        if any(not (self.folder / name).exists() for name in (*plan.files, PLAN)):
            write_files(self.folder, plan)
        is_emptied = not record_path(self.folder).exists()
        for path, text in self._certificates.items():
            # who has removed the key alone wants another
            if is_emptied and not path.exists():
                write_private(path, text)
        if identity(self.folder) != self._identity:
            self.control = bind_control(self.folder)
            self._identity = identity(self.folder)
        if not record_path(self.folder).exists():
            self.write_record()
        return Found.RENEWED

    def _missing(self, plan: Plan) -> list[Path]:
        """The files that are not there."""
        names = (self.folder / name for name in (*plan.files, PLAN))
        return [path for path in (record_path(self.folder), *names) if not path.exists()]
