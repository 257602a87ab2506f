"""A real Redis on loopback, as Debian has it, for tests of what several servers share.

Knows: its command line, how it is stopped, held up and asked. Independent of: what is kept in it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.conftest import need

PASSWORD = f"CANARY-{secrets.token_hex(12)}"
TIMEOUT_S = 20.0


class RedisServer:
    """One that can be ended, begun again with nothing in it, and held up."""

    def __init__(self, folder: Path) -> None:
        need(shutil.which("redis-server") is not None, "redis-server (build/setup installs it)")
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self.client: Any = redis.Redis.from_url(self.url, decode_responses=True)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin; return when it answers."""
        config = self.folder / "redis.conf"  # not an argument: it has a password
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\nrequirepass {PASSWORD}\ndir {self.folder}\n"
            'save ""\nappendonly no\n'
        )
        self.process = subprocess.Popen(
            ["redis-server", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + TIMEOUT_S
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < until, "Redis does not answer"
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it at once; what was in it is gone."""
        if self.process:
            self.process.kill()
            self.process.wait()

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """It takes connections and questions, and answers none until the end of the block."""
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    """One that runs until the end of the block."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.client.close()
        server.stop()
