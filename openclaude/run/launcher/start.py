"""Starting a stack: bind or take over the ports, start the supervisor on them.

Knows: the previous stack, the handover, forks. Independent of: profiles, LiteLLM, claude. Nothing
here waits for LiteLLM: the sockets listen before its process exists, and early connections wait in
their backlog.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from openclaude.contracts.control import Join, Joinable, StartMethod
from openclaude.contracts.handover import Handover
from openclaude.contracts.plan import Plan
from openclaude.contracts.stack_record import StackRecord
from openclaude.run.launcher.certificate import take_certificate
from openclaude.run.launcher.listeners import SocketPair, bind_pair, try_pair
from openclaude.run.os.environment import Relation, here, relation
from openclaude.run.os.processes import python_environment, python_module
from openclaude.run.stack.client import (
    STOP_TIMEOUT_S,
    StackUnreachable,
    ask_to_stop,
    take_sockets,
)
from openclaude.run.stack.control_socket import bind_control
from openclaude.run.stack.folder import is_live, read_record, write_files
from openclaude.run.stack.holding import forget_keys, recall_keys, take_held
from openclaude.run.stack.leftovers import forget_stack
from openclaude.run.stack.local_key import is_told_to_strangers, new_key
from openclaude.run.stack.logs import log_path, open_log

KILL_PATIENCE_S = 5.0  # a process that outlives SIGKILL for longer waits for a disk
# for the units of a killed supervisor to let go of its ports: at once, unless the machine is busy
STRANGER_TIMEOUT_S = 0.5
ORPHAN_TIMEOUT_S = 15.0


class Predecessor(NamedTuple):
    """What the previous stack leaves to the next one, for open sessions."""

    port: int
    main_key: str  # "" where it is not to be used again
    sessions: tuple[tuple[int, str], ...] = ()
    sockets: tuple[int, ...] = ()  # main's and providers', where it could still give them away
    former: tuple[str, ...] = ()  # digests of the keys before
    is_unheard: bool = (
        False  # whether they are secret although another process could have had the ports
    )


def make_stack(
    folder: Path, plan: Plan, question: Join, found: Joinable | None, *, method: StartMethod
) -> tuple[int, str]:
    """Start the stack in `folder`; return main's port and local key.

    `question` is the launch's request to the stack that it `found`, which this one replaces. Raises
    FolderUnusable, PortBusy or StackUnreachable.
    """
    is_told = is_told_to_strangers(folder)  # a supervisor that ends takes its plan with it
    before = (
        replace(folder, found)
        if found
        else end_stray(folder) or take_over_held(folder) or recall_unused(folder)
    )
    pair = (take_pair(before) if before else None) or bind_pair(
        plan.port, strict=plan.strict, stacks=folder.parent
    )
    main_key = new_key()
    former: tuple[str, ...] = ()
    is_same_port = before is not None and before.port == pair.port
    if before and before.main_key and is_same_port and (before.sockets or not is_told):
        # Open sessions go on with it. Nobody else knows it: the sockets were ours all the time, or
        # who had the port meanwhile lacked the certificate. With plain HTTP he was told it.
        main_key, former = before.main_key, before.former
    elif before and is_same_port and (before.sockets or before.is_unheard):
        former = before.former  # of a stack that was stopped: its sessions go on
    control = None
    try:
        write_files(folder, plan)
        certificate = take_certificate(folder, is_used=before is not None)
        control = bind_control(folder)
        start_supervisor(
            Handover(
                folder=str(folder),
                port=pair.port,
                main=pair.main.fileno(),
                providers=pair.providers.fileno(),
                control=control.fileno(),
                main_key=main_key,
                providers_key=new_key(),
                inherited=question.inherited,
                method=method,
                certificate=str(certificate),
                former=former,
                sessions=(
                    *(before.sessions if before else ()),
                    *([question.session] if question.session else []),
                ),
                delay_s=question.delay_s,
                is_ephemeral=question.is_ephemeral and before is None,
            )
        )
        forget_keys(folder)  # the new stack has them now, as far as they count
    except BaseException:
        if not before:  # the record of the one before leads open sessions to the next
            with contextlib.suppress(OSError):
                forget_stack(folder)
        raise
    finally:
        pair.close()  # the supervisor has the sockets now
        if control:
            control.close()
    return pair.port, main_key


# the stack before ---------------------------------------------------------------------------------


def replace(folder: Path, found: Joinable) -> Predecessor:
    """Take over the running stack's sockets; it ends after its requests in flight.

    If it is stopping, or too old for a handover, wait for its end. Raises StackUnreachable.
    """
    sessions = tuple((session.pid, session.started) for session in found.sessions)
    given = () if found.is_stopping else take_sockets(folder)
    if not given:
        ask_to_stop(folder)
    return Predecessor(found.port, found.main_key, sessions, given, found.former)


def end_stray(folder: Path) -> Predecessor | None:
    """Port and key of a stack that died, for sessions that still use them.

    A supervisor without a control socket is stopped first. Raises StackUnreachable.
    """
    record = read_record(folder)
    if record is None or relation(record.where) is not Relation.HERE:
        return None  # no session goes on from before this boot
    end_process(record, patience_s=STOP_TIMEOUT_S)
    return Predecessor(record.port, record.main_key, former=record.former)


def take_over_held(folder: Path) -> Predecessor | None:
    """The ports of a stack that was stopped under open sessions, whose keys are known by digests.

    Nobody else had the ports meanwhile, so nobody else was told a key.
    """
    found = take_held(folder)
    if found is None:
        return None
    held, sockets = found
    return Predecessor(held.port, "", held.sessions, sockets, held.former)


def recall_unused(folder: Path) -> Predecessor | None:
    """The port of a stack that ended unused, whose keys are known by digests for a while."""
    found = recall_keys(folder)
    if found is None:
        return None
    return Predecessor(found.port, "", former=found.former, is_unheard=True)


def end_process(record: StackRecord, *, patience_s: float) -> None:
    """Stop the supervisor of a record, if it still runs: with SIGTERM, then SIGKILL.

    Raises StackUnreachable if it survives.
    """
    asked_until = time.monotonic() + patience_s
    while is_live(record):
        late_s = time.monotonic() - asked_until
        if late_s > KILL_PATIENCE_S:
            raise StackUnreachable(
                f"the supervisor of `{record.profile}` (pid {record.pid}) does not exit",
                hint=f"look at it with `ps -fp {record.pid}`",
            )
        with contextlib.suppress(ProcessLookupError):  # it ended since
            os.kill(record.pid, signal.SIGTERM if late_s < 0 else signal.SIGKILL)
        time.sleep(0.02)


def take_pair(before: Predecessor) -> SocketPair | None:
    """The sockets, or at least the ports, of the previous stack."""
    if before.sockets:
        main, providers = (socket.socket(fileno=descriptor) for descriptor in before.sockets)
        return SocketPair(main, providers, before.port)
    return try_again(before.port, before.main_key)


def try_again(port: int, key: str) -> SocketPair | None:
    """The ports of the previous stack, which its units may hold a moment longer.

    A port that another process has taken is not waited for.
    """
    from openclaude.run.os.probe import is_ours  # http.client is slow to import, and this is rare

    began = time.monotonic()
    while (pair := try_pair(port)) is None:
        waited_s = time.monotonic() - began
        if waited_s > ORPHAN_TIMEOUT_S or (
            waited_s > STRANGER_TIMEOUT_S and not is_ours(port, key)
        ):
            return None
        time.sleep(0.02)
    return pair


# the supervisor -----------------------------------------------------------------------------------


def start_supervisor(handover: Handover) -> None:
    """Start the supervisor, the handover on its standard input. Raises StackUnreachable.

    Forked twice, so that it is not a child of this process, which becomes claude. In its own
    session, so that Ctrl-C and Ctrl-Z in claude do not reach it.
    """
    try:
        why = hand_over(handover)
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise StackUnreachable(
            f"the supervisor of `{Path(handover.folder).name}` could not be started: {why}",
            hint="look at the limits of processes, open files and memory (`ulimit -a`), then try "
            "again",
        )


def hand_over(handover: Handover) -> str:
    """Fork the supervisor and tell it what it is to do; why it could not, or "". Raises OSError."""
    read, write = os.pipe()
    # closed by the exec of the supervisor, or told why there is none
    with os.fdopen(write, "wb", buffering=0) as pipe, contextlib.ExitStack() as ours:
        ours.callback(os.close, read)
        fault, failed = os.pipe()
        ours.callback(os.close, failed)
        with os.fdopen(fault, "rb") as faults:
            with children_kept():
                child = os.fork()
                if child == 0:
                    fork_again(handover, read, failed)
                ours.close()
                with contextlib.suppress(ChildProcessError):  # reaped by the system already
                    os.waitpid(child, 0)
            if why := faults.read():
                return why.decode("utf-8", "replace")
        text = memoryview(handover.to_json().encode())
        while text:
            text = text[pipe.write(text) :]
    return ""


def fork_again(handover: Handover, stdin: int, failed: int) -> NoReturn:
    """In the forked child: fork the supervisor, and end."""
    try:
        os.setsid()
        if os.fork() == 0:
            descriptors = (handover.main, handover.providers, handover.control)
            become_supervisor(Path(handover.folder), stdin, descriptors, failed)
    except BaseException as error:  # noqa: BLE001 - a fork: nothing may return into the launcher's code
        why = error.strerror if isinstance(error, OSError) else None
        os.write(failed, (why or repr(error)).encode())
        os._exit(1)
    os._exit(0)


def become_supervisor(
    folder: Path, stdin: int, descriptors: tuple[int, ...], failed: int
) -> NoReturn:
    """In the forked child: keep only the inherited descriptors, and exec."""
    os.dup2(stdin, 0)
    with open_log(log_path(folder, "supervisor")) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    close_all_but({0, 1, 2, failed, *descriptors})
    forget_signals()
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    os.chdir("/")
    # the folder tells others whose process it is: no other user, and no other process of this one,
    # may look at what it has open
    at = ("--at", str(here()))
    argv = python_module("openclaude.run.supervisor.supervisor", "--stack", str(folder), *at)
    os.execve(argv[0], argv, {"LANG": "C.UTF-8", **python_environment()})  # noqa: S606 - no shell


@contextlib.contextmanager
def children_kept() -> Iterator[None]:
    """Let us wait for a child, although our parent ignores SIGCHLD, which is inherited.

    The system would reap it, and waiting for it fail. claude finds it as it was.
    """
    before = signal.getsignal(signal.SIGCHLD)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before if before is not None else signal.SIG_DFL)


def forget_signals() -> None:
    """In the forked child: what our parents have ignored or blocked is not the supervisor's."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def close_all_but(kept: set[int]) -> None:
    """Close every other descriptor: a pipe of the user's shell must not stay open with us."""
    with contextlib.suppress(OSError):  # a limit may be 2^30, and a close for each takes minutes
        for path in list(Path("/dev/fd").iterdir()):
            if int(path.name) not in kept:
                with contextlib.suppress(OSError):  # the one of the folder itself
                    os.close(int(path.name))
        return
    low = 0
    for descriptor in sorted(kept):
        if low < descriptor:  # an empty range at 0 closes everything (seen with CPython 3.11.7)
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))
