"""A reply that is buffered until it is complete, when the decision about it depends on all of it.

Knows: ASGI's two messages of a reply, and a size limit. Independent of: why it is buffered.
"""

from __future__ import annotations

from openclaude.gateway.http.asgi import Headers, Message, Send, without

LENGTH = frozenset({b"content-length"})
LIMIT = 4 * 1024 * 1024  # bytes; what is buffered are errors, the longest of which quote a request


class BufferedReply:
    """The start of a reply, and its body as far as it has arrived."""

    def __init__(self, start: Message, *, limit: int = LIMIT) -> None:
        self.start = start
        self.is_whole = False
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._is_cut = False

    @property
    def status(self) -> int:
        """The reply's status."""
        status: int = self.start["status"]
        return status

    @property
    def headers(self) -> Headers:
        """The reply's headers."""
        headers: Headers = self.start["headers"]
        return headers

    @property
    def body(self) -> bytes:
        """The buffered body, as far as it has arrived."""
        return b"".join(self._parts)

    @property
    def is_too_large(self) -> bool:
        """Whether the body exceeds the buffer; the rest is dropped."""
        return self._size > self._limit

    def add(self, message: Message) -> None:
        """Append the next part of the body."""
        part = message.get("body", b"")
        if self.is_too_large:
            self._is_cut = self._is_cut or bool(part)
        else:
            self._parts.append(part)
            self._size += len(part)
        self.is_whole = not message.get("more_body", False)

    async def release(self, send: Send) -> None:
        """Send what was buffered; if it is incomplete, the caller passes the rest on."""
        headers = without(self.headers, LENGTH) if self._is_cut else self.headers
        await send({**self.start, "headers": headers})
        await send(
            {"type": "http.response.body", "body": self.body, "more_body": not self.is_whole}
        )
