"""The preloader as the supervisor sees it: a process to ask for forks.

Knows: the channel and what is said on it. Refuses to know: which units there are, secrets.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openclaude.run.processes import python_environment, python_module

ANSWER_TIMEOUT_S = 10.0  # a fork takes milliseconds; a machine that swaps takes its time
END_PATIENCE_S = 0.3  # for the word how a fork ended, once its pipe has closed


class Preloader:
    """A running preloader."""

    def __init__(
        self,
        applications: Sequence[str],
        prepare: Sequence[str],
        *,
        environment: dict[str, str],
        log: Path,
        folder: Path,
    ) -> None:
        """Start it. `environment` is all it gets; it must hold no secret."""
        # one message is one order: a stream could cut them
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.is_ready = False
        self.codes: dict[int, int] = {}  # of forks that have ended, until somebody asks
        self.forked: list[int] = []
        options = [f"--application={name}" for name in applications]
        options += [f"--prepare={name}" for name in prepare]
        with theirs, open(log, "ab", opener=private) as output:
            self.popen = subprocess.Popen(
                python_module(
                    "openclaude.run.preload", "--channel", str(theirs.fileno()), *options
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

    def hear(self, *, timeout_s: float = 0.0) -> bool:
        """Take in one message, where one is there or comes in time; False when it has ended.

        That the channel was readable a moment ago is no promise: `code` and `fork` read it, too.
        """
        self.channel.settimeout(timeout_s)
        try:
            message = self.channel.recv(65536)
        except (BlockingIOError, TimeoutError):
            return True
        except OSError:
            return False
        if not message:
            return False
        said: dict[str, Any] = json.loads(message)
        self.is_ready = self.is_ready or "ready" in said
        if "forked" in said:
            self.forked.append(said["forked"])
        if "exited" in said:
            self.codes[said["exited"]] = said["code"]
        return True

    def fork(self, application: str, given: Sequence[int]) -> int:
        """Order a fork that gets those file descriptors; its pid. Raises OSError."""
        order = json.dumps({"application": application}).encode()
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        self.channel.settimeout(ANSWER_TIMEOUT_S)
        socket.send_fds(self.channel, [order], list(given))
        while not self.forked:
            left = deadline - time.monotonic()
            if left <= 0:
                self.popen.kill()  # an answer that came later would be taken for the next one's
                raise OSError("the preloader does not answer")
            if not self.hear(timeout_s=left):
                raise OSError("the preloader has ended")
        return self.forked.pop()

    def code(self, pid: int) -> int | None:
        """How a fork ended, or None when the preloader did not live to see it."""
        deadline = time.monotonic() + END_PATIENCE_S
        while pid not in self.codes and (left := deadline - time.monotonic()) > 0:
            if not self.hear(timeout_s=left):
                break
        return self.codes.pop(pid, None)

    def end(self) -> None:
        """Let it go; it ends by itself when the channel closes."""
        self.channel.close()


def private(name: str, flags: int) -> int:
    """Open a file that only its owner can read."""
    return os.open(name, flags, 0o600)
