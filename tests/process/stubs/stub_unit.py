"""A unit in place of LiteLLM: an ASGI application that reports on its own process."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def app() -> Any:
    """The application factory.

    STUB_DELAY_S: serve after a delay; STUB_GATE: serve once that file exists; STUB_FAIL: never
    serve, with that as last output; STUB_WARN: log that as a warning; STUB_GRACE_S: give streams
    that long when told to end.
    """
    if "STUB_GRACE_S" in os.environ:
        for name in ("__main__", "openclaude.run.worker.instance", "openclaude.run.worker.ending"):
            module: Any = sys.modules.get(name)
            if hasattr(module, "STREAM_GRACE_S"):
                module.STREAM_GRACE_S = float(os.environ["STUB_GRACE_S"])
    time.sleep(float(os.environ.get("STUB_DELAY_S", "0")))
    while not Path(os.environ.get("STUB_GATE", "/")).exists():
        time.sleep(0.02)
    if "STUB_FAIL" in os.environ:
        sys.exit(os.environ["STUB_FAIL"])
    return serve


async def serve(scope: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        if "STUB_WARN" in os.environ:
            scope["openclaude.warn"](os.environ["STUB_WARN"])
        return
    if admit := scope.get("openclaude.admit"):  # not in the version before
        admit()  # every request here counts as a user's own
    query = scope["query_string"].decode()
    match scope["path"]:
        case "/crash":
            sys.stderr.write(f"{query}\n")
            sys.stderr.flush()
            os._exit(3)
        case "/stream":
            await stream(send, lambda number: number < int(query))
        case "/until":
            await stream(send, lambda _: not Path(query).exists())
        case "/write" | "/connect" | "/run" as path:
            await whole(send, attempt(path, query).encode())
        case _:
            await whole(send, json.dumps(about()).encode())


def attempt(what: str, target: str) -> str:
    """Do something that a confined process may not; return the name of the error, or ""."""
    try:
        if what == "/write":
            Path(target).write_text("written")
        elif what == "/run":
            subprocess.run([target], check=True)
        else:
            socket.create_connection(("127.0.0.1", int(target))).close()
    except OSError as error:
        return type(error).__name__
    return ""


async def whole(send: Any, body: bytes) -> None:
    """A reply at once."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def stream(send: Any, goes_on: Callable[[int], bool]) -> None:
    """A reply of numbered lines, one every 50 ms."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in itertools.takewhile(goes_on, itertools.count()):
        body = f"{number} {os.getpid()}\n".encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(0.05)
    await send({"type": "http.response.body", "body": b""})


def about() -> dict[str, Any]:
    """Report what this process is and has."""
    return {
        "pid": os.getpid(),
        "argv": sys.orig_argv,
        "environment": dict(os.environ),
    }
