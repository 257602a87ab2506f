"""The desk: answers questions about a stack on its control socket.

Knows: the questions and the shape of the answers. Refuses to know: how anything is done.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

from openclaude.run.note import note

PATIENCE_S = 2.0  # for a question to be asked whole; the supervisor waits meanwhile
LONGEST_QUESTION = 1 << 20  # bytes

Answer = dict[str, Any]


class Desk:
    """One listening control socket. The two callbacks decide; this only talks.

    `answer` gets a question and gives its answer; it may ask for the connection to be kept, to be
    answered when the stack has ended (`stop`) or given away (`handover`).
    """

    def __init__(
        self,
        control: socket.socket,
        answer: Callable[[Answer], Answer],
        *,
        stop: Callable[[], None],
        give_away: Callable[[], tuple[int, ...]],
    ) -> None:
        self.control = control
        self.answer = answer
        self.stop = stop
        self.give_away = give_away
        self.waiting: list[socket.socket] = []  # who asked to stop
        control.setblocking(False)

    def serve_one(self) -> None:
        """Answer one connection."""
        try:
            connection, _ = self.control.accept()
        except BlockingIOError:
            return  # it left before we looked
        connection.settimeout(PATIENCE_S)
        keep = False
        try:
            keep = self.talk(connection)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            note(f"a question could not be answered: {error!r}")
        if not keep:
            connection.close()

    def talk(self, connection: socket.socket) -> bool:
        """Hear the question and answer it; whether the connection is kept."""
        question = json.loads(read_line(connection))
        match question["do"]:
            case "stop":
                self.waiting.append(connection)
                self.stop()
                return True
            case "handover":
                answer = json.dumps(self.answer(question)).encode() + b"\n"
                socket.send_fds(connection, [answer], list(self.give_away()))
            case _:
                connection.sendall(json.dumps(self.answer(question)).encode() + b"\n")
        return False

    def close(self, last_words: Answer) -> None:
        """Close the socket, and tell who waited that all is done."""
        self.control.close()
        for connection in self.waiting:
            try:
                connection.sendall(json.dumps(last_words).encode() + b"\n")
            except OSError as error:
                note(f"who asked to stop has left: {error}")
            connection.close()


def read_line(connection: socket.socket) -> bytes:
    """One line, or less where the connection ends."""
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < LONGEST_QUESTION:
        part = connection.recv(65536)
        if not part:
            break
        line += part
    return bytes(line)
