"""Reads off a reply, as it passes, what the ledger says of its request.

Knows: where Anthropic's reply, whole or streamed, has its model, usage and error; what tokens cost.
Independent of: where entries are stored, how a request is routed. No byte is changed or held back:
the beginning and the end of a reply are kept, and are read in another thread when it is over.
"""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol
from urllib.parse import unquote

import orjson

from openclaude.contracts.local_request import FOLDER_HEADER
from openclaude.contracts.routing import AnthropicAuth, ModelPrices, RoutingTable
from openclaude.gateway.http.asgi import Headers, Message, Send, header
from openclaude.gateway.http.sse import EventReader, parse_frame
from openclaude.gateway.http.trail import read_trail
from openclaude.ledger.entry import RequestEntry, Via

KEPT = 64 * 1024  # bytes of a reply's beginning, and of its end
WHOLE = 8 * 1024 * 1024  # a reply that is not a stream is read only up to this size
SESSION, AGENT = b"x-claude-code-session-id", b"x-claude-code-agent-id"
AGENT_TYPE = b"x-claude-code-agent-type"
LONGEST_NAME = 200  # of what others say: a name, an id
LONGEST_FOLDER = 1000
LIMIT = "rate_limit_error"
MOST_NOTED = 30  # attempts, and changes
FOLDER = FOLDER_HEADER.encode()
QUOTA = b"anthropic-ratelimit-unified-"
TIERS = ("opus", "sonnet", "haiku", "fable")
TOKENS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


class Meter:
    """The `send` of one request, which keeps what its entry needs."""

    def __init__(self, send: Send, table: RoutingTable, asked: str, headers: Headers) -> None:
        self._send = send
        self._table = table
        self._asked = asked
        self._request = headers
        self.via = Via.API_KEY if table.auth is AnthropicAuth.API_KEY else Via.PLAN
        self.tier = next((tier for tier in TIERS if tier in asked), "")
        self._at = time.time()
        self._began = time.monotonic()
        self._first: float | None = None
        self._status = 0
        self._headers: Headers = []
        self._trail: Headers = []  # what `providers` says of its part
        self._tried: list[dict[str, Any]] = []  # those that failed before `providers` was asked
        self._is_stream = False
        self._is_whole = False
        self._head: list[bytes] = []
        self._head_size = 0
        self._tail: deque[bytes] = deque()
        self._tail_size = 0

    def is_for(self, slot: str) -> None:
        """Note that the request is a slot's, whatever model it asks for."""
        self.via = Via.SLOT
        self.tier = next((tier for tier in TIERS if tier in slot), "")

    def beside(self, send: Send, asked: str) -> Meter:
        """Return the meter of a request that is made for this one, to the model `asked`."""
        meter = Meter(send, self._table, asked, self._request)
        meter.via, meter.tier = Via.EYES, self.tier
        return meter

    @property
    def session(self) -> str:
        """Claude's own id of the session."""
        return named(header(self._request, SESSION))

    @property
    def is_answered(self) -> bool:
        """Whether the request has an answer."""
        return self._status == 200

    def heard(self, headers: Headers) -> None:
        """Keep the headers of a slot's reply that claude does not get."""
        self._trail = [(name.lower(), value) for name, value in headers]

    def tried(self, model: str, status: int) -> None:
        """Note that the plan's limit kept a model from answering, before another one is asked."""
        ms = round(1000 * (time.monotonic() - self._began))
        self._tried.append({"model": model, "status": status, "error": LIMIT, "ms": ms})

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on, and keep what is needed of it."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [(name.lower(), value) for name, value in message["headers"]]
            self._is_stream = header(self._headers, b"content-type").startswith(b"text/event")
        else:
            body = message.get("body", b"")
            if body:
                if self._first is None:
                    self._first = time.monotonic()
                self._keep(body)
            self._is_whole = not message.get("more_body", False)
        await self._send(message)

    def _keep(self, body: bytes) -> None:
        limit = KEPT if self._is_stream else WHOLE
        if self._head_size < limit:
            self._head.append(body)
            self._head_size += len(body)
            return
        self._tail.append(body)
        self._tail_size += len(body)
        while self._tail_size - len(self._tail[0]) >= KEPT:
            self._tail_size -= len(self._tail.popleft())

    def entry(self, ended: float) -> RequestEntry:
        """Return the entry of a request that ended at this time of the monotonic clock."""
        head, tail = b"".join(self._head), b"".join(self._tail)
        found = read_stream(head, tail) if self._is_stream else read_whole(head)
        answered = named(found.get("model"))
        prices = self._table.models.get(answered)
        is_slots = self.via in (Via.SLOT, Via.ON_LIMIT, Via.BUDGET, Via.EYES)
        usage = [count(found.get("usage"), name) for name in TOKENS]
        headers = self._headers
        trail = read_trail(self._trail) if is_slots else {}
        attempts = [attempt(one) for one in (*self._tried, *many(trail.get("attempts")))]
        return RequestEntry(
            at=self._at,
            profile=self._table.profile,
            session=self.session,
            agent=named(header(self._request, AGENT_TYPE) or header(self._request, AGENT)),
            tier=self.tier,
            via=self.via,
            asked=named(self._asked),
            answered=answered,
            provider=prices.provider if prices and is_slots else "" if is_slots else "anthropic",
            region=prices.region if prices and is_slots else "",
            is_fallback=int(bool(is_slots and prices and prices.is_fallback)),
            status=self._status,
            error=named(found.get("error")),
            is_cut=int(not self._is_whole or bool(self._is_stream and not found.get("is_over"))),
            first_ms=None if self._first is None else round(1000 * (self._first - self._began)),
            total_ms=round(1000 * (ended - self._began)),
            tokens_in=usage[0],
            tokens_out=usage[1],
            cache_read=usage[2],
            cache_write=usage[3],
            dollars=dollars(prices, *usage) if is_slots and prices else None,
            priced_by=source(prices) if is_slots and prices else "",
            request_id=named(trail.get("request_id") or header(headers, b"request-id")),
            used_5h=number(headers, b"5h-utilization"),
            used_7d=number(headers, b"7d-utilization"),
            resets_5h=whole(number(headers, b"5h-reset")),
            resets_7d=whole(number(headers, b"7d-reset")),
            project=named(folder(header(self._request, FOLDER)), longest=LONGEST_FOLDER),
            attempts=json.dumps(attempts) if attempts else "",
            agent_id=named(header(self._request, AGENT)),
            changes="\n".join(filter(None, map(named, many(trail.get("changes"))))),
        )


