"""A forkserver as the supervisor sees it: a process to request forks from.

Knows: the channel and its messages. Independent of: which units there are, secrets.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from openclaude.contracts.decode import Malformed, to_line
from openclaude.contracts.worker import (
    Forked,
    ForkEnded,
    ForkOrder,
    ForkserverReady,
    read_forkserver_message,
)
from openclaude.run.os.environment import here
from openclaude.run.os.processes import python_environment, python_module

ANSWER_TIMEOUT_S = 10.0  # a fork takes milliseconds; a machine that swaps takes its time
END_PATIENCE_S = 0.3  # for the word how a fork ended, once its pipe has closed


class ForkserverProcess:
    """A running forkserver."""

    def __init__(
        self,
        applications: Sequence[str],
        prepare: Sequence[str],
        *,
        before_fork: Sequence[str],
        environment: dict[str, str],
        log: Path,
        folder: Path,
    ) -> None:
        """Start it.

        `environment` is its whole environment; it must not contain a secret. Raises OSError.
        """
        # one message is one packet: a stream could cut them
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.is_ready = False
        self.began = time.monotonic()
        self.codes: dict[int, int] = {}  # of forks that have ended, until they are queried
        self.forked: list[int] = []
        self.fault = ""  # why it was ended
        options = [f"--stack={folder.parent}", f"--at={here()}"]
        options += [f"--application={name}" for name in applications]
        options += [f"--prepare={name}" for name in prepare]
        options += [f"--before-fork={name}" for name in before_fork]
        with theirs, open(log, "ab", opener=private) as output:
            self.popen = subprocess.Popen(
                python_module(
                    "openclaude.run.worker.forkserver", "--channel", str(theirs.fileno()), *options
                ),
                env={**python_environment(), **environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.popen.pid

    def read_message(self, *, timeout_s: float = 0.0) -> bool:
        """Read one message, with a timeout; False if the forkserver has exited.

        The channel may be empty although it was readable: `exit_code` and `fork` read it,
        too. One that sends an invalid message is killed.
        """
        self.channel.settimeout(timeout_s)
        try:
            packet = self.channel.recv(65536)
        except (BlockingIOError, TimeoutError):
            return True
        except OSError:
            return False
        if not packet:
            return False
        try:
            message = read_forkserver_message(packet)
        except Malformed as error:
            self.fault = str(error)
            self.popen.kill()
            return False
        match message:
            case ForkserverReady():
                self.is_ready = True
            case Forked(forked=pid):
                self.forked.append(pid)
            case ForkEnded(exited=pid, code=code):
                self.codes[pid] = code
        return True

    def fork(self, application: str, given: Sequence[int]) -> int:
        """Order a fork that gets those file descriptors; its pid. Raises OSError."""
        order = to_line(ForkOrder(application=application))
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        self.channel.settimeout(ANSWER_TIMEOUT_S)
        socket.send_fds(self.channel, [order], list(given))
        while not self.forked:
            left = deadline - time.monotonic()
            if left <= 0:
                self.popen.kill()  # an answer that came later would be taken for the next one's
                raise OSError("the forkserver does not answer")
            if not self.read_message(timeout_s=left):
                raise OSError("the forkserver has ended")
        return self.forked.pop()

    def exit_code(self, pid: int) -> int | None:
        """A fork's exit code, or None if the forkserver exited before."""
        deadline = time.monotonic() + END_PATIENCE_S
        while pid not in self.codes and (left := deadline - time.monotonic()) > 0:
            if not self.read_message(timeout_s=left):
                break
        return self.codes.pop(pid, None)

    def end(self) -> None:
        """Release it; it exits when the channel closes."""
        self.channel.close()


def private(name: str, flags: int) -> int:
    """Open a file that only its owner can read."""
    return os.open(name, flags, 0o600)
