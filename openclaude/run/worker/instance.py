"""The process of one instance: an application on a listening socket it was given.

Knows: how to serve, heartbeats, how to stop. Independent of: the application, which is named on the
command line. Run as `python -m` of its own name, or called after a fork.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import importlib
import logging.config
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import uvicorn
import uvicorn.config

from openclaude.contracts.worker import (
    CERTIFICATE_KEY_VARIABLE,
    CERTIFICATE_VARIABLE,
    DRAINING,
    ENDING_VARIABLE,
    FURTHER_PORT_VARIABLE,
    KEY_FETCHER_VARIABLE,
    PEOPLE_VARIABLE,
    PROGRAMS_VARIABLE,
    REACHES_VARIABLE,
    SERVER_KEY_VARIABLE,
    WRITES_VARIABLE,
    fatal_line,
    further_port_in,
    read_ending,
)
from openclaude.run.os.confinement import keep_memory_private
from openclaude.run.os.tls import server_context
from openclaude.run.worker import certificates, secrets
from openclaude.run.worker.children import keep_environment_from_children
from openclaude.run.worker.confined import confine_to
from openclaude.run.worker.connections import InstanceConnection, allow_connections
from openclaude.run.worker.door import Door
from openclaude.run.worker.ending import AT_ONCE, FAREWELL_S, InstanceEnd
from openclaude.run.worker.further_port import open_further
from openclaude.run.worker.key_fetcher import start_fetcher
from openclaude.run.worker.log import leave_out_absent_pages, stamp_everything
from openclaude.run.worker.reporter import Reporter

# Between a connection's acceptance and its first request, seconds; under 1 ms on a quiet machine.
FIRST_REQUEST_S = 0.2
# and longer for one that has not come: a busy client was seen to take a second from its connection
LATE_REQUEST_S = 3.0
# claude keeps its connections; closing an idle one could cross its next request, seconds
KEEP_ALIVE_S = 300
STARTUP_FAILURE = 3  # exit status, as of uvicorn


def main() -> None:
    """A fresh process: import, then serve until told to stop, or until the supervisor has gone."""
    keep_memory_private()
    arguments = read_arguments()
    with ending_as_first(), imported_once():
        prepare(arguments.prepare)
        load(arguments.application)
    serve(arguments.application, arguments.listener, arguments.report, arguments.lifeline)


def read_arguments() -> argparse.Namespace:
    """The command line: an application factory and three inherited file descriptors."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("application", help="module:factory")
    parser.add_argument("--prepare", action="append", default=[], help="module:function")
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--stack", help="the stack's folder; it tells others whose process it is")
    parser.add_argument("--at", help="where it runs; this too")
    parser.add_argument("--report", type=int, required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    return parser.parse_args()


@contextlib.contextmanager
def ending_as_first():  # type: ignore[no-untyped-def]  # Iterator[None], made a context manager
    """End at a SIGTERM, also as a container's first process: it hears none without a handler.

    uvicorn's own is there only once everything is imported, which takes seconds.
    """
    if os.getpid() != 1:
        yield
        return
    signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
    yield
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def imported_once():  # type: ignore[no-untyped-def]  # Iterator[None], made a context manager
    """Import with the garbage collector off, then freeze the imported objects.

    Nothing imported is garbage: collecting during the import of LiteLLM costs over a quarter of its
    time (measured with 1.108.14).
    """
    gc.disable()
    yield
    freeze()
    gc.enable()


def freeze() -> None:
    """Freeze all current objects: the garbage collector ignores them, since none is garbage.

    Not collected before: of LiteLLM's million objects two thousand are garbage, and looking at all
    of them takes a sixth of the start (measured). The call after it is for the collector's own
    account. It looks at old garbage only when a quarter as many objects have become old as it last
    counted; were those the import's, ten thousand requests of a slot would leave 50 MB (measured;
    CPython's Modules/gcmodule.c).

    """
    gc.freeze()
    gc.collect()


def load(name: str) -> Any:
    """The object called `module:attribute`."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def prepare(names: list[str]) -> None:
    """Call each of the functions, which do work that the first requests would otherwise do.

    uvicorn's log is set up here as well: done in each instance, it walks over every logger that
    LiteLLM has made, which costs each 3 MB of its own (measured with 0.54).

    """
    logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)
    # a warning is what uvicorn has for a client that talks nonsense: a line for every such request
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    leave_out_absent_pages()
    for name in names:
        load(name)()
    stamp_everything()


def serve(application: str, listener: int, report: int, lifeline: int) -> None:
    """Serve the factory's application on an inherited socket, until told to stop."""
    # LiteLLM has compiled parts: where one of them crashes, the log says in which line of Python
    faulthandler.enable()
    said = os.environ.pop(ENDING_VARIABLE, "")
    ending = InstanceEnd(read_ending(said) if said else AT_ONCE)
    ending.follow(lifeline)
    allow_connections()
    certificates.trust(os.environ, Path.cwd(), certificates.OF_SYSTEMS)
    fetch_secrets(report)
    context = find_certificate(report)
    keep_environment_from_children(os.environ.pop(PROGRAMS_VARIABLE, "{}"))
    reporter = Reporter(report)
    made = reporter.counted(load(application)())
    reaches, writes = (os.environ.pop(name, "") for name in (REACHES_VARIABLE, WRITES_VARIABLE))
    port = further_port_in(os.environ.pop(FURTHER_PORT_VARIABLE, ""))
    further = open_further(port, reporter.lacks_port)  # none can be bound later
    confine_to(reaches, writes, os.environ)
    config = uvicorn.Config(
        made,
        http=InstanceConnection,
        log_config=None,  # `prepare` has done it
        access_log=False,
        ws="none",  # it is not used here, and its modules are large
        server_header=False,  # the upstream's own headers are passed on
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=ending.grace_s,
        backlog=512,
    )
    is_public = PEOPLE_VARIABLE in os.environ
    server = Server(config, reporter, context, ending, further=further, is_public=is_public)
    server.run(sockets=[socket.socket(fileno=listener), *further])


def fetch_secrets(report: int) -> None:
    """Put the instance's secrets into its environment, or tell the supervisor why that failed."""
    environment = dict(os.environ)
    references, for_programs = secrets.wanted_secrets(environment)
    try:
        if reference := references.get(SERVER_KEY_VARIABLE):
            fetcher = start_fetcher(SERVER_KEY_VARIABLE, reference, for_programs)
            environment[KEY_FETCHER_VARIABLE] = str(fetcher)
        secrets.fetch_all(environment)
    except secrets.SecretUnavailable as error:
        give_up(report, str(error))
    os.environ.clear()
    os.environ.update(environment)


def find_certificate(report: int) -> ssl.SSLContext | None:
    """What the instance proves itself with, where it was told of a certificate.

    One that cannot be used ends the instance: without it claude would only see that nobody proves
    to be main.
    """
    path = os.environ.pop(CERTIFICATE_VARIABLE, "")
    key = os.environ.pop(CERTIFICATE_KEY_VARIABLE, "")
    try:
        return server_context(path, key) if path else None
    except OSError as error:
        give_up(
            report,
            f"the certificate `{path}` cannot be used: {error.strerror or error}; "
            "`openclaude stop --all` and a new launch make another",
        )


def give_up(report: int, sentence: str) -> NoReturn:
    """Tell the supervisor why this instance cannot be, and end. Raises SystemExit."""
    os.write(report, fatal_line(sentence))
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(secrets.EX_CONFIG)


class Server(uvicorn.Server):
    """A server that reports its load, and loses no request when it stops."""

    def __init__(
        self,
        config: uvicorn.Config,
        reporter: Reporter,
        context: ssl.SSLContext | None,
        ending: InstanceEnd,
        *,
        further: Sequence[socket.socket] = (),
        is_public: bool = False,
    ) -> None:
        """`further`: of the sockets, those in plain HTTP that no other process has."""
        super().__init__(config)
        self.is_public = is_public
        self.further = further
        self.ending = ending
        self.reporter = reporter
        self.context = context
        self.doors: list[Door] = []
        self.heartbeat: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve on the given sockets, and report it; as uvicorn, except for the doors."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        self.servers = []  # uvicorn's own, which know one language each
        self.doors = [
            Door(one, self.protocol, None)
            if one in self.further
            else Door(one, self.protocol, self.context, is_public=self.is_public)
            for one in sockets or ()
        ]
        for door in self.doors:
            door.open()
        self.started = True
        self.heartbeat = asyncio.get_running_loop().create_task(self.reporter.beat())

    def protocol(self) -> asyncio.Protocol:
        """What speaks HTTP on one connection."""
        make: Any = self.config.http_protocol_class
        made: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    @property
    def is_awaited(self) -> bool:
        """Whether a connection was accepted whose first request is still on its way."""
        return any(door.is_greeting for door in self.doors) or any(
            getattr(one, "cycle", self) is None for one in self.server_state.connections
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Heed a signal."""
        if self.started and not self.should_exit and self.ending.begin_drain():
            self._captured_signals.append(sig)  # uvicorn's: it ends the process with them
            self.lifespan.state[DRAINING] = True
            return
        self.ending.on_signal(is_ending=self.should_exit)
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Tell whether to end, as uvicorn asks ten times a second."""
        self.should_exit |= self.ending.is_drained
        return await super().on_tick(counter)

    def is_busy(self) -> bool:
        """Whether a request is under way."""
        return bool(self.server_state.connections or self.server_state.tasks)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let what was accepted last be read, then end.

        uvicorn closes a connection whose request it has not read yet. Whoever replaces this process
        accepts from the same socket, so nobody waits here for longer than their own request takes.
        An instance that was replaced lets its streams end by themselves.

        When the grace is over uvicorn cancels what still runs, and does not wait for what that
        writes: the process ended before the streams had their last words (measured).
        """
        for door in self.doors:
            door.close()
        for listener in self.further:  # or the kernel would go on to bring connections
            listener.close()
        await asyncio.sleep(FIRST_REQUEST_S)
        until = time.monotonic() + LATE_REQUEST_S
        while self.is_awaited and time.monotonic() < until:
            await asyncio.sleep(0.05)
        for door in self.doors:
            await door.wait_closed()
        for connection in list(self.server_state.connections):
            connection.shutdown()  # of those, the idle ones end
        await self.ending.wait(self.is_busy)
        await super().shutdown(sockets)
        cancelled = self.server_state.tasks
        if cancelled:
            await asyncio.wait(set(cancelled), timeout=FAREWELL_S)


if __name__ == "__main__":
    main()
