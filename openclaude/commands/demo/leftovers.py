"""The folder of a demo in a temporary directory, and what runs for it: found, ended, removed.

Knows: how the folder is named, whether its demo still runs, which processes belong to it.
Independent of: what a demo does. All of it is safe to do twice, or by two processes at once: a
demo, its keeper, the next demo and `openclaude stop --all` may meet here.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from shlex import quote

import psutil

from openclaude.errors import OpenclaudeError
from openclaude.paths import find_places
from openclaude.run.launcher.stop import stop_stack
from openclaude.run.stack.holding import release_ports

PREFIX = "openclaude-demo-"
LOCK = "lock"  # held by a demo for as long as it lives
END_TIMEOUT_S = 10.0  # a process that outlives SIGKILL for longer waits for a disk


class DemoNotRemoved(OpenclaudeError):
    """Something of a demo that could not be removed."""

    code = "demo-not-removed"


def temporary_folders(env: Mapping[str, str]) -> list[Path]:
    """Where temporary files go, in the order of Python's own `tempfile`; not all need exist.

    The working directory, Python's last resort, is left out: leftovers there would not be found.
    """
    named = [env.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    usual = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108 - what is made there is 0700
    return list(dict.fromkeys(Path(folder).absolute() for folder in (*named, *usual) if folder))


def unborn(folder: Path) -> Path:
    """The name of a demo's directory until its lock is held; such names are not searched."""
    return folder.with_name(f".{folder.name}")


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make a demo's folder, 0700, and hold its lock for as long as the block takes.

    Raises OSError.
    """
    new = unborn(folder)
    new.mkdir(mode=0o700)
    descriptor = os.open(new / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new.rename(folder)
        yield
    finally:
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Whether the demo of a directory still runs."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def find_leftovers(env: Mapping[str, str]) -> list[Path]:
    """The folders of this user's demos that have ended and could not remove them."""
    return [
        path
        for folder in temporary_folders(env)
        for path in demos_in(folder)
        if is_ours(path) and not is_held(path)
    ]


def demos_in(folder: Path) -> list[Path]:
    """Entries named like a demo's directory; none if they cannot be listed."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.startswith(PREFIX))
    except OSError:
        return []


def is_ours(path: Path) -> bool:
    """Whether it is this user's directory, and not a link."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def clear(folder: Path) -> None:
    """Stop everything that runs for a demo and remove its directory, if it still exists.

    Raises OpenclaudeError if something is left.
    """
    # first whoever could start a stack: `openclaude`, claude and what that has started
    end_processes(folder, is_launcher)
    stacks = find_places({"HOME": str(folder)}).stacks
    for stack in sorted(stacks.iterdir()) if stacks.is_dir() else []:
        if (stack / LOCK).exists():  # without one, nobody came as far as a stack
            stop_stack(stack)
            release_ports(stack)  # which a claude that is just ending may still have held
    end_processes(folder, is_user)
    remove_demo(folder)


Belongs = Callable[[Path, Mapping[str, str]], bool]


def is_launcher(folder: Path, env: Mapping[str, str]) -> bool:
    """Whether a process with that environment is the demo's user, or something it has started."""
    return env.get("HOME") == str(folder) and "CONFIG_FILE_PATH" not in env


def is_user(folder: Path, env: Mapping[str, str]) -> bool:
    """The same for anything of the demo's, its two instances among it.

    Not PWD: a user may be looking at the directory.
    """
    return any(
        folder in Path(env.get(name, "")).parents or env.get(name) == str(folder)
        for name in ("HOME", "CONFIG_FILE_PATH")
    )


def end_processes(folder: Path, belongs: Belongs) -> None:
    """Kill what belongs to a demo, and what that starts meanwhile. Raises DemoNotRemoved."""
    deadline = time.monotonic() + END_TIMEOUT_S
    while found := [one for one in psutil.process_iter() if belongs(folder, environment(one))]:
        if time.monotonic() > deadline:
            pids = ", ".join(str(process.pid) for process in found)
            raise DemoNotRemoved(
                f"processes of the demo in `{folder}` cannot be stopped: {pids}",
                hint=f"look at them with `ps -fp {pids.replace(' ', '')}`",
            )
        for process in found:
            with contextlib.suppress(psutil.Error):  # it ended since
                process.kill()
        time.sleep(0.02)


def environment(process: psutil.Process) -> Mapping[str, str]:
    """The environment a process was started with; empty for one that has ended or is another's."""
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def remove_demo(folder: Path) -> None:
    """Remove a folder with all that is in it. Raises DemoNotRemoved."""
    deadline = time.monotonic() + END_TIMEOUT_S
    while True:
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            if not folder.exists():
                return
        except OSError as error:
            if time.monotonic() > deadline:
                where = quote(str(folder))
                raise DemoNotRemoved(
                    f"cannot remove `{folder}`: {error.strerror or error}",
                    # a read-only folder in it, as Go's module cache is, stops rm as it stops us
                    hint=f"remove it with `chmod -R u+rwx {where}; rm -rf {where}`",
                ) from error
            time.sleep(0.05)  # something that was killed may not have ended altogether
