"""The forkserver: imports what every instance needs once, and forks the instances.

Knows: how to fork safely. Independent of: secrets. Its environment contains LiteLLM's offline flags
and nothing else; an instance gets its set-up by a pipe, after the fork. Run as `python -m` of its
own name; it ends with the supervisor, whose end of the channel closes.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import select
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

from openclaude.contracts.decode import to_line
from openclaude.contracts.worker import (
    Forked,
    ForkEnded,
    ForkserverMessage,
    ForkserverReady,
    read_order,
    read_unit_setup,
)
from openclaude.run.os.confinement import keep_memory_private
from openclaude.run.worker import instance

LONGEST_ORDER = 65536


def main() -> None:
    """Import, report it, fork on request."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--stack")  # these tell others whose process it is
    parser.add_argument("--at")
    parser.add_argument("--application", action="append", default=[])
    parser.add_argument("--prepare", action="append", default=[])
    parser.add_argument("--before-fork", action="append", default=[])
    arguments = parser.parse_args()
    channel = socket.socket(fileno=arguments.channel)
    channel.set_inheritable(False)
    gc.disable()
    instance.prepare(arguments.prepare)
    for application in arguments.application:
        instance.load(application)
    for name in arguments.before_fork:
        instance.load(name)()
    instance.freeze()  # what was imported is never looked at again, so its pages stay shared
    refuse_threads()
    wait_for_orders(channel)


def refuse_threads() -> None:
    """Raise RuntimeError if there is another thread: a lock it holds would stay held in a child."""
    others = [thread.name for thread in threading.enumerate() if thread.name != "MainThread"]
    tasks = Path("/proc/self/task")  # Linux shows the threads that Python does not know of, too
    if tasks.is_dir():
        others += sorted(task.name for task in tasks.iterdir())[1:]
    if others:
        raise RuntimeError(f"the forkserver cannot fork: it has other threads: {others}")


def wait_for_orders(channel: socket.socket) -> None:
    """Fork an instance for each order, report each one's end, until the channel closes."""
    wake, handler = socket.socketpair()
    handler.setblocking(False)
    signal.set_wakeup_fd(handler.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    poll = select.poll()
    for one in (channel, wake):
        poll.register(one, select.POLLIN)
    tell(channel, ForkserverReady())
    while True:
        readable = {descriptor for descriptor, _ in poll.poll()}
        if wake.fileno() in readable:
            wake.recv(4096)
            report_ends(channel)
        if channel.fileno() in readable:
            order, given, _, _ = socket.recv_fds(channel, LONGEST_ORDER, 8)
            if not order:
                return
            application = read_order(order).application
            pid = os.fork()
            if pid == 0:
                for ours in (channel, wake, handler):
                    ours.close()
                become_instance(application, given)
            for descriptor in given:
                os.close(descriptor)
            tell(channel, Forked(forked=pid))


def tell(channel: socket.socket, message: ForkserverMessage) -> None:
    """Send one message to the supervisor; if it has gone, the next read ends this process."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        channel.send(to_line(message))


def report_ends(channel: socket.socket) -> None:
    """Reap every instance that has exited, and report its exit code."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        tell(channel, ForkEnded(exited=pid, code=os.waitstatus_to_exitcode(status)))


def become_instance(application: str, given: list[int]) -> NoReturn:
    """In the forked child: take over log, environment and sockets, and serve."""
    listener, report, lifeline, log, setup_pipe = given
    try:
        keep_memory_private()  # before it has anything to keep
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # a group of its own, so that what it starts ends with it
        nowhere = os.open(os.devnull, os.O_RDONLY)
        for descriptor, standard in ((nowhere, 0), (log, 1), (log, 2)):
            os.dup2(descriptor, standard)
        with os.fdopen(setup_pipe, encoding="utf-8") as pipe:
            setup = read_unit_setup(pipe.read())
        os.environ.clear()
        os.environ.update(setup.environment)
        os.chdir(setup.folder)
        gc.enable()
        instance.serve(application, listener, report, lifeline)
    except SystemExit as end:  # what an interpreter of its own would make of it
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        finish(end.code if isinstance(end.code, int) else int(end.code is not None))
    except BaseException:  # noqa: BLE001 - a fork: nothing may return into the forkserver's code
        traceback.print_exc()
        finish(1)
    finish(0)


def finish(code: int) -> NoReturn:
    """Exit this fork: flush its output, run nothing else."""
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
