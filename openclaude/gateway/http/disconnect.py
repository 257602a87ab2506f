"""Cancels a request when its client leaves, for an application that does not watch its client.

Knows: ASGI's `http.disconnect`. Independent of: which application, and what the request is. LiteLLM
1.108.14 waits for an upstream's first byte even if the client has left (measured): after Esc in
claude Anthropic would go on working, and a stop would wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from openclaude.gateway.http.asgi import App, Message, Receive, Scope, Send

Found = TypeVar("Found")


async def run_while_present(
    app: App, scope: Scope, body: bytes, receive: Receive, send: Send
) -> None:
    """Run `app` on a request whose `body` was read; cancel it if the client leaves unanswered.

    Once the reply has begun, the application handles the disconnect itself.
    """
    left = asyncio.Event()
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    is_answered = False

    async def receive_again() -> Message:
        if pending:
            return pending.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def note(message: Message) -> None:
        nonlocal is_answered
        is_answered = True
        await send(message)

    async def watch() -> None:
        await client_leaves(receive)
        left.set()

    running = asyncio.ensure_future(app(scope, receive_again, note))
    watching = asyncio.ensure_future(watch())
    try:
        await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done() and not is_answered:
            running.cancel()
            await asyncio.wait({running})  # the client is gone, so the outcome no longer matters
        else:
            await running
    finally:
        running.cancel()
        watching.cancel()


async def wait_while_present(work: Coroutine[Any, Any, Found], receive: Receive) -> Found | None:
    """Return what `work` returns; cancel it and return None if the client leaves before."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(client_leaves(receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        watching.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})


async def client_leaves(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
