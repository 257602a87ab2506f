"""What `providers` did for a request, in a header of its reply that only `main` reads.

And in one of the request, what `main` wants to be said in front of the answer.

Knows: the header, and that no text of a request, a reply or an error is in it. Independent of: who
notes what, LiteLLM. It says which models failed, what was changed in the request for
the one that answered, and under which id its provider knows the request.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote, unquote

from openclaude.gateway.http.asgi import Headers, header

HEADER = b"x-openclaude-trail"
NOTICE = b"x-openclaude-notice"  # of main's: what stands before the answer, percent-encoded
MOST = 20  # of changes and of attempts
LONGEST = 200  # characters of each text: a name, an id
KIND = re.compile(r"[a-z_]{1,40}")  # a word of Anthropic's for a kind of error
# how providers call the id of a request in the headers of a reply
REQUEST_IDS = ("x-amzn-requestid", "x-request-id", "request-id", "apim-request-id", "cf-ray")


class Trail:
    """What is noted while one request is answered."""

    def __init__(self, notice: str = "") -> None:
        """`notice`: what `main` wants to be said in front of the answer."""
        self.notice = notice
        self.attempts: list[dict[str, Any]] = []  # those that failed: model, status, error, ms
        self.changes: list[str] = []
        self.request_id = ""
        self._since = 0.0

    def begin(self) -> None:
        """Note that a model is asked: what was changed for the one before does not count."""
        self.changes = []
        self.request_id = ""
        self._since = time.monotonic()

    def failed(self, model: str, status: int, body: bytes) -> None:
        """Note that it failed, with the kind of its error."""
        ms = round(1000 * (time.monotonic() - self._since))
        self.attempts.append(
            {"model": cut(model), "status": status, "error": kind_of(body), "ms": ms}
        )

    def header(self) -> tuple[bytes, bytes]:
        """Return it as a header."""
        said = {
            "attempts": self.attempts[:MOST],
            "changes": [cut(change) for change in self.changes[:MOST]],
            "request_id": cut(self.request_id),
        }
        text = json.dumps({name: value for name, value in said.items() if value})
        return HEADER, text.encode("ascii")


CURRENT: ContextVar[Trail | None] = ContextVar("openclaude_trail", default=None)


@contextlib.contextmanager
def leaving_trail(headers: Headers = []) -> Iterator[Trail]:  # noqa: B006 - never changed
    """Keep a trail of a request in this context, and in tasks that are started in it."""
    trail = Trail(unquote(header(headers, NOTICE).decode("latin-1")))
    before = CURRENT.set(trail)
    try:
        yield trail
    finally:
        CURRENT.reset(before)


def announcing(notice: str) -> Headers:
    """Return the header by which `main` has something said in front of the answer."""
    return [(NOTICE, quote(notice).encode())] if notice else []


def notice() -> str:
    """Return what `main` wants to be said in front of the answer, or ""."""
    trail = CURRENT.get()
    return trail.notice if trail else ""


def note_changes(changes: Iterable[str]) -> None:
    """Note what was changed in a request, if a trail is kept."""
    if trail := CURRENT.get():
        trail.changes = [*changes]


def note_reply(headers: Iterable[tuple[str, str]]) -> None:
    """Note the provider's id of a request, by the headers of its reply."""
    if trail := CURRENT.get():
        found = {name.lower(): value for name, value in headers}
        trail.request_id = next((found[name] for name in REQUEST_IDS if name in found), "")


def read_trail(headers: Headers) -> dict[str, Any]:
    """Return what a reply's header says; nothing if there is none, or one that cannot be read."""
    try:
        found = json.loads(header(headers, HEADER) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def kind_of(body: bytes) -> str:
    """Return the kind of an error, as far as its document has a word of Anthropic's for it."""
    try:
        kind = json.loads(body)["error"]["type"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return kind if isinstance(kind, str) and KIND.fullmatch(kind) else ""


def cut(text: str) -> str:
    """Return a text that is not too long, without what cannot be printed."""
    return "".join(one for one in text[:LONGEST] if one.isprintable())
