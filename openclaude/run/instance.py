"""The process of one instance: an application on a listening socket it was given.

Knows: how to serve, how to tell the supervisor that it lives, how to end. Refuses to know: what it
serves, which is named to it. Run as `python -m openclaude.run.instance`, or called after a fork.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib
import logging.config
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
import uvicorn.config

from openclaude.run import secrets

# Streams under way get this long when the instance is told to end, seconds.
STREAM_GRACE_S = 10
# Those that last longer are cancelled, and get this long to say so, seconds.
FAREWELL_S = 1.0
# Between a connection's acceptance and its first request, seconds; under 1 ms on a quiet machine.
FIRST_REQUEST_S = 0.2
# claude keeps its connections; closing an idle one could cross its next request, seconds
KEEP_ALIVE_S = 300
HEARTBEAT_S = 5.0
# What the supervisor hears late is told together, seconds
GATHER_S = 0.1


def main() -> None:
    """A fresh process: import, then serve until told to end, or until the supervisor is gone."""
    arguments = read_arguments()
    with imported_once():
        prepare(arguments.prepare)
        load(arguments.application)
    serve(arguments.application, arguments.listener, arguments.report, arguments.lifeline)


def read_arguments() -> argparse.Namespace:
    """The command line: an application factory and three inherited file descriptors."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("application", help="module:factory")
    parser.add_argument("--prepare", action="append", default=[], help="module:function")
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--report", type=int, required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    return parser.parse_args()


@contextlib.contextmanager
def imported_once():  # type: ignore[no-untyped-def]  # Iterator[None], made a context manager
    """Import inside with the garbage collector off, and keep what was made out of its sight.

    Nothing imported is garbage: collecting during the import of LiteLLM costs a third of its time
    (measured with 1.106.2).
    """
    gc.disable()
    yield
    freeze()
    gc.enable()


def freeze() -> None:
    """Keep what was made until now out of the garbage collector's sight: none of it is garbage.

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
    """Call each of the functions; they do what the first requests would otherwise pay for.

    uvicorn's log is set up here as well: done in each instance, it walks over every logger that
    LiteLLM has made, which costs each 3 MB of its own (measured with 0.54).
    """
    logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    for name in names:
        load(name)()


def serve(application: str, listener: int, report: int, lifeline: int) -> None:
    """Serve the application that the factory makes, on an inherited socket, until told to end."""
    follow(lifeline)
    fetch_secrets(report)
    reporter = Reporter(report)
    config = uvicorn.Config(
        reporter.counted(load(application)()),
        log_config=None,  # `prepare` has done it
        access_log=False,
        ws="none",  # nobody here speaks it, and its modules are large
        server_header=False,  # the upstream's own headers are passed on
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STREAM_GRACE_S,
        backlog=512,
    )
    Server(config, reporter).run(sockets=[socket.socket(fileno=listener)])


def fetch_secrets(report: int) -> None:
    """Put the instance's secrets into its environment, or tell the supervisor why it cannot be."""
    environment = dict(os.environ)
    try:
        secrets.fetch_all(environment)
    except secrets.SecretUnavailable as error:
        os.write(report, b"!%s\n" % str(error).encode())
        sys.stderr.write(f"{error}\n")
        raise SystemExit(secrets.EX_CONFIG) from None
    os.environ.clear()
    os.environ.update(environment)


def follow(lifeline: int) -> None:
    """End when the supervisor does, however it does: its end of the pipe closes with it."""

    def wait() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STREAM_GRACE_S + 2)
        os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


class Reporter:
    """Tells the supervisor, in a line of two numbers, how many requests run and have been served.

    The first line says that the instance answers; one every few seconds that it still does. The
    numbers are absolute, so that a line the pipe had no room for is no loss.
    """

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self.in_flight = 0
        self.served = 0
        self.told_busy = False
        self.later: asyncio.TimerHandle | None = None
        os.set_blocking(pipe, False)

    def tell(self) -> None:
        """Write the line; without room for it, the next one says more."""
        if self.later:
            self.later.cancel()
            self.later = None
        self.told_busy = self.in_flight > 0
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self.pipe, b"%d %d\n" % (self.in_flight, self.served))

    def tell_soon(self) -> None:
        """Write it after a while, with what has changed until then.

        Each line wakes the supervisor: a twelfth of a slot's processor time in main (measured).
        """
        if self.later is None:
            self.later = asyncio.get_running_loop().call_later(GATHER_S, self.tell)

    def counted(self, application: Any) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """The application, with its requests counted."""

        async def count(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await application(scope, receive, send)
                return
            self.in_flight += 1
            if self.told_busy:
                self.tell_soon()
            else:
                self.tell()  # at once: an instance that is thought idle may be put to sleep
            try:
                await application(scope, receive, send)
            finally:
                self.in_flight -= 1
                self.served += 1
                self.tell_soon()

        return count

    async def beat(self) -> None:
        """Say every few seconds that the event loop runs."""
        while True:
            self.tell()
            await asyncio.sleep(HEARTBEAT_S)


class Server(uvicorn.Server):
    """A server that reports, and loses no request when it ends."""

    def __init__(self, config: uvicorn.Config, reporter: Reporter) -> None:
        super().__init__(config)
        self.reporter = reporter
        self.heartbeat: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        self.heartbeat = asyncio.get_running_loop().create_task(self.reporter.beat())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let what was accepted last be read, then end.

        uvicorn closes a connection whose request it has not read yet. Whoever replaces this process
        accepts from the same socket, so nobody waits here for longer than their own request takes.

        When the grace is over uvicorn cancels what still runs, and does not wait for what that
        writes: the process ended before the streams had their last words (measured).
        """
        for server in self.servers:
            server.close()
        await asyncio.sleep(FIRST_REQUEST_S)
        await super().shutdown(sockets)
        cancelled = self.server_state.tasks
        if cancelled:
            await asyncio.wait(set(cancelled), timeout=FAREWELL_S)


if __name__ == "__main__":
    main()
