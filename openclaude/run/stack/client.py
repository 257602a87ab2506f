"""The client of the control socket: one request, one answer.

Knows: how a supervisor is reached, and what a missing answer means. Independent of: how answers are
used.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from openclaude.contracts.control import (
    GiveAway,
    Question,
    QuestionRefused,
    Stop,
    Stopped,
    question_line,
)
from openclaude.contracts.decode import Malformed, decode, read_json
from openclaude.contracts.record import Record
from openclaude.errors import OpenclaudeError
from openclaude.files import hint_for
from openclaude.run.os.environment import here
from openclaude.run.os.peers import is_in_sight, is_strange
from openclaude.run.stack.folder import control_path

ANSWER_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 30.0
# the shortest limit of sun_path among the systems we know (macOS 104, Linux 108), less the NUL
SOCKET_PATH_LIMIT = 103

Answer = TypeVar("Answer", bound=Record)


class StackUnreachable(OpenclaudeError):
    """A supervisor that runs but does not answer, or not with the expected message."""

    code = "stack-unreachable"


class StackElsewhere(StackUnreachable):
    """A stack that lives in another container, namespace or machine with this home."""

    code = "stack-elsewhere"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"the proxies of `{folder.name}` in `{folder}` belong to another container, namespace "
            "or machine that shares this home",
            hint="stop them there; a launch here starts proxies of its own",
        )


def ask_supervisor(
    folder: Path,
    question: Question,
    answer: type[Answer],
    *,
    timeout_s: float = ANSWER_TIMEOUT_S,
) -> Answer | None:
    """The supervisor's answer to one request, or None if nothing listens.

    Raises StackUnreachable for a timeout, a refusal or an unexpected message.
    """
    with understood(folder):
        document = exchange(folder, question, timeout_s=timeout_s)
        return None if document is None else decode(answer, document, "answer")


def ask_to_stop(folder: Path, *, timeout_s: float = STOP_TIMEOUT_S) -> Stopped | None:
    """Stop the stack and wait until it has ended; None if none ran.

    Raises StackUnreachable.

    """
    return ask_supervisor(folder, Stop(), Stopped, timeout_s=timeout_s)


def exchange(folder: Path, question: Question, *, timeout_s: float) -> object | None:
    """One JSON document for one request, or None.

    Raises StackUnreachable, StackElsewhere or Malformed.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            with socket_address(control_path(folder)) as address:
                connection.connect(address)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise StackUnreachable(
                f"cannot reach `{control_path(folder)}`: {error.strerror or error}",
                hint=hint_for(error, "choose another place for its state with XDG_STATE_HOME"),
            ) from error
        if is_strange(connection):
            raise StackUnreachable(
                f"another user answers on `{control_path(folder)}`",
                hint="choose another place for openclaude's state with XDG_STATE_HOME",
            )
        if not is_in_sight(connection):  # an older one does not say where it is
            raise StackElsewhere(folder)
        try:
            connection.sendall(question_line(question, str(here())))
            line = read_line(connection)
        except TimeoutError:
            raise StackUnreachable(
                f"the supervisor of `{folder.name}` does not answer",
                hint=f"end it with `openclaude stop --profile {folder.name}`",
            ) from None
        except ConnectionError:
            return None
    if not line:
        return None
    document: object = read_json(line, "answer")
    if isinstance(document, dict) and "error" in document:
        refused = decode(QuestionRefused, document, "answer")
        raise StackElsewhere(folder) if refused.is_elsewhere else Malformed(refused.error)
    return document


@contextlib.contextmanager
def understood(folder: Path) -> Iterator[None]:
    """Turn an unusable answer into an error that names the stack. Raises StackUnreachable."""
    try:
        yield
    except Malformed as error:
        raise StackUnreachable(
            f"the supervisor of `{folder.name}` and this openclaude do not speak the same "
            f"protocol: {error}",
            hint=f"end it with `openclaude stop --profile {folder.name}`",
        ) from None


def take_sockets(folder: Path) -> tuple[int, ...]:
    """The listening sockets of a running stack, which then ends; empty if it refuses."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            with socket_address(control_path(folder)) as address:
                connection.connect(address)
            if is_strange(connection) or not is_in_sight(connection):
                return ()
            connection.sendall(question_line(GiveAway(), str(here())))
            _, given, _, _ = socket.recv_fds(connection, 1 << 20, 2)
        except OSError:
            return ()  # it is asked to stop instead
    return tuple(given)


def read_line(connection: socket.socket) -> bytes:
    """Read up to the end of the line or of the connection."""
    parts = bytearray()
    while not parts.endswith(b"\n"):
        part = connection.recv(65536)
        if not part:
            break
        parts += part
    return bytes(parts)


@contextlib.contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """The address of a Unix socket: its path, or its bare name from within its folder.

    Such a path has a small limit that a deep XDG_STATE_HOME exceeds. A short directory under /tmp
    would also work, but another user could create it first and answer instead.
    """
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        yield str(path)
    else:
        with contextlib.chdir(path.parent):
            yield path.name
