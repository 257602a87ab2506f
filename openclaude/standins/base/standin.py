"""A stand-in: a loopback upstream in a thread of its own, which records its requests.

Knows: its socket, its thread, its recorded requests. Independent of: which cloud it imitates; that
is `_inspect` (what to record about a request) and `_reply` (what to answer) of the two subclasses.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from openclaude.standins.base.exchange import Recorded, Reply
from openclaude.standins.base.http import ClientLeftError, attend
from openclaude.standins.base.script import Error, Script

BACKLOG = 1024
STOP_TIMEOUT_S = 10.0

R = TypeVar("R", bound=Recorded)


class Standin(Generic[R]):
    """A loopback upstream: `with AnthropicStandin() as upstream: upstream.url`."""

    name = "stand-in"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        answer: Callable[[R], Reply | None] | None = None,
        record: Path | None = None,
        keep: int | None = None,
    ) -> None:
        """Set up how to answer and what to record.

        `answer` may override any reply (None: as scripted); it may block, because it runs in a
        thread of its own. `record` is a file that gets a JSON line per request; `keep` limits how
        many requests are remembered.
        """
        if not ipaddress.IPv4Address(host).is_loopback:
            raise ValueError(f"a stand-in listens on loopback only, not on `{host}`")
        self._host = host
        self._wanted_port = port
        self._port: int | None = None
        self._answer = answer
        self._record = record
        self._requests: deque[R] = deque(maxlen=keep)
        self._replies: deque[Reply] = deque(maxlen=keep)
        self._disconnects = 0
        self._errors_given: Counter[str] = Counter()
        self._failures: list[BaseException] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    # For subclasses ------------------------------------------------------------------------------

    def _inspect(self, request: Recorded) -> R:
        """Return the request with everything worth recording about it."""
        raise NotImplementedError

    def _reply(self, request: R) -> Reply:
        """Return what this upstream answers."""
        raise NotImplementedError

    def _error_due(self, script: Script) -> Error | None:
        """Return the script's HTTP error, unless it has been sent as often as it asked for."""
        error = script.error
        if error is None or not error.times:
            return error
        with self._changed:
            if self._errors_given[error.marker] >= error.times:
                return None
            self._errors_given[error.marker] += 1
        return error

    # Starting and stopping ----------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port on which it listens, or did. Raises RuntimeError."""
        if self._port is None:
            raise RuntimeError(f"the {self.name} is not started")
        return self._port

    @property
    def url(self) -> str:
        """Its base URL, without a slash at the end."""
        return f"http://{self._host}:{self.port}"

    def start(self) -> Self:
        """Listen, and answer in a thread; the port is known and open when this returns.

        Raises RuntimeError.
        """
        if self._thread is not None:
            raise RuntimeError(f"the {self.name} is started already")
        listening = socket.create_server((self._host, self._wanted_port), backlog=BACKLOG)
        self._port = listening.getsockname()[1]
        started = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(listening, started)), name=self.name, daemon=True
        )
        self._thread.start()
        started.wait()
        return self

    def stop(self) -> None:
        """Close every connection and the port; may be called twice. Raises RuntimeError."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has already ended
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise RuntimeError(f"the {self.name} did not stop: is an `answer` still blocked?")
        self._thread = None
        if self._failures:  # a bug of ours or a failed assertion in `answer`: never silent
            raise self._failures.pop(0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # What it has recorded
    # --------------------------------------------------------------------------

    @property
    def requests(self) -> tuple[R, ...]:
        """Every request so far, ordered by their last bytes."""
        with self._changed:
            return tuple(self._requests)

    @property
    def replies(self) -> tuple[Reply, ...]:
        """Every reply so far as it should have been sent, in the order of the decisions."""
        with self._changed:
            return tuple(self._replies)

    @property
    def disconnects(self) -> int:
        """How many clients closed their connection before the reply had ended."""
        with self._changed:
            return self._disconnects

    def clear(self) -> None:
        """Forget all recorded requests."""
        with self._changed:
            self._requests.clear()
            self._replies.clear()
            self._errors_given.clear()
            self._disconnects = 0

    def wait_until(self, claim: Callable[[Self], bool], *, timeout_s: float = 60.0) -> bool:
        """Wait until `claim` about this stand-in is true; False if that takes too long."""
        with self._changed:
            return self._changed.wait_for(lambda: claim(self), timeout_s)

    # The thread ---------------------------------------------------------------------------------

    async def _run(self, listening: socket.socket, started: threading.Event) -> None:
        """Accept connections until `stop`, then end those that are still open."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        connections: set[asyncio.Task[None]] = set()

        def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._attend(reader, writer))
            connections.add(task)
            task.add_done_callback(end)

        def end(task: asyncio.Task[None]) -> None:
            connections.discard(task)
            if not task.cancelled() and (failure := task.exception()):
                self._failures.append(failure)

        listener = await asyncio.start_server(connect, sock=listening, backlog=BACKLOG)
        started.set()
        await self._stopping.wait()
        listener.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, from accept to close."""
        try:
            await attend(reader, writer, self._respond)
        except ClientLeftError:
            with self._changed:
                self._disconnects += 1
                self._changed.notify_all()
        except ConnectionError:
            return  # closed between two requests, as any client may
        finally:
            writer.transport.abort()

    async def _respond(self, seen: Recorded) -> Reply:
        """Record a request, then decide its reply."""
        request = self._inspect(seen)
        self._append(request)
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        reply = await asyncio.to_thread(self._answer, request) if self._answer else None
        reply = reply or self._reply(request)
        with self._changed:
            self._replies.append(reply)
            self._changed.notify_all()
        return reply

    def _append(self, request: R) -> None:
        """Append one JSON line to the record file in one write, so that nobody reads half of it."""
        if self._record is None:
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self._record, flags, 0o600)
        try:
            os.write(descriptor, json.dumps(request.as_json()).encode() + b"\n")
        finally:
            os.close(descriptor)
