"""Units become processes: the environment of each, its log, its pipes.

Knows: how to start, tell and end one. Refuses to know: when (that is `decide`'s), and profiles.
"""

from __future__ import annotations

import contextlib
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
from openclaude.run.processes import python_environment, python_module

LOG_LIMIT = 5 * 1024 * 1024  # bytes; then the log becomes NAME.log.1
LAST_LINES = 12


class Surroundings(NamedTuple):
    """What the units of one stack share."""

    folder: Path
    port: int
    main_key: str
    providers_key: str
    inherited: dict[str, str]  # of the user's environment, the names that plans may take over


class Process(NamedTuple):
    """A running unit."""

    popen: subprocess.Popen[bytes]
    ready: int  # read end; a line when the unit answers, end of file when it is gone
    lifeline: int  # write end; held open for as long as the unit may live


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
    return {**python_environment(), **taken, **named, **no_proxy(taken)}


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


def start_process(unit: Unit, listener: int, around: Surroundings) -> Process:
    """Start the unit's process on the listening socket with file descriptor `listener`."""
    ready_read, ready_write = os.pipe()
    lifeline_read, lifeline_write = os.pipe()
    given = (listener, ready_write, lifeline_read)
    for descriptor in given:
        os.set_inheritable(descriptor, True)
    empty = around.folder / "empty"
    empty.mkdir(mode=0o700, exist_ok=True)
    with open_log(around.folder / f"{unit.name}.log") as log:
        popen = subprocess.Popen(
            python_module(
                "openclaude.run.instance",
                unit.application,
                *("--listener", str(listener)),
                *("--ready", str(ready_write)),
                *("--lifeline", str(lifeline_read)),
            ),
            env=unit_environment(unit, around),
            cwd=empty,  # LiteLLM's own command would put the working directory on sys.path
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=given,
            start_new_session=True,  # a group of its own, so that what it starts ends with it
        )
    os.close(ready_write)
    os.close(lifeline_read)
    os.set_blocking(ready_read, False)
    return Process(popen, ready_read, lifeline_write)


def open_log(path: Path) -> BinaryIO:
    """The unit's log for appending, 0600; a long one is put aside first."""
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))


def tell_to_end(process: Process) -> None:
    """SIGTERM: the instance stops accepting and gives its streams their grace."""
    with contextlib.suppress(ProcessLookupError):
        process.popen.terminate()


def kill(process: Process) -> None:
    """SIGKILL to the unit and to everything it started."""
    # macOS says "not permitted" of a group of which only zombies are left
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.popen.pid, signal.SIGKILL)


def forget(process: Process) -> None:
    """Close our ends of its pipes, once it has ended and been waited for."""
    os.close(process.ready)
    os.close(process.lifeline)


def ending(name: str, code: int, log: Path) -> str:
    """How a unit ended, in a sentence and the last lines of its log."""
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
