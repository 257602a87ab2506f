"""Fallbacks: if a model fails temporarily, the next one is asked, before the first byte only.

Knows: which failures are temporary. Independent of: which models are the fallbacks of which (a
function says so), LiteLLM, how a request is fitted to a model, which is repeated for each. Each
model is asked at most once. The reply says in a header which models failed (`trail`),
and in front of the answer which one has failed and which one answers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from openclaude.gateway.http.asgi import (
    App,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    header,
    read_body,
    without,
)
from openclaude.gateway.http.buffered import BufferedReply
from openclaude.gateway.http.trail import Trail, leaving_trail
from openclaude.gateway.routing.regions import Regions

# Throttled, overloaded, timed out, or unreachable. After a 401 or a 400 another model's answer
# could hide for weeks that the first one never succeeds.
PASSING = frozenset({408, 409, 429})
LENGTH = frozenset({b"content-length"})
BODY_LIMIT = 200 * 1024 * 1024  # main refuses anything larger by half, and may have rewritten it


class Fallbacks:
    """An application that asks another one for the fallback models of a slot."""

    def __init__(
        self,
        app: App,
        find: Callable[[str], Sequence[str]],
        *,
        paths: frozenset[str],
        name: Callable[[str], str] = str,
    ) -> None:
        """`find` returns a model's fallbacks, in order; `paths` have a model in the body.

        `name` returns how people call a model.
        """
        self.app = app
        self.find = find
        self.paths = paths
        self.name = name
        self.regions = Regions(time.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self.paths:
            with leaving_trail(scope["headers"]) as trail:
                await self.ask(scope, receive, with_trail(send, trail), trail)
        else:
            await self.app(scope, receive, send)

    async def ask(self, scope: Scope, receive: Receive, send: Send, trail: Trail) -> None:
        """Ask the models in order; if none answers, report the failure of the first."""
        body = await read_body(receive, limit=BODY_LIMIT)
        if body is None:
            return  # the client has left; nobody waits for a reply
        document = parse_request(body)
        asked_for = str(document.get("model"))
        first: BufferedReply | None = None
        said = trail.notice
        for model in self.regions.order([asked_for, *self.find(asked_for)], document):
            asked = body
            if model != asked_for:
                asked = json.dumps({**document, "model": model}).encode()
            inner = with_length(scope, len(asked)) if asked is not body else scope
            if first is not None and self.name(model) != self.name(asked_for):
                trail.notice = said + announcement(self.name(asked_for), first, self.name(model))
            failure = await self.ask_one(inner, asked, receive, send, trail)
            if failure is None:
                return
            trail.failed(self.name(model), failure.status, failure.body)
            after = header(failure.headers, b"retry-after") or b""
            self.regions.failed(model, failure.status, after.decode("latin-1"))
            first = first or failure
            if not will_pass(failure.status):
                break
        if first is not None:
            await first.release(send)

    async def ask_one(
        self, scope: Scope, body: bytes, receive: Receive, send: Send, trail: Trail
    ) -> BufferedReply | None:
        """Ask one model; return its failure, or None if it has answered."""
        trail.begin()
        attempt = Attempt(send)
        await ask_with(self.app, scope, body, receive, attempt.send)
        return attempt.failure


def announcement(failed: str, failure: BufferedReply, answering: str) -> str:
    """Return what stands in front of the answer of a fallback, where a person reads it."""
    return f"[{failed} failed (HTTP {failure.status}): answered by {answering}]\n\n"


class Attempt:
    """A `send` that buffers a failure; an answer passes as it comes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.failure: BufferedReply | None = None

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on, or buffer it."""
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self.failure = BufferedReply(message)
        elif self.failure is None:
            await self._send(message)
        else:
            self.failure.add(message)


def with_trail(send: Send, trail: Trail) -> Send:
    """Return a `send` whose reply says what was done until it began."""

    async def pass_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], trail.header()]}
        await send(message)

    return pass_on


async def ask_with(app: App, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
    """Call an application with a body that was already read."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    await app(scope, receive_again, send)


def parse_request(body: bytes) -> dict[str, Any]:
    """Return the body as a JSON object; an empty one for anything else."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def will_pass(status: int) -> bool:
    """Tell whether a failure is temporary; LiteLLM reports a broken connection as a 500."""
    return status in PASSING or status >= 500


def with_length(scope: Scope, length: int) -> Scope:
    """Return the scope of a request whose body has a different length now."""
    headers: Headers = [*without(scope["headers"], LENGTH), (b"content-length", b"%d" % length)]
    return {**scope, "headers": headers}
