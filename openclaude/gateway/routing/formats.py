"""A formatted answer that a server refuses to write is asked for in words, the next time at once.

Knows: which failures may be the refusal of a format. Independent of: how the wish is said (a
function does it), LiteLLM, providers: behind one address there may be any server, so that no table
of names could tell (reported: llm-exe#662, khoj#1336, Vane#969).
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from openclaude.gateway.http.asgi import App, Receive, Scope, Send, read_body
from openclaude.gateway.http.buffered import BufferedReply
from openclaude.gateway.routing.fallbacks import (
    BODY_LIMIT,
    Attempt,
    ask_with,
    parse_request,
    with_length,
)

log = logging.getLogger("openclaude.formats")

# Whatever a bad request is blamed on: some servers name no key ("Extra inputs are not permitted")
BAD_REQUEST = frozenset({400, 422})
# The statuses of servers that fail at it: no endpoint has it (OpenRouter), not implemented, a
# grammar that cannot be compiled (vLLM)
OTHERS = frozenset({404, 405, 424, 500, 501, 503})
NAMES = re.compile(
    rb"response_?format|json_?schema|output_?(?:config|format)|text\.format|response_?(?:json_?)?"
    rb"schema|structured|guided|grammar|requested parameters",
    re.IGNORECASE,
)
# A body with the wish: most have an effort only, and are not parsed here
WISH = re.compile(rb'"output_config"\s*:\s*\{(?:[^{}]|\{[^{}]*\})*?"format"\s*:')


class Formats:
    """An application that asks another one again, in words."""

    def __init__(
        self,
        app: App,
        in_words: Callable[[Mapping[str, Any]], dict[str, Any] | None],
        *,
        paths: frozenset[str],
    ) -> None:
        """`in_words` gives a request with its wish in words, None for one without."""
        self.app = app
        self.in_words = in_words
        self.paths = paths
        self._refused: set[str] = set()  # the slots that refused it and answered to words

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self.paths:
            await self.ask(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As it is, and in words where that fails."""
        body = await read_body(receive, limit=BODY_LIMIT)
        if body is None:
            return  # the client left
        document = parse_request(body) if WISH.search(body) else {}
        said = self.in_words(document)
        slot = str(document.get("model"))
        if said is None:
            await ask_with(self.app, scope, body, receive, send)
            return
        words = json.dumps(said).encode()
        if slot in self._refused:
            await ask_with(self.app, with_length(scope, len(words)), words, receive, send)
            return
        first = Attempt(send)
        await ask_with(self.app, scope, body, receive, first.send)
        if first.failure is None:
            return
        if not may_be_refusal(first.failure):
            await first.failure.release(send)
            return
        second = Attempt(send)
        await ask_with(self.app, with_length(scope, len(words)), words, receive, second.send)
        if second.failure is not None:
            await first.failure.release(send)
            return
        self._refused.add(slot)
        log.warning("%s refused a formatted answer; it is asked for in words from now on", slot)


def may_be_refusal(failure: BufferedReply) -> bool:
    """Whether a failure may be a format's that the server does not know."""
    if failure.status in BAD_REQUEST:
        return True
    return failure.status in OTHERS and bool(NAMES.search(failure.body))
