"""A request ends when its client has left: for an application that does not watch its client.

Knows: ASGI's `http.disconnect`. Refuses to know: which application, and what it is asked.
LiteLLM 1.106.2 waits for an upstream's first byte whatever becomes of the client (measured): Esc in
claude would leave Anthropic at work, and a stop would wait for it.
"""

from __future__ import annotations

import asyncio

from openclaude.gateway.asgi import App, Message, Receive, Scope, Send


async def run_while_present(
    app: App, scope: Scope, body: bytes, receive: Receive, send: Send
) -> None:
    """Run `app` on a request whose `body` was read; cancel it when the client leaves unanswered.

    Once the reply has begun, the application meets the disconnect itself.
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
            await asyncio.wait({running})  # there is nobody to tell how it ended
        else:
            await running
    finally:
        running.cancel()
        watching.cancel()
