"""claude's screen: a real terminal (tmux) to type into and to read.

Knows: tmux. Independent of: what is on the screen. Nothing sleeps for a fixed time: tests wait for
a picture.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

WAIT_S = 60.0
POLL_S = 0.05
AGAIN_S = 2.0  # between two times that a key is pressed


class Terminal:
    """One command in one terminal: `with Terminal(argv, env, cwd, socket) as terminal`.

    The command becomes the pane's own process, so its pid and exit status are the terminal's.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        env: Mapping[str, str],
        cwd: Path,
        socket: Path,
        *,
        size: tuple[int, int] = (120, 40),
    ) -> None:
        """`size`: columns and lines."""
        self._socket = socket
        settings = [f"{name}={value}" for name, value in env.items()]
        command = shlex.join(["env", "-i", *settings, *(str(part) for part in argv)])
        self._start = ("-x", str(size[0]), "-y", str(size[1]), "-c", str(cwd), f"exec {command}")

    def __enter__(self) -> Self:
        options = ("set", "-g", "remain-on-exit", "on")
        self._tmux("-f", "/dev/null", *options, ";", "new-session", "-d", "-s", "t", *self._start)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(f"the screen was:\n{self.screen()}")
        self._tmux("kill-server")

    def screen(self) -> str:
        """Return what is displayed, with lines joined if the terminal wrapped them."""
        return self._tmux("capture-pane", "-p", "-J", "-t", "t")

    def coloured(self) -> str:
        """Return what is displayed, line by line, with escape sequences for its colours."""
        return self._tmux("capture-pane", "-p", "-e", "-t", "t")

    def wait_for(self, pattern: str, timeout_s: float = WAIT_S) -> str:
        """Return the screen, once it matches. Raises AssertionError if it does not in time."""
        deadline = time.monotonic() + timeout_s
        while not re.search(pattern, screen := self.screen()):
            if time.monotonic() > deadline:
                raise AssertionError(f"the screen never showed {pattern!r}")
            time.sleep(POLL_S)
        return screen

    def put(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-t", "t", "-l", text)

    def type(self, text: str) -> None:
        """Type a text, wait until it is displayed, and press Enter."""
        self.put(text)
        self.wait_for(re.escape(text[:30]))
        self.press("Enter")

    def press(self, key: str) -> None:
        """Press one key, named as tmux names it."""
        self._tmux("send-keys", "-t", "t", key)

    def press_until(self, key: str, pattern: str) -> None:
        """Press a key again until the screen matches: claude ignores what comes too early."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            self.press(key)
            with contextlib.suppress(AssertionError):
                self.wait_for(pattern, AGAIN_S)
                return
        self.wait_for(pattern, 0.0)

    @property
    def pid(self) -> int:
        """The pid of the command."""
        return int(self._told("pane_pid"))

    def exit_status(self, timeout_s: float = WAIT_S) -> int:
        """The command's exit status, once it has ended."""
        deadline = time.monotonic() + timeout_s
        while not (status := self._told("pane_dead_status")):
            if time.monotonic() > deadline:
                raise AssertionError("the command did not end with an exit status")
            if self._told("pane_dead") == "1":
                # tmux 3.3a sometimes misses its child's end: seen as a zombie for 20 s
                os.kill(int(self._told("pid")), signal.SIGCHLD)
            time.sleep(POLL_S)
        return int(status)

    def _told(self, name: str) -> str:
        return self._tmux("display-message", "-p", "-t", "t", f"#{{{name}}}").strip()

    def _tmux(self, *arguments: str) -> str:
        argv = ("tmux", "-S", str(self._socket), *arguments)
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
