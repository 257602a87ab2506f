"""The demo's throw-away home: created in a temporary directory, removed when the demo ends.

Knows: where there is enough space, and who removes it. Independent of: what is in it. A keeper
removes it: a separate process that outlives the demo, so that neither a signal nor a bug can
prevent it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from openclaude.commands.demo.leftovers import PREFIX, clear, held, temporary_folders
from openclaude.commands.demo.signals import Signals
from openclaude.commands.demo.steps import Steps
from openclaude.errors import OpenclaudeError
from openclaude.run.os.processes import python_environment, python_module

MIB = 1024 * 1024
NEEDED = 10 * MIB  # a demo was seen to use one
CLEAR_TIMEOUT_S = 90.0  # longer than a stack that hangs takes to be killed


class NoRoom(OpenclaudeError):
    """No usable temporary directory, or no longer."""

    code = "no-temporary-folder"


@contextmanager
def throw_away_home(env: Mapping[str, str], steps: Steps, signals: Signals) -> Iterator[Path]:
    """A new empty directory; after the block, everything that ran in it is stopped.

    Signals that arrive during the clean-up are ignored. Raises NoRoom, or OpenclaudeError if
    something is left.
    """
    folder = find_room(temporary_folders(env)) / f"{PREFIX}{secrets.token_hex(4)}"
    keeper = Keeper(folder)  # before there is anything to clear
    try:
        with ExitStack() as stack:
            with written(folder):
                stack.enter_context(held(folder))
            yield folder
    finally:
        signals.is_clearing = True
        with steps.step("stopping everything and removing its directory"):
            keeper.clear()


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Turn a failed write to the directory into NoRoom. Raises NoRoom."""
    try:
        yield
    except OSError as error:
        raise NoRoom(
            f"cannot write to `{folder}`: {error.strerror or error}",
            hint="free some space there, or name another directory with TMPDIR",
        ) from error


def find_room(folders: Sequence[Path]) -> Path:
    """The first directory that is writable and has enough space. Raises NoRoom."""
    reasons = []
    for folder in folders:
        reason = refusal(folder)
        if not reason:
            return folder
        reasons.append(f"`{folder}` {reason}")
    raise NoRoom(
        f"no temporary directory can hold the demo: {', '.join(reasons)}",
        hint=f"name one with {NEEDED // MIB} MB free: TMPDIR=/path/to/directory openclaude demo",
    )


def refusal(folder: Path) -> str:
    """Why a folder cannot be used, or ""."""
    if not os.path.isdir(folder):  # noqa: PTH112 - it raises nothing, whatever is in the way
        return "does not exist"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "cannot be written"
    found = os.statvfs(folder)
    if found.f_bavail * found.f_frsize < NEEDED:
        return "is full"
    return ""


class Keeper:
    """The process that cleans up after this one."""

    def __init__(self, folder: Path) -> None:
        """Start it. Raises OpenclaudeError if the system cannot create a process."""
        self.folder = folder
        try:
            self.popen = subprocess.Popen(
                python_module("openclaude.commands.demo.keeper", str(folder)),
                env={"LANG": "C.UTF-8", **python_environment()},
                cwd="/",
                stdin=subprocess.PIPE,  # nobody else has our end: it closes with this process
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise OpenclaudeError(
                f"cannot start a process: {error.strerror or error}",
                hint="stop another program, then try again",
            ) from error

    def clear(self) -> None:
        """Let it clean up, and wait; clean up here if it cannot.

        Raises OpenclaudeError if something is left.
        """
        assert self.popen.stdin is not None  # noqa: S101 - a pipe was asked for
        self.popen.stdin.close()
        try:
            code = self.popen.wait(CLEAR_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            code = None
        if code != 0:
            clear(self.folder)
