"""The launch: join or start a stack, then exec claude.

Knows: the lock, the request to a running stack, exec. Independent of: profiles, LiteLLM, claude's
settings. This module can only join a running stack; `start` starts one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from openclaude import __version__
from openclaude.contracts.control import Join, Joinable, Reload, StartMethod
from openclaude.contracts.plan import Plan
from openclaude.contracts.record import Record
from openclaude.errors import ClaudeNotExecutable
from openclaude.files import locked, private_folder, read_regular, write_private
from openclaude.run.os.processes import start_time
from openclaude.run.stack.client import StackElsewhere, ask_supervisor
from openclaude.run.stack.folder import (
    LAUNCHES,
    client_certificate,
    control_path,
    is_live,
    read_record,
    settings_folder,
    settings_path,
    write_files,
)

LARGEST_BUNDLE = 8 * 1024 * 1024  # bytes; every public authority together are 250 kB
MANY_FILES = 20  # of ended launches: a supervisor removes them, unless it was killed
SILENCE_S = 2.0  # of a supervisor that lives, before it counts as unreachable
# The forkserver forks, which macOS forbids to processes that have used its frameworks.
DEFAULT_METHOD = StartMethod.FORK if sys.platform == "linux" else StartMethod.SPAWN


class Joined(Record):
    """What a launch needs of the stack it uses."""

    port: int  # main's
    main_key: str
    is_new: bool
    folder: Path  # the stack's
    certificate: str = ""  # path of the one main proves itself with; "" where claude speaks HTTP
    renewed: tuple[str, ...] = ()  # variables that the stack has now, in place of other values
    sessions: int = 0  # of other launches, which have them too

    @property
    def url(self) -> str:
        """Main's address, as claude gets it."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"


def join_stack(
    folder: Path,
    plan: Plan,
    inherited: Mapping[str, str],
    *,
    method: StartMethod = DEFAULT_METHOD,
    session: bool = False,
    delay_s: float = 0.0,
    is_ephemeral: bool = False,
) -> Joined:
    """Join the running stack in `folder`, reload it with `plan` if necessary, or start one.

    With `session`, this process is registered as one: it is about to become claude. Sleeping units
    are started after `delay_s` seconds. If `is_ephemeral`, a new stack ends with its last session,
    until another launch joins. Raises FolderUnusable, PortBusy or StackUnreachable, of which
    StackElsewhere says that the folder is not for this place.
    """
    private_folder(folder)
    ourselves = (os.getpid(), start_time(os.getpid()) or "") if session else None
    question = Join(
        session=ourselves,
        delay_s=delay_s,
        inherited=dict(inherited),
        is_ephemeral=is_ephemeral,
    )
    for is_last in (False, True):
        with locked(folder / "lock"):  # then look again: another launch may have been faster
            found = ask_to_join(folder, question)
            if found and found.version == __version__ and not found.is_stopping:
                return join_found(folder, plan, question, found)
            from openclaude.run.stack.control_socket import is_lost, recover  # as rare as the rest

            if found or is_last or not is_lost(folder):
                return begin_stack(folder, plan, question, found, method)
        recover(folder)  # the supervisor needs the lock for that
    raise AssertionError


def join_found(folder: Path, plan: Plan, question: Join, found: Joinable) -> Joined:
    """What a launch needs of the running stack, which gets this plan if it has another one.

    Raises FolderUnusable or StackUnreachable.
    """
    if found.digest != plan.digest:
        from openclaude.run.launcher.changes import note_exchanged  # rare

        note_exchanged(folder, plan)
        write_files(folder, plan)
        ask_supervisor(folder, Reload(inherited=question.inherited), Joinable)
    return Joined(
        port=found.port,
        main_key=found.main_key,
        is_new=False,
        folder=folder,
        certificate=found.certificate if plan.is_tls else "",
        # a plan that changes as well may only name other variables
        renewed=found.renewed if found.digest == plan.digest else (),
        sessions=len({one.pid for one in found.sessions} - {os.getpid()}),
    )


def begin_stack(
    folder: Path, plan: Plan, question: Join, found: Joinable | None, method: StartMethod
) -> Joined:
    """Start a stack, in the place of one of another version, or of none.

    Raises FolderUnusable, PortBusy or StackUnreachable.
    """
    from openclaude.run.launcher.start import make_stack  # a third more modules, and rare
    from openclaude.run.stack.places import is_anothers

    if found is None and is_anothers(folder):
        raise StackElsewhere(folder)
    port, key = make_stack(folder, plan, question, found, method=method)
    certificate = str(client_certificate(folder)) if plan.is_tls else ""
    return Joined(port=port, main_key=key, is_new=True, folder=folder, certificate=certificate)


def ask_to_join(folder: Path, question: Join) -> Joinable | None:
    """The running stack's answer, or None if there is no stack. Raises StackUnreachable.

    A stack that is about to end may close the connection without an answer; it is asked again until
    it has ended, because it must not be confused with one that has lost its control socket. That
    one cannot answer as long as we hold the lock.
    """
    deadline = time.monotonic() + SILENCE_S
    while (answer := ask_supervisor(folder, question, Joinable)) is None:
        record = read_record(folder)
        if record is None or not is_live(record) or time.monotonic() > deadline:
            break
        if not control_path(folder).exists():
            break
        time.sleep(0.02)
    return answer


def settings_file(folder: Path, settings: Mapping[str, Any]) -> Path:
    """Write the settings file of this launch, named after this process, which becomes claude."""
    private_folder(settings_folder(folder))
    with contextlib.suppress(OSError):  # what cannot be removed now is removed by another launch
        if len(os.listdir(settings_folder(folder))) > MANY_FILES:  # noqa: PTH208 - every launch asks
            from openclaude.run.stack.leftovers import remove_settings

            remove_settings(folder)
    path = settings_path(folder, os.getpid(), start_time(os.getpid()) or "")
    write_private(path, json.dumps(settings))
    return path


def certificates_folder(folder: Path) -> Path:
    """Where the certificates of a stack's launches are."""
    return private_folder(folder / LAUNCHES)


def launch_files(folder: Path) -> tuple[Path, ...]:
    """What this launch has written for claude alone."""
    started = start_time(os.getpid()) or ""
    bundle = folder / LAUNCHES / f"{os.getpid()}-{started}.pem"
    return settings_path(folder, os.getpid(), started), bundle


def certificate_bundle(folder: Path, ours: str, theirs: str) -> str:
    """The path of a file with main's certificate and those in the user's own file, if any.

    claude takes one file only. One of the user's that cannot be read is passed over,
    as claude does.
    """
    text = read_regular(theirs, LARGEST_BUNDLE).decode("utf-8", "replace") if theirs else ""
    if not text:
        return ours
    certificates_folder(folder)
    path = launch_files(folder)[1]
    write_private(path, f"{text.rstrip()}\n{Path(ours).read_text(encoding='ascii')}")
    return str(path)


def become(path: str, argv: tuple[str, ...], environment: Mapping[str, str]) -> NoReturn:
    """Exec claude: same process, same terminal, its own exit status.

    Raises ClaudeNotExecutable.

    """
    # Python ignores these two, and what is ignored stays ignored across exec
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    # a Ctrl-C that Python has noted and not yet handled would be lost with it
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execve(path, argv, environment)  # noqa: S606 - no shell, on purpose
    except OSError as error:
        raise ClaudeNotExecutable(
            f"cannot run `{path}`: {error.strerror or error}",
            hint="reinstall Claude Code, or name another binary with OPENCLAUDE_CLAUDE",
        ) from error
