"""Counts in `providers`: asks Bedrock for the tokens of a request, or says that nobody counts.

Knows: that a count must neither fail nor delay a session, and who is asked in which order.
Independent of: LiteLLM (`litellm.counting` asks), what is counted of a request (`body`), what a
refusal means (`refusals`). `main` estimates whatever is not answered with 200.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from openclaude.gateway.counting.refusals import (
    LONGEST_SAID,
    Counter,
    CountRefused,
    Pauses,
)
from openclaude.gateway.http.asgi import (
    App,
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    answer_error,
    read_body,
    send_json,
)
from openclaude.gateway.http.disconnect import wait_while_present
from openclaude.gateway.requests.shape import read_object

log = logging.getLogger("openclaude.counting")

COUNT = "/v1/messages/count_tokens"
BODY_LIMIT = 100 * 1024 * 1024  # as of main
TIMEOUT_S = 4.0  # of one counter; main waits a little longer than for both
MOST_AT_ONCE = 8  # `/context` asks for nearly thirty counts at once, and AWS throttles
NOT_COUNTED = 501, "nobody counts the tokens of this model"
NOT_NOW = 503, "nobody counts the tokens of this model now"


class Countable:
    """A request that can be counted, and by whom."""

    def __init__(
        self, slot: str, counters: tuple[Counter, ...], ask: Callable[[Counter], Awaitable[int]]
    ) -> None:
        """`ask` returns the count of one of `counters`. It raises CountRefused."""
        self.slot = slot
        self.counters = counters
        self.ask = ask


class ProviderCounts:
    """An application that answers counts, and passes on everything else."""

    def __init__(
        self,
        app: App,
        find: Callable[[Mapping[str, Any]], Countable | None],
        *,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`find` returns how a request is counted; None for one that nobody can count."""
        self.app = app
        self._find = find
        self._timeout_s = timeout_s
        self._pauses = Pauses(clock)
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != COUNT:
            await self.app(scope, receive, send)
            return
        try:
            body = await read_body(receive, limit=BODY_LIMIT)
        except BodyTooLarge:
            await answer_error(send, 413, "request too large")
            return
        if body is None:
            return  # the client has left
        countable = self._find(read_object(body) or {})
        if countable is None:
            await answer_error(send, *NOT_COUNTED)
            return
        found = await wait_while_present(self.count(countable), receive)
        if found:
            await send_json(send, 200, b'{"input_tokens":%d}' % found)
        elif found is not None:
            await answer_error(send, *NOT_NOW)

    async def count(self, countable: Countable) -> int:
        """Return the tokens of a request; 0 where nobody counts them."""
        slot = countable.slot
        async with self._at_once:
            # by what the ones before it in a burst have been told
            while counter := self._pauses.next_for(slot, countable.counters):
                try:
                    async with asyncio.timeout(self._timeout_s):
                        return await countable.ask(counter)
                except TimeoutError:
                    refused = CountRefused(0, f"no answer within {self._timeout_s:g} s")
                except CountRefused as failure:
                    refused = failure
                if self._pauses.refused(slot, counter, refused):
                    said = ascii(refused.message[:LONGEST_SAID])[1:-1]
                    log.warning(
                        "%s: %s does not count its tokens (%d: %s)",
                        slot,
                        counter,
                        refused.status,
                        said,
                    )
                elif self._pauses.next_for(slot, countable.counters) is counter:
                    return 0  # it was about this request
        return 0
