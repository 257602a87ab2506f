"""The holder: answers on the ports of a stack that was stopped under open claude sessions.

Knows: one sentence, the sessions, who may have the sockets. Independent of: units, plans, keys: it
has digests only. Run as `python -m` of its own name, with a `Holding` on its standard input.

Without it those sessions would ask whoever binds the port next. They get a reply that says how to
go on; the next stack of the profile takes the sockets over, and with the last session it ends.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
import time
from pathlib import Path

from openclaude.contracts.decode import Malformed, to_line
from openclaude.contracts.handover import Held, Holding, read_holding
from openclaude.run.os.confinement import keep_memory_private
from openclaude.run.os.own_code import hold_own_code
from openclaude.run.os.peers import is_strange
from openclaude.run.stack.folder import held_path, server_certificate
from openclaude.run.stack.logs import log_path
from openclaude.run.supervisor.log import Faults, SupervisorLog
from openclaude.run.supervisor.sessions import Sessions
from openclaude.run.supervisor.unavailable import UnavailableAnswers

TICK_S = 30.0  # the longest sleep; everything that matters wakes the loop
TAKING_S = 2.0  # for who takes the sockets to take the message


class Holder:
    """The owner of a stopped stack's sockets."""

    def __init__(self, holding: Holding) -> None:
        self.folder, self.port, self.former = Path(holding.folder), holding.port, holding.former
        self.log = SupervisorLog(log_path(self.folder, "supervisor"))
        self.faults = Faults(self.log)
        self.listeners = {
            "main": socket.socket(fileno=holding.main),
            "providers": socket.socket(fileno=holding.providers),
        }
        self.selector = selectors.DefaultSelector()
        self.answers = UnavailableAnswers(
            self.listeners, self.selector, str(server_certificate(self.folder))
        )
        for name in self.listeners:
            sentence = stopped_sentence if holding.former else locked_sentence
            self.answers.fail(name, sentence(holding.profile))
        self.sessions = Sessions(self.selector, self.port, self.folder, self.log)
        for pid, started in holding.sessions:
            self.sessions.add(pid, started)
        self.control = socket.socket(fileno=holding.control)
        self.control.setblocking(False)
        self.selector.register(self.control, selectors.EVENT_READ, self.give_away)
        self.taker: socket.socket | None = None

    def run(self) -> None:
        """Answer until the last session has ended, or another stack has the sockets."""
        self.log("hold the ports for these sessions")
        while self.sessions and self.taker is None:
            self.go_round()
            time.sleep(self.faults.end_round())
        if self.taker is None:
            self.leave()
            self.log("let the ports go: the last session has ended")

    def go_round(self) -> None:
        """Hear what was said, then forget who has ended."""
        for key, _ in self.faults.survive("waiting", self.wait) or []:
            if key.fd in self.selector.get_map():  # not closed by the one before
                self.faults.survive("hearing what was said", key.data)
        self.answers.end_late(time.monotonic())
        self.faults.survive("counting sessions", self.sessions.forget_ended)

    def wait(self) -> list[tuple[selectors.SelectorKey, int]]:
        """What was said, as soon as there is something or something is due."""
        due_s = self.answers.due - time.monotonic()
        return self.selector.select(max(0.0, min(TICK_S, self.sessions.poll_s, due_s)))

    def give_away(self) -> None:
        """Give the sockets to the next stack of this user."""
        try:
            connection, _ = self.control.accept()
        except (BlockingIOError, ConnectionError):
            return
        if is_strange(connection):
            connection.close()
            return
        self.leave()  # first: the next stack may be stopped soon, and then binds here
        said = to_line(self.held())
        both = [self.listeners[name].fileno() for name in ("main", "providers")]
        connection.settimeout(TAKING_S)
        with contextlib.suppress(OSError):  # it has left, and so do we
            socket.send_fds(connection, [said], both)
        self.log("let the ports go: another stack takes them")
        self.taker = connection  # closes as this process ends

    def held(self) -> Held:
        """What the next stack has to know."""
        return Held(port=self.port, sessions=self.sessions.processes, former=self.former)

    def leave(self) -> None:
        """Remove the socket that leads here."""
        held_path(self.folder).unlink(missing_ok=True)


def stopped_sentence(profile: str) -> str:
    """What claude shows for a request to a stack that was stopped."""
    return (
        f"openclaude: the proxies of `{profile}` were stopped: `openclaude start {profile}` in "
        "another terminal brings them back, and this session goes on"
    )


def locked_sentence(profile: str) -> str:
    """The same where the keys were revoked as well."""
    return (
        f"openclaude: the proxies of `{profile}` were stopped, and this session's local key was "
        f"revoked: exit, and go on with `openclaude --profile {profile} --continue`"
    )


def main() -> None:
    """Read the orders, and hold the ports."""
    hold_own_code()
    keep_memory_private()
    try:
        holding = read_holding(sys.stdin.read())
        sys.stdin.close()
        holder = Holder(holding)
    except (Malformed, OSError) as error:
        sys.exit(f"the ports of the stopped stack could not be held: {error}")
    holder.run()


if __name__ == "__main__":
    main()
