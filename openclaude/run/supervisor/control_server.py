"""The control server: answers requests on a stack's control socket.

Knows: requests, answers, timeouts. Independent of: how requests are carried out. Only the user can
reach the socket; still, no input may end the supervisor.
"""

from __future__ import annotations

import contextlib
import socket
import time
import traceback
from collections.abc import Callable

from openclaude.contracts.control import (
    GiveAway,
    Question,
    QuestionRefused,
    Stop,
    Stopped,
    asked_where,
    read_question,
)
from openclaude.contracts.decode import Malformed, to_line
from openclaude.contracts.record import Record
from openclaude.run.os.environment import Relation, relation
from openclaude.run.os.peers import is_strange
from openclaude.run.supervisor.log import Log

PATIENCE_S = 2.0  # for a question to be asked whole; the supervisor waits meanwhile
LONGEST_QUESTION = 1 << 20  # bytes
ELSEWHERE = "it was asked in another container or namespace, which needs a stack of its own"


class ControlServer:
    """One listening control socket. The callbacks decide; this only communicates.

    `answer` gets a question and gives its answer, having done what it asks for. Who asks to `stop`
    is answered when the stack has ended; who asks for the sockets gets what `give_away` gives.

    """

    def __init__(
        self,
        control: socket.socket,
        log: Log,
        answer: Callable[[Question], Record],
        *,
        stop: Callable[[], None],
        give_away: Callable[[], tuple[int, ...]],
    ) -> None:
        self.control = control
        self.log = log
        self.answer = answer
        self.stop = stop
        self.give_away = give_away
        self.waiting: list[socket.socket] = []  # who asked to stop
        control.setblocking(False)

    def serve_one(self) -> None:
        """Answer one connection."""
        try:
            connection, _ = self.control.accept()
        except (BlockingIOError, ConnectionError):
            return  # it left before we looked
        if is_strange(connection):
            self.log("refuse a question: another user asks it")
            connection.close()
            return
        keep = False
        deadline = time.monotonic() + PATIENCE_S
        try:
            keep = self.talk(connection, deadline)
        except Malformed as error:
            self.refuse(connection, str(error), deadline)
        except OSError as error:
            self.log(f"a control request could not be answered: {error!r}")
        except Exception as error:  # noqa: BLE001 - a bug must not end a stack that is in use
            self.log(f"a control request could not be answered:\n{traceback.format_exc()}")
            self.refuse(connection, f"it failed ({error!r})", deadline)
        if not keep:
            connection.close()

    def talk(self, connection: socket.socket, deadline: float) -> bool:
        """Read a request and answer it; return whether to keep the connection. Raises Malformed."""
        line = read_line(connection, deadline)
        if not line:
            return False  # it only checked for a listener
        if relation(asked_where(line)) is not Relation.HERE:
            self.refuse(connection, ELSEWHERE, deadline, is_elsewhere=True)
            return False
        question = read_question(line)
        connection.settimeout(PATIENCE_S)
        match question:
            case Stop():
                self.waiting.append(connection)
                self.stop()
                return True
            case GiveAway():
                answer = to_line(self.answer(question))
                socket.send_fds(connection, [answer], list(self.give_away()))
            case _:
                connection.sendall(to_line(self.answer(question)))
        return False

    def refuse(
        self, connection: socket.socket, why: str, deadline: float, *, is_elsewhere: bool = False
    ) -> None:
        """Send the refusal, and drain the input, so that the client reads it."""
        self.log(f"refuse a control request: {why}")
        with contextlib.suppress(OSError):  # it has left, and does not want to know
            connection.settimeout(PATIENCE_S)
            connection.sendall(to_line(QuestionRefused(error=why, is_elsewhere=is_elsewhere)))
            connection.shutdown(socket.SHUT_WR)
            while read_part(connection, deadline):
                continue

    def listen(self, control: socket.socket) -> None:
        """Listen on another socket: the one before was removed and cannot be reached."""
        control.setblocking(False)
        self.control.close()
        self.control = control

    def close(self, last_words: Stopped) -> None:
        """Close the socket, and answer the clients that asked to stop."""
        self.control.close()
        for connection in self.waiting:
            try:
                connection.sendall(to_line(last_words))
            except OSError as error:
                self.log(f"the client that asked to stop has disconnected: {error}")
            connection.close()


def read_line(connection: socket.socket, deadline: float) -> bytes:
    """One line, or the input up to the connection's end. Raises Malformed or TimeoutError."""
    line = bytearray()
    while not line.endswith(b"\n"):
        part = read_part(connection, deadline)
        line += part
        if len(line) > LONGEST_QUESTION:
            raise Malformed(f"control request: it is longer than {LONGEST_QUESTION} bytes")
        if not part:
            break
    return bytes(line)


def read_part(connection: socket.socket, deadline: float) -> bytes:
    """The next input, or b"" at the connection's end. Raises TimeoutError."""
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("the request did not arrive in time")
    connection.settimeout(left_s)
    return connection.recv(65536)
