"""One `openclaude demo` on a terminal of its own, which will be ended in the middle.

Knows: how a demo is started, how far it has come, what it has left behind. Independent of: what is
right; the tests say so.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from tests.e2e.house import CLAUDE, OPENCLAUDE
from tests.e2e.processes import processes_of, wait_until_none

WAIT_S = 180.0  # for a whole demo on a busy machine; it takes 14 seconds on a quiet one
CLEAR_S = 30.0  # until it has ended; it takes one second on a quiet machine
STATE = "openclaude-demo-*/.local/state"
STACK = f"{STATE}/openclaude/stacks/demo"
CTRL_C = b"\x03"


def has(name: str) -> Callable[[Path], bool]:
    """Tell whether the folder of the demo's stack has such a file."""
    return lambda temporary: any(temporary.glob(f"{STACK}/{name}"))


def is_stopping(temporary: Path) -> bool:
    """Tell whether the supervisor has gone: then its log is still there, but not its socket."""
    return has("supervisor.log")(temporary) and not has("control.sock")(temporary)


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "begun": lambda temporary: any(temporary.glob("openclaude-demo-*")),
    "starting": has("stack.json"),
    # claude is running, or is about to
    "asking": lambda temporary: any(temporary.glob(f"{STATE}/claude-settings/*.json")),
    "stopping": is_stopping,
}


class Demo:
    """A running demo; its temporary folder and its HOME were empty before."""

    def __init__(self, root: Path, *, through: Sequence[str] = (), temporary: str = "tmp") -> None:
        """`through` is a command line that runs the one after it."""
        self.temporary = root / temporary
        self.home = root / "home"
        for folder in (self.temporary, self.home):
            folder.mkdir(parents=True)
        self.terminal, theirs = os.openpty()
        self.process = subprocess.Popen(
            ("setsid", "--ctty", *through, str(OPENCLAUDE), "demo"),
            env=self.env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self.read = ""

    @property
    def env(self) -> dict[str, str]:
        """The environment of its user."""
        return {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PATH": f"{CLAUDE.parent}:/usr/bin:/bin",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }

    def openclaude(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the same user meanwhile."""
        return subprocess.run(
            (str(OPENCLAUDE), *arguments),
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    # How far it has come ------------------------------------------------------------------------

    def wait_for(self, moment: str) -> None:
        """Wait until it has come this far."""
        self.wait_until(lambda: MOMENTS[moment](self.temporary), moment)

    def wait_until_shown(self, text: str) -> None:
        """Wait until the terminal shows this."""
        self.wait_until(lambda: text in self.shown(), text)

    def wait_until(self, claim: Callable[[], bool], what: str) -> None:
        """Wait until the claim is true. Raises AssertionError if it ends before."""
        deadline = time.monotonic() + WAIT_S
        while not claim():
            shown = self.shown()[-500:]  # unread output would block it
            assert self.process.poll() is None, f"it ended before: {what}: {shown}"
            assert time.monotonic() < deadline, f"it never came to: {what}: {shown}"
            time.sleep(0.01)

    def shown(self) -> str:
        """Return everything that it has written to its terminal."""
        if self.terminal != -1:
            os.set_blocking(self.terminal, False)
            with contextlib.suppress(OSError):  # end of output, or all ends are closed
                while part := os.read(self.terminal, 65536):
                    self.read += part.decode(errors="replace")
        return self.read

    # Its processes ------------------------------------------------------------------------------

    @property
    def keeper(self) -> psutil.Process:
        """The process that cleans up after it."""
        children = psutil.Process(self.process.pid).children()
        (keeper,) = [one for one in children if "openclaude.commands.demo.keeper" in one.cmdline()]
        return keeper

    def kill_with_keeper(self) -> None:
        """Kill both as if at the same time: neither runs while the other is killed."""
        self.process.send_signal(signal.SIGSTOP)
        self.keeper.kill()
        self.process.kill()
        self.ended(CLEAR_S)

    def kill_claude(self) -> None:
        """Kill the claude that it was waiting for: it would retry for minutes."""
        for pid in processes_of(self.temporary):
            with contextlib.suppress(psutil.Error):
                if psutil.Process(pid).exe() == str(CLAUDE):
                    psutil.Process(pid).kill()

    # Its end ------------------------------------------------------------------------------------

    def close_terminal(self) -> None:
        """Close the terminal's window: the kernel sends SIGHUP, and writing to it fails."""
        os.close(self.terminal)
        self.terminal = -1

    def ended(self, timeout_s: float) -> int:
        """Return its exit status, once it has ended; its output is read, or it would block."""
        deadline = time.monotonic() + timeout_s
        while (status := self.process.poll()) is None:
            assert time.monotonic() < deadline, f"it did not end: {self.shown()[-500:]}"
            self.shown()
            time.sleep(0.01)
        return status

    def left(self) -> tuple[dict[int, str], list[str]]:
        """Return its processes, once they had time to end, and its files."""
        running = wait_until_none(self.temporary, CLEAR_S)
        files = [path for folder in (self.temporary, self.home) for path in folder.rglob("*")]
        return running, [str(path) for path in files]

    def end(self) -> None:
        """Clean up if a test has failed."""
        if self.terminal != -1:
            self.close_terminal()
        self.process.kill()
        self.process.wait()
        for pid in processes_of(self.temporary):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
