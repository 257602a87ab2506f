"""Server-sent events by their specification: parsed from a byte stream, and written.

Knows: where a line and an event end, its name and data, how to write one. Independent of: what an
event means. Specification: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

# A line ends with CR, LF or CRLF only, and an event ends with an empty line. After a CR the event
# is complete: an LF that follows belongs to the same line end and is put at the start of the next
# frame. So nobody waits for it, and the frames do not depend on where the network splits.
EVENT_END = re.compile(rb"\n[\r\n]|\r\r")
BOM = b"\xef\xbb\xbf"
LIMIT = 32 * 1024 * 1024  # largest event in bytes; a whole file written by one tool call fits
ERROR = "error"


class EventTooLarge(Exception):
    """An event is larger than the reader's limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a server-sent event is longer than {limit} bytes")


class ServerSentEvent(NamedTuple):
    """The name and the data of a frame."""

    name: str
    data: str


class EventReader:
    """Splits chunks into frames, wherever the network cut them; buffers less than one event.

    A frame is the bytes of an event up to the end of the empty line that ends it. All frames and
    the rest together are the stream, except for a byte order mark at its start.
    """

    def __init__(self, *, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held = bytearray()
        self._searched = 0  # no event ends before this offset
        self._has_begun = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Return the frames that this chunk completes.

        Raises EventTooLarge, after yielding the frames before that event.
        """
        self._held += chunk
        if not self._has_begun and not self._begin():
            return
        while found := EVENT_END.search(self._held, self._searched):
            frame = bytes(self._held[: found.end()])
            del self._held[: found.end()]
            self._searched = 0
            self._check(len(frame))
            yield frame
        self._searched = max(len(self._held) - 1, 0)
        self._check(len(self._held))

    def may_pass(self, chunk: bytes) -> bool:
        """Tell whether a chunk is whole events and follows whole events: it need not be split then.

        Most chunks are, and this saves a third of the parsing work.
        """
        is_between = self._has_begun and not self._held
        return is_between and chunk.endswith(b"\n\n") and len(chunk) <= self._limit

    def rest(self) -> bytes:
        """Return what is left when a stream ends inside an event."""
        rest = bytes(self._held)
        self._held.clear()
        self._searched = 0
        return rest

    def _begin(self) -> bool:
        """Remove the byte order mark; False while more bytes are needed to recognise it."""
        if len(self._held) < len(BOM) and BOM.startswith(self._held):
            return False
        if self._held.startswith(BOM):
            del self._held[: len(BOM)]
        self._has_begun = True
        return True

    def _check(self, length: int) -> None:
        if length > self._limit:
            raise EventTooLarge(self._limit)


def parse_frame(frame: bytes) -> ServerSentEvent | None:
    """Parse the event in a frame; None for one without data, such as a comment.

    `id` and `retry` matter only to clients that reconnect, and ours do not.
    """
    if b"\r" in frame:
        frame = frame.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    name, data = b"", []
    for line in frame.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    if not data:
        return None
    text = b"\n".join(data).decode(errors="replace")
    return ServerSentEvent(name.decode(errors="replace") or "message", text)


def read_event(frame: bytes) -> dict[str, Any] | None:
    """Return the JSON object of an event, or None if the frame contains none."""
    event = parse_frame(frame)
    try:
        document = json.loads(event.data) if event and event.data else None
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def write_event(event: Mapping[str, Any]) -> bytes:
    """Write an event in Anthropic's format: the type as its name, then the JSON on one line."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
