"""The process of one instance: LiteLLM on a listening socket it was given.

Knows: how to serve an application quickly and how to end. Refuses to know: what it serves, which
is named on its command line. Run as `python -m openclaude.run.instance`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import socket
import threading
import time

import uvicorn

# Streams under way get this long when the instance is told to end, seconds.
STREAM_GRACE_S = 10
# Between a connection's acceptance and its first request, seconds; under 1 ms on a quiet machine.
FIRST_REQUEST_S = 0.2
# claude keeps its connections; closing an idle one could cross its next request, seconds
KEEP_ALIVE_S = 300


def main() -> None:
    """Serve until told to end, or until the supervisor is gone."""
    arguments = read_arguments()
    follow(arguments.lifeline)
    # Nothing imported is garbage: collecting during the import costs a third of its time
    # (measured with LiteLLM 1.106.2).
    gc.disable()
    server = make_server(arguments.application, arguments.ready)
    gc.collect()
    gc.freeze()
    gc.enable()
    server.run(sockets=[socket.socket(fileno=arguments.listener)])


def read_arguments() -> argparse.Namespace:
    """The command line: an application factory and three inherited file descriptors."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("application", help="module:factory")
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--ready", type=int, required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    return parser.parse_args()


def follow(lifeline: int) -> None:
    """End when the supervisor does, however it does: its end of the pipe closes with it."""

    def wait() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STREAM_GRACE_S + 2)
        os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


class Instance(uvicorn.Server):
    """A server that says on a pipe when it answers, and loses no request when it ends."""

    ready: int  # the pipe's file descriptor

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        os.write(self.ready, b"ready\n")
        os.close(self.ready)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let what was accepted last be read, then end.

        uvicorn closes a connection whose request it has not read yet. Whoever replaces this process
        accepts from the same socket, so nobody waits here for longer than their own request takes.
        """
        for server in self.servers:
            server.close()
        await asyncio.sleep(FIRST_REQUEST_S)
        await super().shutdown(sockets)


def make_server(application: str, ready: int) -> Instance:
    """A server of the application that announces itself on the pipe `ready`."""
    config = uvicorn.Config(
        application,
        factory=True,
        log_level="warning",
        access_log=False,
        server_header=False,  # the upstream's own headers are passed on
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STREAM_GRACE_S,
        backlog=512,
    )
    config.load()  # imports the application, while the garbage collector is off
    server = Instance(config)
    server.ready = ready
    return server


if __name__ == "__main__":
    main()
