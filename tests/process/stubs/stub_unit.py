"""A unit in place of LiteLLM: an ASGI application that tells about its own process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any


def app() -> Any:
    """The factory. STUB_DELAY_S: not before; STUB_FAIL: never, with that as last words."""
    time.sleep(float(os.environ.get("STUB_DELAY_S", "0")))
    if "STUB_FAIL" in os.environ:
        sys.exit(os.environ["STUB_FAIL"])
    return serve


async def serve(scope: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    query = scope["query_string"].decode()
    match scope["path"]:
        case "/crash":
            sys.stderr.write(f"{query}\n")
            sys.stderr.flush()
            os._exit(3)
        case "/stream":
            await stream(send, count=int(query))
        case _:
            await whole(send, json.dumps(about()).encode())


async def whole(send: Any, body: bytes) -> None:
    """A reply at once."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def stream(send: Any, *, count: int) -> None:
    """A reply of `count` lines, one every 50 ms."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in range(count):
        body = f"{number} {os.getpid()}\n".encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(0.05)
    await send({"type": "http.response.body", "body": b""})


def about() -> dict[str, Any]:
    """What this process is and holds."""
    return {
        "pid": os.getpid(),
        "argv": sys.orig_argv,
        "environment": dict(os.environ),
    }