class Sight(Protocol):
    """Who describes images for a slot that cannot see them."""

    async def see(
        self, slot: str, document: dict[str, Any], meter: Meter, note: Callable[[Meter], None]
    ) -> dict[str, Any]:
        """Return a slot's request with words in place of images, else the same object."""


class TokenCounts(Protocol):
    """Who has a slot's provider count."""

    async def count(self, slot: str, document: dict[str, Any]) -> int:
        """Return the tokens of a request; 0 where nobody but LiteLLM can say."""


def read_whole(body: bytes) -> dict[str, Any]:
    """Return model, usage and error of a reply that is one JSON document."""
    document = parsed(body)
    error = document.get("error")
    return {
        "model": document.get("model"),
        "usage": document.get("usage"),
        "error": error.get("type") if isinstance(error, dict) else None,
    }


def read_stream(head: bytes, tail: bytes) -> dict[str, Any]:
    """Return the same of a stream, by its beginning and its end, and whether it has its end."""
    found: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    for frame in (*framed(beginning(head)), *framed(ending(tail or head))):
        if b"message_" not in frame and b"error" not in frame:
            continue
        event = parse_frame(frame)
        document = parsed(event.data.encode()) if event is not None else {}
        match document.get("type"):
            case "message_start":
                message = document.get("message")
                message = message if isinstance(message, dict) else {}
                found["model"] = message.get("model")
                usage |= known(message.get("usage"))
            case "message_delta":
                usage |= known(document.get("usage"))
            case "message_stop":
                found["is_over"] = True
            case "error":
                error = document.get("error")
                found["error"] = error.get("type") if isinstance(error, dict) else "error"
                found["is_over"] = True
    return {**found, "usage": usage}


