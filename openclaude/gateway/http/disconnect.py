"""Cancels a request when its client leaves, for an application that does not watch its client.

Knows: ASGI's `http.disconnect`. Independent of: which application, and what the request is. LiteLLM
1.108.14 waits for an upstream's first byte even if the client has left (measured): after Esc in
claude Anthropic would go on working, and a stop would wait for it.
"""

from __future__ import annotations

import asyncio

from openclaude.gateway.http.asgi import App, Message, Receive, Scope, Send


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
        while (await receive())["type"] != "http.disconnect":
            pass
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
