"""Frames of a streamed reply: parsed from the provider's bytes, and written for LiteLLM's parsers.

Knows: server-sent events and lines of JSON by their specifications, and how LiteLLM's parsers would
misread a frame. Independent of: what a document says. Pure.

LiteLLM splits lines with Python's `splitlines`, which also splits at U+2028, U+2029, U+0085 and
other characters that are part of a text (measured with 1.108.14: the event is lost silently). A
frame with such a character is rewritten with it escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from openclaude.gateway.http.sse import EventReader, parse_frame

# Characters that `splitlines` takes for a line end and JSON for text, and those that JSON forbids
SEPARATORS = re.compile(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]|\xc2\x85|\xe2\x80[\xa8\xa9]")
REPLACED = "\ufffd"  # replaces bytes that are not UTF-8
DONE: Any = object()  # the document of `[DONE]`
BROKEN: Any = object()  # the document of a frame that is not JSON
# What some servers send to keep a connection alive, as an event's name or as its data
NOTHING: tuple[Any, ...] = (None, "", [])
ALIVE = frozenset({"ping", "pong", "heartbeat", "keepalive"})
LINE_LIMIT = 32 * 1024 * 1024
DATA = "data:"
FIELD = re.compile(r"(?:event|id|retry)?:")  # of server-sent events, beside their data
LENIENT = json.JSONDecoder(strict=False)  # takes control characters in a text, as some servers send


class Frame(NamedTuple):
    """One document of a stream, and the bytes it came in."""

    raw: bytes
    document: Any
    name: str = ""
    text: str = ""  # the text of a frame that is not JSON
    is_clean: bool = False  # LiteLLM reads these bytes correctly


class Framing(Protocol):
    """How the documents of a stream are framed."""

    whole: bytes  # a body that begins with one of these is not a stream

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Return the documents that this chunk completes."""

    def rest(self) -> Iterator[Frame]:
        """Return the documents that the end of the stream completes."""

    def write(self, document: Any) -> bytes:
        """Write a document as a frame."""


class LineTooLong(Exception):
    """A line is longer than the reader's limit."""


class ServerSentFrames:
    """Documents in the data of server-sent events."""

    whole = b"{[<"

    def __init__(self, *, named: bool = False) -> None:
        """`named`: the name of an event is its document's type."""
        self._named = named
        self._reader = EventReader()

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Return the documents of the events that this chunk completes."""
        for raw in self._reader.feed(chunk):
            yield from self._named_frames(raw)

    def rest(self) -> Iterator[Frame]:
        """Return the last event even if its empty line is missing: some servers leave it out."""
        raw = self._reader.rest()
        if raw.strip():
            yield from (frame._replace(is_clean=False) for frame in self._named_frames(raw))

    def _named_frames(self, raw: bytes) -> Iterator[Frame]:
        """Return an event's documents; a type or an error that only its name says is put in."""
        for frame in frames_of(raw):
            document = frame.document
            if not isinstance(document, dict) or frame.name == "message":
                yield frame._replace(is_clean=frame.is_clean and not self._named)
            elif frame.name == "error" and not document.get("error"):
                yield frame._replace(document={"type": "error", "error": document}, is_clean=False)
            elif self._named and not document.get("type"):
                yield frame._replace(document={**document, "type": frame.name}, is_clean=False)
            else:
                is_clean = frame.is_clean and (not self._named or is_named(frame))
                yield frame._replace(is_clean=is_clean)

    def write(self, document: Any) -> bytes:
        """Write an event, in ASCII."""
        if document is DONE:
            return b"data: [DONE]\n\n"
        name = f"event: {document['type']}\n" if self._named else ""
        return f"{name}data: {json.dumps(document)}\n\n".encode()


