"""One request as it arrived and one reply as it will be sent: plain frozen data.

Knows: what a test needs to see of a request, and every way to send a reply. Independent of:
sockets, and the content of any API.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A request as it was sent: no line folding, decoding or sorting."""

    method: str
    target: str  # path and query, still percent-encoded
    headers: tuple[tuple[bytes, bytes], ...]  # names in their original case and order
    body: bytes
    at: float  # time.monotonic() when its last byte was read

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """Return the first value of a header, ignoring case; None if it was not sent."""
        wanted = name.lower().encode()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value.decode("latin-1")
        return None

    def json(self) -> Any:
        """Return the body, decoded."""
        return json.loads(self.body)

    def as_json(self) -> dict[str, object]:
        """Return the request as one line of a record file."""
        return {
            "method": self.method,
            "target": self.target,
            "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in self.headers],
            "body": base64.b64encode(self.body).decode(),
            "at": self.at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a streamed reply, and the pause before it in seconds."""

    content: bytes
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to send: a body with a content-length, or chunks one after the other."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | tuple[Chunk, ...] = b""
    wait_s: float = 0.0  # seconds before the first byte
    cut: bool = False  # close instead of ending the reply; without a body, before it starts

    @property
    def content(self) -> bytes:
        """The whole body, however it is sent."""
        if isinstance(self.body, bytes):
            return self.body
        return b"".join(chunk.content for chunk in self.body)


def json_reply(
    status: int, document: object, *, headers: tuple[tuple[str, str], ...] = (), wait_s: float = 0.0
) -> Reply:
    """Return a reply with one JSON document."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Reply(
        status=status,
        headers=(("content-type", "application/json"), *headers),
        body=body,
        wait_s=wait_s,
    )
