"""A running stack as others see it: its folder, its record, and the questions it answers.

Knows: where a stack's files are and how to ask its supervisor. Refuses to know: profiles, claude.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.errors import OpenclaudeError
from openclaude.run.files import write_private
from openclaude.run.listeners import control_path, socket_address
from openclaude.run.processes import is_alive

ANSWER_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 30.0
FOLDERS = frozenset({"launches", "empty"})  # settings of launches; where instances work


class StackUnreachable(OpenclaudeError):
    """A supervisor that lives and does not answer."""

    code = "stack-unreachable"


class Record(NamedTuple):
    """What a stack's folder says of it; true only while the process (pid, started) lives."""

    version: str  # of openclaude
    profile: str
    pid: int  # the supervisor's
    started: str  # its start time, `processes.start_time`
    port: int  # main's; providers on the next
    main_key: str  # main's local key, for launches that join

    @property
    def is_live(self) -> bool:
        """Whether the supervisor that wrote the record still runs."""
        return is_alive(self.pid, self.started)


def record_path(folder: Path) -> Path:
    """The record's file."""
    return folder / "stack.json"


def write_record(folder: Path, record: Record) -> None:
    """Write the record, 0600."""
    write_private(record_path(folder), json.dumps(record._asdict()) + "\n")


def read_record(folder: Path) -> Record | None:
    """The record, or None when there is none or it is torn: then there is no stack to trust."""
    try:
        row = json.loads(record_path(folder).read_text(encoding="utf-8"))
        record = Record(**row)
    except (OSError, ValueError, TypeError):
        return None
    texts = (record.version, record.profile, record.started, record.main_key)
    whole = all(isinstance(text, str) for text in texts) and all(
        type(number) is int and 0 < number < limit
        for number, limit in ((record.pid, 2**31), (record.port, 65535))
    )
    return record if whole else None


def forget_stack(folder: Path) -> None:
    """Remove what a stack that has ended left in its folder; its logs stay to be read."""
    import shutil  # slow to import, and a launch has no use for it

    for path in folder.iterdir():
        if path.name in FOLDERS:
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix in {".json", ".yaml", ".tmp"}:
            path.unlink(missing_ok=True)
    control_path(folder).unlink(missing_ok=True)


def ask(folder: Path, question: dict[str, Any], *, timeout_s: float = ANSWER_TIMEOUT_S) -> Any:
    """The supervisor's answer to one question (an object with `do`), or None when nobody listens.

    Raises StackUnreachable when somebody listens and does not answer within `timeout_s` seconds.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            with socket_address(control_path(folder)) as address:
                connection.connect(address)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return None
        try:
            connection.sendall(json.dumps(question).encode() + b"\n")
            answer = read_line(connection)
        except TimeoutError:
            raise StackUnreachable(
                f"the supervisor of `{folder.name}` does not answer",
                hint=f"end it with `openclaude stop --profile {folder.name}`",
            ) from None
        except ConnectionError:
            return None
    return json.loads(answer) if answer else None


def take_sockets(folder: Path) -> tuple[int, ...]:
    """The listening sockets of a running stack, which then ends; empty when it cannot give them."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            with socket_address(control_path(folder)) as address:
                connection.connect(address)
            connection.sendall(b'{"do": "handover"}\n')
            _, given, _, _ = socket.recv_fds(connection, 1 << 20, 2)
        except OSError:
            return ()  # it is asked to stop instead
    return tuple(given)


def read_line(connection: socket.socket) -> bytes:
    """Bytes up to the end of the line or of the connection."""
    parts = bytearray()
    while not parts.endswith(b"\n"):
        part = connection.recv(65536)
        if not part:
            break
        parts += part
    return bytes(parts)