def frames_of(raw: bytes) -> Iterator[Frame]:
    """Return the document of one event; several if a server leaves the empty lines out."""
    event = parse_frame(raw)
    if event is None or not event.data.strip():
        return
    document = parsed(event.data)
    if document in NOTHING:
        return
    if document is not BROKEN:
        clean = is_clean(raw) and is_utf8(raw)
        yield Frame(raw, document, event.name, is_clean=clean)
        return
    if is_alive(event.name) or is_alive(event.data):
        return
    lines = [line for line in event.data.split("\n") if line.strip()]
    documents = [parsed(line) for line in lines]
    if len(lines) > 1 and BROKEN not in documents:
        yield from (Frame(raw, one, event.name) for one in documents)
    else:
        yield Frame(raw, BROKEN, event.name, event.data)


def is_alive(text: str) -> bool:
    """Tell whether a text only says that the connection is alive."""
    return re.sub(r"[^a-z]", "", text.lower()) in ALIVE


def is_named(frame: Frame) -> bool:
    """Return whether an event has the name that its document says."""
    return isinstance(frame.document, dict) and frame.document.get("type") == frame.name


def parsed(text: str) -> Any:
    """Return a document, DONE, or BROKEN."""
    if not text.startswith("{") and text.strip().strip('"').upper() == "[DONE]":
        return DONE
    try:
        return LENIENT.decode(text)
    except (ValueError, RecursionError):
        # a proxy's stream inside another's
        return parsed(text[len(DATA) :].strip()) if text.startswith(DATA) else BROKEN


def is_utf8(raw: bytes) -> bool:
    """Tell whether all bytes are valid UTF-8, including those of the event's name."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_clean(raw: bytes) -> bool:
    """Tell whether every parser sees one and the same event in these bytes."""
    one_line = raw.startswith((b"data: {", b"data: [DONE]")) and raw.count(b"\n") == 2
    named = raw.startswith(b"event: ") and raw.count(b"\n") == 3 and b"\ndata: {" in raw
    return (one_line or named) and b"\r" not in raw and SEPARATORS.search(raw) is None


class JsonLines:
    """Documents on one line each; only a line feed ends a line."""

    whole = b"[<"

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Return the documents of the lines that this chunk completes. Raises LineTooLong."""
        self._held += chunk
        if b"\n" not in chunk:
            if len(self._held) > LINE_LIMIT:
                raise LineTooLong
            return
        *lines, rest = bytes(self._held).split(b"\n")
        self._held = bytearray(rest)
        for line in lines:
            yield from line_frames(line + b"\n")

    def rest(self) -> Iterator[Frame]:
        """Return the last line if its end is missing."""
        raw = bytes(self._held)
        self._held.clear()
        yield from line_frames(raw)

    def write(self, document: Any) -> bytes:
        """Write a line, in ASCII."""
        return json.dumps(document).encode() + b"\n"


def line_frames(raw: bytes) -> Iterator[Frame]:
    """Return the document of a line; none for a blank one."""
    text = raw.decode(errors="replace").strip()
    if not text or is_alive(text) or FIELD.match(text):
        return
    document = parsed(text)
    if document in NOTHING:
        return
    if document is BROKEN and (several := documents(text.removeprefix("data:"))):
        yield from (Frame(raw, one) for one in several)
        return
    clean = raw.endswith(b"}\n") and SEPARATORS.search(raw) is None and REPLACED not in text
    yield Frame(raw, document, text=text if document is BROKEN else "", is_clean=clean)


def documents(text: str) -> list[Any]:
    """Return the JSON documents of a text that follow one another; none if that is not all."""
    decoder = json.JSONDecoder(strict=False)
    found = []
    while text := text.lstrip():
        if text.startswith("[DONE]"):
            document, end = DONE, len("[DONE]")
        else:
            try:
                document, end = decoder.raw_decode(text)
            except (ValueError, RecursionError):
                return []
        found.append(document)
        text = text[end:].lstrip().removeprefix("data:")
    return found


def strictly(text: str) -> bool:
    """Tell whether every JSON parser accepts this text."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