def framed(part: bytes) -> list[bytes]:
    """Return the events of a part of a stream; the first and the last may be cut."""
    reader = EventReader()
    return [*reader.feed(part), reader.rest()]


def beginning(part: bytes) -> bytes:
    """Return a stream up to the end of its first event that speaks of `message_start`.

    Each event costs a few microseconds to read, and a reply has hundreds in which nothing is found.
    """
    end = part.find(b"\n\n", max(part.find(b"message_start"), 0))
    return part if end < 0 else part[: end + 2]


def ending(part: bytes) -> bytes:
    """Return a stream from its last `message_delta` on; without one, from what may be an error."""
    last = max(part.rfind(b"message_delta"), 0) or max(part.rfind(b"error"), 0)
    last = last or max(part.rfind(b"message_stop"), 0)
    return part[part.rfind(b"\n\n", 0, last) + 1 :]


def known(usage: object) -> dict[str, Any]:
    """Return those counts of a usage that are given."""
    return {k: v for k, v in usage.items() if v is not None} if isinstance(usage, dict) else {}


def parsed(body: bytes) -> dict[str, Any]:
    """Return a JSON object; empty if it is anything else."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def count(usage: object, name: str) -> int | None:
    """Return a number of tokens, or None if it is not given or cannot be one."""
    value = usage.get(name) if isinstance(usage, dict) else None
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if is_count else None


def many(value: object) -> list[Any]:
    """Return a list, not too long a one; an empty one for anything else."""
    return value[:MOST_NOTED] if isinstance(value, list) else []


def attempt(found: object) -> dict[str, Any]:
    """Return what is known of a model that was asked and failed."""
    found = found if isinstance(found, dict) else {}
    return {
        "model": named(found.get("model")),
        "status": count(found, "status") or 0,
        "error": named(found.get("error")),
        "ms": count(found, "ms") or 0,
    }


def folder(header: bytes) -> str:
    """Return a folder's path that was percent-encoded."""
    return unquote(header.decode("latin-1"), errors="replace")


def named(text: object, *, longest: int = LONGEST_NAME) -> str:
    """Return a name that was chosen elsewhere, without what cannot be printed, and not too long."""
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    if not isinstance(text, str):
        return ""
    return "".join(one for one in text[:longest] if one.isprintable())


def number(headers: Headers, name: bytes) -> float | None:
    """Return a number from one of Anthropic's headers about the plan, or None."""
    try:
        value = float(header(headers, QUOTA + name))
    except ValueError:
        return None
    return value if 0 <= value < 2**53 else None  # neither NaN nor infinite


def whole(value: float | None) -> int | None:
    """Return a number as a whole one."""
    return None if value is None else int(value)


def source(prices: ModelPrices) -> str:
    """Return whose prices they are, with the version of LiteLLM's list."""
    return f"litellm {litellm()}" if prices.priced_by == "litellm" else prices.priced_by


@cache
def litellm() -> str:
    """Return the version of LiteLLM that is installed."""
    return importlib.metadata.version("litellm")


def dollars(
    prices: ModelPrices,
    tokens_in: int | None,
    tokens_out: int | None,
    cache_read: int | None,
    cache_write: int | None,
) -> float | None:
    """Return what a request cost, or None if a price or a count that it needs is not known.

    A step holds for the whole request, by the size of its prompt. Without a price of their own,
    tokens of a cache cost as others do.
    """
    if tokens_in is None or tokens_out is None:
        return None
    prompt = tokens_in + (cache_read or 0) + (cache_write or 0)
    steps = [step for step in prices.steps if prompt > step.above]
    step = max(steps, key=lambda one: one.above, default=None)
    each_in = prices.input if step is None or step.input is None else step.input
    each_out = prices.output if step is None or step.output is None else step.output
    if each_in is None or each_out is None:
        return None
    each_read = each_in if prices.cache_read is None else prices.cache_read
    each_write = each_in if prices.cache_write is None else prices.cache_write
    return (
        tokens_in * each_in
        + tokens_out * each_out
        + (cache_read or 0) * each_read
        + (cache_write or 0) * each_write
    )
