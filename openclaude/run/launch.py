"""The launch: a stack is joined or made, then this process becomes claude.

Knows: the lock, the handover, exec. Refuses to know: profiles, LiteLLM, what claude is told.
Nobody waits for LiteLLM here: the sockets listen before its process exists, and a connection made
early waits in their backlog.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from openclaude import __version__
from openclaude.compile.plan import Plan
from openclaude.errors import ClaudeNotExecutable
from openclaude.run.files import locked, private_folder, write_private
from openclaude.run.listeners import Pair, bind_control, bind_pair, try_pair
from openclaude.run.processes import is_alive, python_environment, python_module, start_time
from openclaude.run.stack import (
    STOP_TIMEOUT_S,
    Record,
    StackUnreachable,
    ask,
    read_record,
    take_sockets,
)

SILENCE_S = 2.0  # of a supervisor that lives, before it counts as unreachable
KILL_PATIENCE_S = 5.0  # a process that outlives SIGKILL for longer waits for a disk
# The preloader forks, which macOS forbids to processes that have used its frameworks.
DEFAULT_METHOD = "fork" if sys.platform == "linux" else "spawn"
# for the units of a killed supervisor to let go of its ports: at once, unless the machine is busy
STRANGER_TIMEOUT_S = 0.5
ORPHAN_TIMEOUT_S = 15.0


class Joined(NamedTuple):
    """What a launch needs of the stack it uses."""

    port: int  # main's
    main_key: str
    is_new: bool


class Before(NamedTuple):
    """What the stack before leaves to the next one, for sessions that go on."""

    port: int
    main_key: str
    sessions: tuple[tuple[int, str], ...] = ()
    sockets: tuple[int, ...] = ()  # main's and providers', where it could still give them away


def join_stack(
    folder: Path,
    plan: Plan,
    inherited: Mapping[str, str],
    *,
    method: str = DEFAULT_METHOD,
    session: bool = False,
    delay_s: float = 0.0,
) -> Joined:
    """Use the running stack in `folder`, bring it up to `plan`, or make one.

    With `session`, this process is registered as one: it is about to become claude. What has to be
    started for it is started after `delay_s` seconds.
    Raises FolderUnusable, PortBusy or StackUnreachable.
    """
    private_folder(folder)
    ourselves = (os.getpid(), start_time(os.getpid()) or "") if session else None
    with locked(folder / "lock"):  # then look again: another launch may have been faster
        answer = ask_to_join(folder, ourselves, delay_s, inherited)
        if answer and answer["version"] == __version__ and not answer["is_stopping"]:
            if answer["digest"] != plan.digest:
                write_files(folder, plan)
                ask(folder, {"do": "reload", "inherited": dict(inherited)})
            return Joined(answer["port"], answer["main_key"], is_new=False)
        before = replace(folder, answer) if answer else end_stray(folder)
        sessions = [*(before.sessions if before else ()), *([ourselves] if ourselves else [])]
        return make_stack(
            folder, plan, inherited, before, method=method, sessions=sessions, delay_s=delay_s
        )


def ask_to_join(
    folder: Path,
    session: tuple[int, str] | None,
    delay_s: float,
    inherited: Mapping[str, str],
) -> Any:
    """The running stack's answer, or None when there is none.

    One that is about to end may close the connection without a word; it is asked until it has, for
    it must not be mistaken for one that has lost its control socket.
    """
    question = {
        "do": "join",
        "session": session,
        "delay_s": delay_s,
        "inherited": dict(inherited),
    }
    deadline = time.monotonic() + SILENCE_S
    while (answer := ask(folder, question)) is None:
        record = read_record(folder)
        if record is None or not record.is_live or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return answer


def replace(folder: Path, answer: Mapping[str, Any]) -> Before:
    """What the running stack gives away; it ends, its requests in flight first.

    One that is stopping, or too old to know how, is waited for.
    """
    sessions = tuple((row["pid"], row["started"]) for row in answer.get("sessions", ()))
    left = Before(answer["port"], answer["main_key"], sessions)
    given = () if answer["is_stopping"] else take_sockets(folder)
    if not given:
        ask(folder, {"do": "stop"}, timeout_s=STOP_TIMEOUT_S)
    return left._replace(sockets=given)


def end_stray(folder: Path) -> Before | None:
    """What a stack that died has left: its port and key, for sessions that still use them.

    A supervisor that lives without its control socket is ended first.
    """
    record = read_record(folder)
    if record is None:
        return None
    end_process(record, patience_s=STOP_TIMEOUT_S)
    return Before(record.port, record.main_key)


def end_process(record: Record, *, patience_s: float) -> None:
    """End the supervisor a record names, if it still runs: asked first, then killed.

    Raises StackUnreachable when even that does not end it.
    """
    asked_until = time.monotonic() + patience_s
    while is_alive(record.pid, record.started):
        late_s = time.monotonic() - asked_until
        if late_s > KILL_PATIENCE_S:
            raise StackUnreachable(
                f"the supervisor of `{record.profile}` (pid {record.pid}) does not end",
                hint=f"look at it with `ps -fp {record.pid}`",
            )
        with contextlib.suppress(ProcessLookupError):  # it ended since
            os.kill(record.pid, signal.SIGTERM if late_s < 0 else signal.SIGKILL)
        time.sleep(0.02)


def make_stack(
    folder: Path,
    plan: Plan,
    inherited: Mapping[str, str],
    before: Before | None,
    *,
    method: str,
    sessions: list[tuple[int, str]],
    delay_s: float,
) -> Joined:
    """Bind the sockets, or take those of the stack before, and start the supervisor on them."""
    pair = (take_pair(before) if before else None) or bind_pair(plan.port, strict=plan.strict)
    main_key = before.main_key if before else new_key()
    write_files(folder, plan)
    control = bind_control(folder)
    start_supervisor(
        folder,
        (pair.main.fileno(), pair.providers.fileno(), control.fileno()),
        {
            "folder": str(folder),
            "port": pair.port,
            "main": pair.main.fileno(),
            "providers": pair.providers.fileno(),
            "control": control.fileno(),
            "main_key": main_key,
            "providers_key": new_key(),
            "inherited": dict(inherited),
            "method": method,
            "sessions": sessions,
            "delay_s": delay_s,
        },
    )
    pair.close()  # the supervisor has the sockets now
    control.close()
    return Joined(pair.port, main_key, is_new=True)


def take_pair(before: Before) -> Pair | None:
    """The sockets or at least the ports of the stack before."""
    if before.sockets:
        main, providers = (socket.socket(fileno=descriptor) for descriptor in before.sockets)
        return Pair(main, providers, before.port)
    return try_again(before.port, before.main_key)


def try_again(port: int, key: str) -> Pair | None:
    """The ports of the stack before, which its units may hold a moment longer than it lived.

    A port that somebody else has by now is not waited for.
    """
    from openclaude.run.who import is_ours  # http.client is slow to import, and this is rare

    began = time.monotonic()
    while (pair := try_pair(port)) is None:
        waited_s = time.monotonic() - began
        if waited_s > ORPHAN_TIMEOUT_S or (
            waited_s > STRANGER_TIMEOUT_S and not is_ours(port, key)
        ):
            return None
        time.sleep(0.02)
    return pair


def new_key() -> str:
    """A local key: 256 bits from the system's generator."""
    return f"sk-openclaude-{os.urandom(32).hex()}"


