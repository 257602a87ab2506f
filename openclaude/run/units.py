"""Units become processes, fresh ones or forks of the preloader: environment, log, pipes.

Knows: how to start, hear, tell and end one. Refuses to know: when (that is `decide`'s), profiles.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from openclaude.compile.plan import (
    MAIN_KEY,
    PROVIDERS_KEY,
    PROVIDERS_URL,
    STACK_FOLDER,
    Unit,
)
from openclaude.run import secrets
from openclaude.run.preloader import Preloader
from openclaude.run.processes import python_environment, python_module, start_time

LOG_LIMIT = 5 * 1024 * 1024  # bytes; then the log becomes NAME.log.1
LAST_LINES = 12
COMPLAINT = b"!"  # begins what a unit reports that cannot start, in place of its numbers


class Surroundings(NamedTuple):
    """What the units of one stack share."""

    folder: Path
    port: int
    main_key: str
    providers_key: str
    inherited: dict[str, str]  # of the user's environment, the names that plans may take over


class Process:
    """A running unit, however it was made."""

    def __init__(
        self,
        pid: int,
        pipes: Pipes,
        *,
        popen: subprocess.Popen[bytes] | None = None,
        parent: Preloader | None = None,
    ) -> None:
        self.pid = pid
        self.started = start_time(pid)  # None: it has ended already
        self.report = pipes.report_read  # lines of two numbers; end of file when it is gone
        self.lifeline = pipes.lifeline_write  # held open for as long as the unit may live
        self.popen = popen
        self.parent = parent  # who can tell how it ended, where it is no child of ours
        self.in_flight = 0  # requests, as it last said
        self.served = 0
        self.complaint = ""  # why it cannot start before the user mends something

    def read_report(self) -> bool:
        """Take in what the unit said; False when it has ended."""
        try:
            said = os.read(self.report, 65536)
        except BlockingIOError:
            return True
        if said.startswith(COMPLAINT):
            self.complaint = said.removeprefix(COMPLAINT).decode("utf-8", "replace").strip()
            return True
        lines = said.split()
        if len(lines) >= 2:
            self.in_flight, self.served = int(lines[-2]), int(lines[-1])
        return bool(said)

    def tell_to_end(self) -> None:
        """SIGTERM: the instance stops accepting and gives its streams their grace."""
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the unit and to everything it started."""
        self.kill_group()  # first: once it is dead, its group is harder to tell
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this very process, if it still runs."""
        if self.started is not None and start_time(self.pid) == self.started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill_group(self) -> None:
        """SIGKILL to what the unit started, also when it has just ended itself.

        Its id names no other group: it was in use a moment ago, and stays so while a member lives.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def forget(self) -> int | None:
        """Close our ends of its pipes, once it has ended; its exit code where it is our child."""
        os.close(self.report)
        os.close(self.lifeline)
        return self.popen.wait() if self.popen else None


class Pipes(NamedTuple):
    """Both ends of a unit's two pipes."""

    report_read: int
    report_write: int
    lifeline_read: int
    lifeline_write: int

    @property
    def given(self) -> tuple[int, int]:
        """The ends that the unit gets."""
        return self.report_write, self.lifeline_read

    def close(self, descriptors: tuple[int, ...]) -> None:
        """Close some of the ends."""
        for descriptor in descriptors:
            os.close(descriptor)


def make_pipes() -> Pipes:
    """A unit's report and lifeline."""
    pipes = Pipes(*os.pipe(), *os.pipe())
    os.set_blocking(pipes.report_read, False)
    return pipes


def unit_environment(unit: Unit, around: Surroundings) -> dict[str, str]:
    """Everything the unit's process finds in its environment, from nothing."""
    values = {
        MAIN_KEY: around.main_key,
        PROVIDERS_KEY: around.providers_key,
        PROVIDERS_URL: f"http://127.0.0.1:{around.port + 1}",
        STACK_FOLDER: str(around.folder),
    }
    named = {name: fill(value, values) for name, value in unit.environment.items()}
    taken = {name: around.inherited[name] for name in unit.inherit if name in around.inherited}
    fetched = secrets.told(unit.secrets, around.inherited)
    return {**python_environment(), **taken, **named, **no_proxy(taken), **fetched}


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with the plan's placeholders replaced."""
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def no_proxy(taken: Mapping[str, str]) -> dict[str, str]:
    """Loopback never goes through a proxy: the hop from main to providers must stay here."""
    theirs = taken.get("no_proxy") or taken.get("NO_PROXY") or ""
    value = ",".join(part for part in ("127.0.0.1,localhost", theirs) if part)
    proxies = {"AIOHTTP_TRUST_ENV": "True"} if {"HTTPS_PROXY", "https_proxy"} & set(taken) else {}
    return {"NO_PROXY": value, "no_proxy": value, **proxies}


def spawn_process(unit: Unit, listener: int, around: Surroundings) -> Process:
    """Start the unit as a fresh process on the listening socket `listener` (a file descriptor)."""
    pipes = make_pipes()
    report, lifeline = pipes.given
    try:
        with open_log(around.folder / f"{unit.name}.log") as log:
            popen = subprocess.Popen(
                python_module(
                    "openclaude.run.instance",
                    unit.application,
                    *(f"--prepare={name}" for name in unit.prepare),
                    *("--listener", str(listener)),
                    *("--report", str(report)),
                    *("--lifeline", str(lifeline)),
                ),
                env=unit_environment(unit, around),
                cwd=working_folder(around),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(listener, report, lifeline),
                start_new_session=True,  # a group of its own, so that what it starts ends with it
            )
    except OSError:
        pipes.close(pipes)
        raise
    pipes.close(pipes.given)
    return Process(popen.pid, pipes, popen=popen)


def fork_process(preloader: Preloader, unit: Unit, listener: int, around: Surroundings) -> Process:
    """Start the unit as a fork of the preloader, which never sees what the unit is told.

    Raises OSError when the preloader does not answer.
    """
    pipes = make_pipes()
    setup_read, setup_write = os.pipe()
    told = {"environment": unit_environment(unit, around), "folder": str(working_folder(around))}
    try:
        with (
            os.fdopen(setup_write, "w", encoding="utf-8") as setup,
            open_log(around.folder / f"{unit.name}.log") as log,
        ):
            given = (listener, *pipes.given, log.fileno(), setup_read)
            pid = preloader.fork(unit.application, given)
            json.dump(told, setup)
    except OSError:
        pipes.close((pipes.report_read, pipes.lifeline_write))
        raise
    finally:
        pipes.close((*pipes.given, setup_read))
    return Process(pid, pipes, parent=preloader)


def working_folder(around: Surroundings) -> Path:
    """An empty folder: LiteLLM's own command would put the working directory on sys.path."""
    empty = around.folder / "empty"
    empty.mkdir(mode=0o700, exist_ok=True)
    return empty


def open_log(path: Path) -> BinaryIO:
    """The unit's log for appending, 0600; a long one is put aside first."""
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))


def ending(name: str, code: int | None, log: Path) -> str:
    """How a unit ended, in a sentence and the last lines of its log."""
    if code is None:
        how = "nobody left to say how"
    else:
        how = f"exit status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
    return f"`{name}` ended with {how}\n{last_lines(log)}".rstrip()


def last_lines(log: Path, count: int = LAST_LINES) -> str:
    """The last `count` lines of a log, or "" where there is none."""
    try:
        with log.open("rb") as file:
            end = deque(file, maxlen=count)  # LOG_LIMIT bounds what this reads
    except OSError:
        return ""
    return b"".join(end).decode("utf-8", "replace").rstrip("\n")
