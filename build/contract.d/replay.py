"""Send recorded requests to a running main, without claude, and check what reaches the upstreams.

Knows: what must be true of a request on each route. Independent of: who recorded it. Of Claude: the
same bytes at Anthropic. Of a slot: requests that botocore's service model and the stand-in's own
rules accept, with the bodies that were accepted before.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import lzma
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from exchanges import FILTERS, FOLDER, Exchange
from wire_names import is_slots

from openclaude.standins.anthropic.standin import AnthropicStandin
from openclaude.standins.base.exchange import Recorded
from openclaude.standins.bedrock.standin import BedrockStandin
from tests.e2e import raw

ACCEPTED = FOLDER / "converse"
# of a connection, or replaced by any proxy
OWN = frozenset({b"host", b"connection", b"accept-encoding", b"content-length"})
SHOWN_LINES = 12


class Upstreams(NamedTuple):
    """A running main, and both clouds behind it."""

    port: int
    key: str
    oauth: str  # the login that the stand-in admits
    anthropic: AnthropicStandin
    bedrock: BedrockStandin


class Replayed(NamedTuple):
    """The result of one request."""

    exchange: Exchange
    status: int
    problems: tuple[str, ...]
    converse: tuple[Any, ...] | None  # bodies at Bedrock; None for a request of Claude's


def replay(exchanges: Iterable[Exchange], to: Upstreams) -> Iterator[Replayed]:
    """Send each request of the Messages API once."""
    for one in exchanges:
        if one.body and one.target.startswith("/v1/messages"):
            yield send(one, to)


def send(one: Exchange, to: Upstreams) -> Replayed:
    """Send one request, and check what arrived."""
    to.anthropic.clear()
    to.bedrock.clear()
    login = f"Bearer {to.oauth}"
    headers = tuple(
        (name.encode(), (login if name.lower() == "authorization" else value).encode("latin-1"))
        for name, value in one.headers
    )
    body = one.body.encode()
    keyed = raw.with_key(headers, to.key)
    reply = raw.ask(to.port, keyed, body, target=one.target, method=one.method)
    if is_slots(one.model) and not is_lent(one, to):
        problems = tuple(slot_problems(to))
        bodies = tuple(request.json() for request in to.bedrock.requests)
        # a refusal by Claude is accepted, whatever its message
        converse = bodies or ({"refused": reply.status},)
        return Replayed(one, reply.status, problems, converse)
    sent = to.anthropic.requests[0].body if is_lent(one, to) else body
    return Replayed(one, reply.status, tuple(raw_problems(to, headers, sent)), None)


def is_lent(one: Exchange, to: Upstreams) -> bool:
    """Tell whether Claude answers in place of a slot, as only Anthropic's servers can do.

    Of the body only the model's value may differ then.
    """
    if not is_slots(one.model) or len(to.anthropic.requests) != 1:
        return False
    body = to.anthropic.requests[0].body
    model = str(json.loads(body).get("model"))
    return model.startswith("claude-") and body == one.body.replace(one.model, model, 1).encode()


def raw_problems(to: Upstreams, headers: raw.Headers, body: bytes) -> Iterator[str]:
    """Return what differs from what was sent."""
    if to.bedrock.requests:
        yield "a request of Claude's reached a provider"
    requests = to.anthropic.requests
    if len(requests) != 1:
        yield f"{len(requests)} requests reached Anthropic"
        return
    if requests[0].body != body:
        yield "the body that reached Anthropic is another"
    sent, arrived = essential(headers), essential(requests[0].headers)
    yield from (f"header `{name}` did not arrive" for name in sorted(sent - arrived))
    yield from (f"header `{name}` was added" for name in sorted(arrived - sent))


def essential(headers: Iterable[tuple[bytes, bytes]]) -> Counter[str]:
    """Return headers as HTTP sees them, except those of a connection."""
    return Counter(
        f"{name.lower().decode()}: {value.decode('latin-1')}"
        for name, value in headers
        if name.lower() not in OWN
    )


def slot_problems(to: Upstreams) -> Iterator[str]:
    """Return Bedrock's problems with a slot's requests, and what must not have been sent there."""
    if to.anthropic.requests:
        yield "a request of a slot reached Anthropic"
    for request in to.bedrock.requests:
        if not request.signed_by:
            yield "a request was not signed"
        yield from (one for one in request.problems if not one.startswith("note: "))
        if leaks(request, to.oauth):
            yield "the plan's login reached a provider"


def leaks(request: Recorded, secret: str) -> bool:
    """Tell whether a request contains a secret."""
    values = b"\n".join(value for _, value in request.headers)
    return secret.encode() in values + request.body


# Bodies that were accepted -----------------------------------------------------------------------


def digest(one: Exchange) -> str:
    """Return a request's identity: a changed request is a new one, not a changed answer."""
    text = json.dumps([one.method, one.target, one.body])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def accepted(version: str, folder: Path = ACCEPTED) -> dict[str, Any]:
    """Return the accepted bodies of one version's requests; empty if there are none."""
    path = folder / f"{version}.json.xz"
    return dict(json.loads(lzma.decompress(path.read_bytes()))) if path.exists() else {}


def accept(version: str, bodies: Mapping[str, Any], folder: Path = ACCEPTED) -> None:
    """Accept these bodies."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(bodies, separators=(",", ":"), sort_keys=True)
    path = folder / f"{version}.json.xz"
    path.write_bytes(lzma.compress(text.encode(), filters=FILTERS))


def changes(before: Any, after: Any) -> str:
    """Return the first few lines in which two bodies differ."""
    was, now = (
        json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
        for body in (before, after)
    )
    lines = [
        line[:160]
        for line in difflib.unified_diff(was, now, "accepted", "now", n=0, lineterm="")
        if not line.startswith("@@")
    ]
    more = len(lines) - SHOWN_LINES
    return "\n".join([*lines[:SHOWN_LINES], *([f"... and {more} lines more"] if more > 0 else [])])
