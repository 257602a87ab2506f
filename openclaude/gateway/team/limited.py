"""Limits and an account of each person's requests, in front of a server's models.

Knows: what is said to whom is kept out, and in which status; the line of the log for each request.
Independent of: who is let in (`people`), who counts (`counts`, `shared`), LiteLLM. Waiting helps
with a minute's and with parallel requests: 429, which claude sends again after the time it is told.
It does not help with money: 424, which claude shows at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import secrets
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from openclaude.contracts.anthropic_error import USER_MUST_FIX, AnthropicError
from openclaude.contracts.routing import RoutingTable
from openclaude.contracts.team.people import Person
from openclaude.gateway.http.asgi import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    before_the_end,
    send_error,
)
from openclaude.gateway.http.shutdown import run_until_answered
from openclaude.gateway.routing.meter import Meter, dollars
from openclaude.gateway.team.counts import NANO, Count, Limit, Reached, Use, left_of, use_of
from openclaude.gateway.team.people import PERSON
from openclaude.gateway.team.served import ASKED, AskedModel
from openclaude.ledger.audit import AUDIT
from openclaude.ledger.entry import RequestEntry

TURN_S = 10.0  # for so long a request waits for its turn before it is refused
LOOK_S = 0.2
MOST_WAITING = 20  # requests of one person, in this process
KEEP_AGAIN_S = 5.0
AGAIN_S = 5  # after how long claude is to ask again for a turn
DELTA = b"event: content_block_delta"
DELTA_BYTES = 140  # of the event of a piece, besides its text
BYTES_A_TOKEN = 6  # of an answer: a letter of Chinese, which is about a token, is `\u4f60`


class LimitedUse:
    """An application whose requests are counted, priced and written down, by person."""

    def __init__(
        self,
        app: App,
        count: Count,
        table: RoutingTable,
        note: Callable[[str], None],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`table` has the prices; `note` gets a line for each request."""
        self.app = app
        self.count = count
        self.table = table
        self.note = note
        self.now = now
        self._waiting: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        person = scope.pop(PERSON, None)
        if isinstance(person, Person):
            await self.request(person, scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the count while the instance serves."""
        keeping = asyncio.create_task(self.keep())

        async def end() -> None:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping
            await self.count.close()

        await self.app(scope, receive, before_the_end(send, end))

    async def keep(self) -> None:
        """Keep the count until cancelled: a failure is noted once, and does not end it."""
        said = ""
        while True:
            try:
                await self.count.keep()
            except Exception as error:  # noqa: BLE001 - of whatever kind: budgets hold on
                if said != (said := f"{type(error).__name__}: {error}"):
                    self.note(f"what people have spent is not kept now: {said}")
                await asyncio.sleep(KEEP_AGAIN_S)
            else:
                return  # nothing is ever due

    async def request(self, person: Person, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request if no limit keeps it out."""
        at = self.now()
        use = use_of(person.name, secrets.token_hex(8), at)
        reply = CountedReply(send)
        meter = Meter(reply.send, self.table, "", scope["headers"])
        meter.is_for("")
        reached = None
        try:
            reached = await self.turn(person, use)
            if reached is not None:
                await send_error(meter.send, refusal(person, reached, at))
            else:
                await run_until_answered(self.app, scope, receive, meter.send)
        finally:
            asked = scope.get(ASKED, AskedModel("", 0))
            entry = self.priced(meter.entry(time.monotonic()), asked, reply.tokens)
            if reached is None:
                await self.count.leave(use, round((entry.dollars or 0.0) * NANO))
            self.note(audit_line(person.name, scope, entry, reached))

    async def turn(self, person: Person, use: Use) -> Reached | None:
        """Have a request counted; one that only waits for another's end waits for a while.

        claude's subagents ask at the same time, and most of what they ask is soon answered.
        """
        until = time.monotonic() + TURN_S
        reached = await self.count.enter(person, use)
        if self._waiting[person.name] >= MOST_WAITING:
            return reached
        self._waiting[person.name] += 1
        try:
            while reached and reached.limit is Limit.PARALLEL and time.monotonic() < until:
                await asyncio.sleep(LOOK_S)
                reached = await self.count.enter(person, use)
        finally:
            self._waiting[person.name] -= 1
        return reached

    def priced(self, entry: RequestEntry, asked: AskedModel, said: int) -> RequestEntry:
        """The entry of a request with what it has cost; about `said` tokens went to the client.

        Where the client has left, or an error has ended the answer, nobody has said how many tokens
        that were, and the provider wants to be paid all the same. It is estimated, so that leaving
        early is not for free.
        """
        entry = entry._replace(asked=asked.model)
        is_broken = entry.is_cut or (entry.error and said)
        is_unsaid = is_broken and entry.status in (0, 200) and asked.tokens
        prices = self.table.models.get(entry.answered or asked.model)
        if not is_unsaid or prices is None:
            return entry
        told = (entry.tokens_in, entry.cache_read, entry.cache_write)
        tokens_in = entry.tokens_in if any(told) else asked.tokens
        tokens_out = max(entry.tokens_out or 0, said)
        cost = dollars(prices, tokens_in or 0, tokens_out, entry.cache_read, entry.cache_write)
        return entry._replace(tokens_in=tokens_in, tokens_out=tokens_out, dollars=cost)


class CountedReply:
    """A `send` that estimates the tokens of a stream: by its pieces, and by how long they are.

    A provider's piece is a token or a whole page.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._deltas = 0
        self._size = 0  # bytes since the first of them

    @property
    def tokens(self) -> int:
        """About how many tokens have passed; 0 for a reply that is not a stream."""
        text = self._size - self._deltas * DELTA_BYTES
        return max(self._deltas, text // BYTES_A_TOKEN)

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        body = message.get("body", b"")
        first = 0 if self._deltas else body.find(DELTA)
        if first >= 0:
            self._size += len(body) - first
            self._deltas += body.count(DELTA)
        await self._send(message)


def refusal(person: Person, reached: Reached, at: float) -> AnthropicError:
    """What the person is told: which limit it is, and when there is room again.

    The words are such that no `main` takes them for a provider's that waiting does not help with.
    """
    limits = person.limits
    match reached.limit:
        case Limit.MINUTE:
            wait_s = max(1, math.ceil(reached.wait_s))
            return AnthropicError(
                429,
                f"openclaude: {limits.rpm} requests in a minute are allowed for your key, and you "
                f"have sent them; the next one can go in {wait_s} s",
                str(wait_s),
            )
        case Limit.PARALLEL:
            return AnthropicError(
                429,
                f"openclaude: {limits.parallel} requests at the same time are allowed for your "
                "key, and as many are under way; the next one can go when one of them has ended",
                str(AGAIN_S),
            )
    return AnthropicError(USER_MUST_FIX, used_up(person, reached, at))


def used_up(person: Person, reached: Reached, at: float) -> str:
    """The sentence for a budget."""
    limits, limit = person.limits, reached.limit
    of, spent, begins = (
        (limits.day, "today", "00:00")
        if limit is Limit.DAY
        else (limits.month, "this month", "00:00 on the 1st")
    )
    return (
        f"openclaude: your budget of ${of:.2f} for a {limit} at this server is used up: your "
        f"requests have cost ${reached.spent:.2f} {spent}. It begins anew at {begins} UTC, in "
        f"{in_words(left_of(limit, at))}. Whoever runs the server can raise it: `openclaude team "
        f"limit {person.name} --keys FILE --{limit} DOLLARS`"
    )


def in_words(seconds: float) -> str:
    """A time that is left."""
    minutes = max(1, math.ceil(seconds / 60))
    days, hours = minutes // 1440, minutes // 60
    if days >= 2:
        return f"{days} days"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def audit_line(name: str, scope: Scope, entry: RequestEntry, reached: Reached | None) -> str:
    """What the log says of a request: whose it was and what it has used, and no word of it."""
    said = {
        "at": f"{datetime.fromtimestamp(entry.at, tz=UTC):%Y-%m-%dT%H:%M:%SZ}",
        "person": name,
        "peer": str((scope.get("client") or ("?",))[0]),
        "route": f"{scope['method']} {scope['path']}",
        "model": entry.answered or entry.asked,
        "status": entry.status,
        "ms": entry.total_ms,
        "tokens_in": entry.tokens_in,
        "tokens_out": entry.tokens_out,
        "cache_read": entry.cache_read,
        "cache_write": entry.cache_write,
        "usd": None if entry.dollars is None else round(entry.dollars, 9),
        "is_cut": bool(entry.is_cut),
        "limit": reached.limit if reached else None,
    }
    return f"{AUDIT} {json.dumps(said)}"
