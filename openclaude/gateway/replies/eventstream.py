"""AWS's event stream, in which Bedrock sends a reply.

Knows: the framing (lengths, headers, two checksums), which of its messages are exceptions.
Independent of: what an event means. Pure.

    total length u32 | headers length u32 | CRC32 of both | headers | payload | CRC32 of all
    header: name length u8 | name | type u8 | value, of a string (7): length u16 | letters
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from openclaude.gateway.replies.frames import BROKEN, Frame, parsed

EXCEPTION = "exception"  # the type of a message that is an exception
CHUNK = "chunk"  # the type of a message of InvokeModelWithResponseStream
LARGEST = 1 << 25
PRELUDE = 12
STRING = 7
SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # header value bytes, by type


class EventStream:
    """The messages of an AWS event stream as documents: `{type of the event: payload}`."""

    whole = b"{[<"

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Return the documents of the messages that this chunk completes."""
        self._held += chunk
        while len(self._held) >= PRELUDE:
            total, headers = struct.unpack_from("!II", self._held)
            if total < PRELUDE + 4 + headers or total > LARGEST:
                raw = bytes(self._held)
                self._held.clear()
                yield Frame(raw, BROKEN, text="a damaged event stream")
                return
            if len(self._held) < total:
                return
            raw = bytes(self._held[:total])
            del self._held[:total]
            yield message(raw, headers)

    def rest(self) -> Iterator[Frame]:
        """Drop an incomplete message at the end."""
        self._held.clear()
        return iter(())

    def write(self, document: Any) -> bytes:
        """Write a message."""
        ((kind, payload),) = document.items()
        named = ((":event-type", kind), (":content-type", "application/json"))
        headers = b"".join(header(*pair) for pair in (*named, (":message-type", "event")))
        body = json.dumps(payload).encode()
        prelude = struct.pack("!II", PRELUDE + len(headers) + len(body) + 4, len(headers))
        start = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
        return start + struct.pack("!I", zlib.crc32(start))


class InvokeStream(EventStream):
    """The documents inside the chunks of InvokeModelWithResponseStream, each in base64."""

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Return the documents of the messages that this chunk completes."""
        return (unwrapped(frame) for frame in super().feed(chunk))

    def write(self, document: Any) -> bytes:
        """Write a message; an exception as it came."""
        if isinstance(document, dict) and EXCEPTION in document:
            return super().write(document)
        inner = base64.b64encode(json.dumps(document).encode()).decode()
        return super().write({CHUNK: {"bytes": inner}})


def unwrapped(frame: Frame) -> Frame:
    """Return the frame with the document inside its chunk."""
    document = frame.document
    payload = document.get(CHUNK) if isinstance(document, dict) else None
    if not isinstance(payload, dict):
        return frame
    try:
        inner = base64.b64decode(payload["bytes"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return frame._replace(document=BROKEN, text="a chunk without bytes")
    text = inner.decode(errors="replace")
    return Frame(frame.raw, parsed(text), text=text, is_clean="\ufffd" not in text)


def message(raw: bytes, headers: int) -> Frame:
    """Parse the document of a message."""
    (sum_,) = struct.unpack("!I", raw[-4:])
    if zlib.crc32(raw[:-4]) != sum_:
        return Frame(raw, BROKEN, text="an event with a wrong checksum")
    named = dict(headers_of(raw[PRELUDE : PRELUDE + headers]))
    text = raw[PRELUDE + headers : -4].decode(errors="replace")
    payload = parsed(text) if text.strip() else {}
    if named.get(":message-type", "event") != "event":
        kind = named.get(":exception-type") or named.get(":error-code") or "exception"
        said = payload.get("message") if isinstance(payload, dict) else None
        words = said or named.get(":error-message") or text
        return Frame(raw, {EXCEPTION: {"type": kind, "message": words}})
    if payload is BROKEN:
        return Frame(raw, BROKEN, text=text)
    return Frame(raw, {named.get(":event-type", ""): payload}, is_clean="\ufffd" not in text)


def headers_of(raw: bytes) -> Iterator[tuple[str, str]]:
    """Return the headers whose values are strings."""
    at = 0
    while at + 1 < len(raw):
        end = at + 1 + raw[at]
        name, kind = raw[at + 1 : end].decode(errors="replace"), raw[end]
        at = end + 1
        size = SIZES.get(kind)
        if size is None:
            (size,) = struct.unpack_from("!H", raw, at)
            at += 2
        if kind == STRING:
            yield name, raw[at : at + size].decode(errors="replace")
        at += size


def header(name: str, value: str) -> bytes:
    """Write a header of a message."""
    start = struct.pack("!B", len(name)) + name.encode()
    return start + struct.pack("!BH", STRING, len(value)) + value.encode()