def write_files(folder: Path, plan: Plan) -> None:
    """What the supervisor and the instances read."""
    for name, text in plan.files.items():
        write_private(folder / name, text)
    write_private(folder / "plan.json", plan.to_json())


def start_supervisor(folder: Path, descriptors: tuple[int, ...], handover: dict[str, Any]) -> None:
    """Start the supervisor with those file descriptors, the handover on its standard input.

    Forked twice, so that it is nobody's child here: claude, which this process becomes, must not
    find a child it does not know. In a session of its own, so that Ctrl-C and Ctrl-Z in claude
    do not reach it.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                become_supervisor(folder, read, descriptors)
        except BaseException:  # noqa: BLE001 - a fork: nothing may return into the launcher's code
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(read)
    os.waitpid(child, 0)
    try:
        with os.fdopen(write, "w", encoding="utf-8") as pipe:
            json.dump(handover, pipe)
    except BrokenPipeError:
        raise StackUnreachable(
            f"the supervisor of `{folder.name}` could not be started",
            hint=f"see `{folder / 'supervisor.log'}`",
        ) from None


def become_supervisor(folder: Path, stdin: int, descriptors: tuple[int, ...]) -> NoReturn:
    """In the forked child: keep only what is handed over, and exec."""
    log = os.open(folder / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(stdin, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    close_all_but({0, 1, 2, *descriptors})
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    os.chdir("/")
    argv = python_module("openclaude.run.supervisor")
    os.execve(argv[0], argv, {"LANG": "C.UTF-8", **python_environment()})  # noqa: S606 - no shell


def close_all_but(kept: set[int]) -> None:
    """Close every other descriptor: a pipe of the user's shell must not stay open with us."""
    low = 0
    for descriptor in sorted(kept):
        if low < descriptor:  # an empty range at 0 closes everything (seen with CPython 3.11.7)
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def settings_file(folder: Path, settings: Mapping[str, Any]) -> Path:
    """Write the settings file of this launch; named by this process, which claude will be.

    Files of launches that are over are removed on the way.
    """
    launches = private_folder(folder / "launches")
    for path in launches.glob("*.json"):
        pid, _, started = path.stem.partition("-")
        if not (pid.isdigit() and is_alive(int(pid), started)):
            path.unlink(missing_ok=True)
    path = launches / f"{os.getpid()}-{start_time(os.getpid())}.json"
    write_private(path, json.dumps(settings))
    return path


def become(path: str, argv: tuple[str, ...], environment: Mapping[str, str]) -> NoReturn:
    """Become claude: same process, same terminal, its own exit status.

    Raises ClaudeNotExecutable.
    """
    # Python ignores these two, and what is ignored stays ignored across exec
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(path, argv, environment)  # noqa: S606 - no shell, on purpose
    except OSError as error:
        raise ClaudeNotExecutable(
            f"cannot run `{path}`: {error.strerror or error}",
            hint="reinstall Claude Code, or name another binary with OPENCLAUDE_CLAUDE",
        ) from error
