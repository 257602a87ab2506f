"""A provider's reply on its way to LiteLLM: bytes in, the bytes of a well-formed reply out.

Knows: whether a reply is a stream or a document, when it has begun, when it may end. Independent
of: how any dialect writes it (`dialects`), what a reply must be (`normaliser`), HTTP. Pure.

A frame that needed no change keeps its bytes; each frame is parsed once. Pieces of one text that
arrived together leave as one: LiteLLM's work is per event, so a machine with too much to do catches
up instead of falling behind further.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from openclaude.gateway.http.sse import EventTooLarge
from openclaude.gateway.replies.asked import RequestContext
from openclaude.gateway.replies.dialects.base import (
    FOREIGN,
    LONGEST,
    ReplyDialect,
    foreign,
    is_same,
)
from openclaude.gateway.replies.dialects.joining import HeldPiece
from openclaude.gateway.replies.events import (
    Event,
    Finish,
    FramePart,
    ReplyFailed,
    ReplyFailure,
)
from openclaude.gateway.replies.frames import (
    BROKEN,
    DONE,
    REPLACED,
    Frame,
    LineTooLong,
    documents,
    strictly,
)
from openclaude.gateway.replies.normaliser import Markup, Normaliser

log = logging.getLogger("openclaude.replies")
BLANKS = b" \t\r\n"
BOM = b"\xef\xbb\xbf"
EMPTY = "the provider answered with an empty body"
TOO_LARGE = "the provider's reply has an event that is too large"
LARGEST = 64 * 1024 * 1024  # largest whole reply, in bytes


class ReplyFilter:
    """One reply. Call `feed` with the bytes, then `close`; both raise ReplyFailed if it is bad.

    What preceded a failure is yielded before the exception is raised.
    """

    def __init__(
        self,
        dialect: ReplyDialect,
        asked: RequestContext,
        token: Callable[[], str],
        markup: Markup | None = None,
    ) -> None:
        self._dialect = dialect
        self._asked = asked
        self._framing = dialect.framing()
        self._normaliser = Normaliser(asked, token, markup)
        self._document = bytearray()  # a reply that is not a stream; or leading blanks
        self._is_document: bool | None = None  # unknown so far
        self._ending: FramePart | None = None  # the provider's end, until nothing can follow it
        self._held = HeldPiece(self._framing.write)
        self._tail: list[FramePart] = []  # what followed it without content: the usage
        self._collected: list[Event] = []  # of a stream although a whole reply was requested
        self._envelope: Any = {}
        self.has_begun = False  # part of the answer was sent
        self._is_over = False
        self._has_frames = False
        self._passed_over = ""  # the last document without a field that is known

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Return what LiteLLM gets for this chunk. Raises ReplyFailed."""
        if self._is_document is None:
            self._document += chunk
            start = self._document.removeprefix(BOM).lstrip(BLANKS)[:1]
            if not start:
                return
            self._is_document = self._looks_whole(bytes(start))
            chunk = b"" if self._is_document else bytes(self._document)
        if self._is_document:
            self._document += chunk
            if len(self._document) > LARGEST:
                raise ReplyFailed(ReplyFailure(TOO_LARGE))
            return
        try:
            for frame in self._framing.feed(chunk):
                yield from self._frame(frame)
        except (EventTooLarge, LineTooLong) as error:
            yield from self._held.release()
            raise ReplyFailed(ReplyFailure(TOO_LARGE)) from error
        yield from self._held.release()

    def _looks_whole(self, start: bytes) -> bool:
        if start in self._framing.whole:
            return True
        return start == b"{" and not self._asked.may_stream

    def close(self) -> Iterator[bytes]:
        """Return what LiteLLM gets at the end of the bytes."""
        if not self._is_document:
            yield from self._close_stream()
            yield from self._held.release()
            return
        yield from self._whole(bytes(self._document).removeprefix(BOM))

    def _close_stream(self) -> Iterator[bytes]:
        if self._is_document is None:
            raise ReplyFailed(ReplyFailure(EMPTY))
        for frame in self._framing.rest():
            yield from self._frame(frame)
        if not self._has_frames and not self._is_over:
            said = self._document.decode(errors="replace").strip()
            raise ReplyFailed(ReplyFailure(f"{FOREIGN}: {said}"[:LONGEST]))
        if not self._is_over:
            yield from self._over(is_said=False)

    @property
    def failed(self) -> type[ReplyFailed]:
        """The exception that is raised if the reply is unusable."""
        return ReplyFailed

    def error(self, failure: Any) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of an error in the dialect that reports a failure."""
        log.warning("a provider's reply is an error (%d): %.300s", failure.status, failure.message)
        document, headers = self._dialect.error(failure.status, failure.message)
        headers = {"content-type": "application/json", **headers}
        return failure.status, headers, json.dumps(document).encode()

    # A stream --------------------------------------------------------------------------------

    def _frame(self, frame: Frame) -> Iterator[bytes]:
        self._has_frames = True
        if self._is_over:
            if frame.document is not DONE:
                log.warning("a provider sent data after the end of its reply: %.200r", frame.raw)
            return
        if frame.document is DONE or self._dialect.is_end(frame.document):
            yield from self._over(is_said=True)
            return
        if frame.document is BROKEN:
            if self._normaliser.has_finished:
                log.warning("a provider sent data after the end of its reply: %.200r", frame.raw)
                return
            log.warning("a provider's event is not JSON: %.200r", frame.raw)
            yield from self._held.release()
            raise ReplyFailed(ReplyFailure(f"{FOREIGN}: {frame.text}"[:LONGEST]))
        events = self._read(self._dialect.read, frame.document)
        outs: list[Event] = []
        failure = None
        for event in events:
            told = [event] if isinstance(event, ReplyFailure) else self._normaliser.feed(event)
            failures = [one for one in told if isinstance(one, ReplyFailure)]
            outs += [one for one in told if not isinstance(one, ReplyFailure)]
            if failures:
                failure = failures[0]
                break
        if failure is None:
            yield from self._sent(frame, events, outs)
        else:
            yield from self._failed(frame, outs, failure)

    def _read(self, read: Callable[[Any], list[Event]], document: Any) -> list[Event]:
        """Read a document. One with values of types that the API does not have is foreign."""
        try:
            return read(document)
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
            log.warning("a provider's document cannot be read: %.300r", document, exc_info=True)
            return [foreign(document)]

    def _sent(self, frame: Frame, events: list[Event], outs: list[Event]) -> Iterator[bytes]:
        if not self._asked.may_stream:
            self._collected += outs
            if isinstance(frame.document, dict):
                self._envelope = {**self._envelope, **frame.document}
            return
        if not outs and self._ending is not None:
            if not events and self._passes(frame.document):
                raw = frame.raw if frame.is_clean and self._keeps(frame.document) else None
                self._tail.append(FramePart([], frame.document, raw, is_passed=True))
            return
        # behind an end, which moves, other blocks are open than when this is looked at
        kept = is_same(events, outs) and self._ending is None and self._keeps(frame.document)
        raw = frame.raw if frame.is_clean or not kept else self._framing.write(frame.document)
        if kept and self._held.joins(outs, frame.document):
            return
        yield from self._held.release()
        is_passed = not events and not kept and self._passes(frame.document)
        part = FramePart(outs, frame.document, raw if kept else None, is_passed)
        if any(isinstance(one, Finish) for one in outs):
            yield from self._moved()
            self.has_begun = self.has_begun or not isinstance(outs[0], Finish)
            self._ending = part
        elif outs:
            self.has_begun = True
            yield from self._moved()
            if kept:
                self._held.hold(outs, frame.document, raw)
            else:
                yield from self._written(part)
        else:
            yield from self._written(part)

    def _keeps(self, document: Any) -> bool:
        try:
            return self._dialect.keeps(document)
        except (TypeError, ValueError, KeyError, AttributeError):
            return False

    def _passes(self, document: Any) -> bool:
        try:
            passes = self._dialect.passes(document)
        except (TypeError, ValueError, KeyError, AttributeError):
            passes = False
        if not passes:
            self._passed_over = json.dumps(document)[:LONGEST]
            log.info("a provider's document has no known field: %.300s", self._passed_over)
        return passes

    def _failed(self, frame: Frame, outs: list[Event], failure: ReplyFailure) -> Iterator[bytes]:
        """Yield what preceded the failure, then raise it."""
        outs = [*outs, *self._normaliser.interrupt()]
        if outs:
            yield from self._sent(frame, [], outs)
        yield from self._held.release()
        raise ReplyFailed(failure)

    def _written(self, part: FramePart) -> Iterator[bytes]:
        if part.raw is not None:
            yield part.raw
        elif part.is_passed:
            yield self._framing.write(part.document)
        else:
            for one in self._dialect.write(part.events, part.document):
                yield self._framing.write(one)

    def _ended(self) -> Iterator[bytes]:
        """Handle the provider's end: nothing follows it."""
        ending, self._ending = self._ending, None
        if ending is not None:
            yield from self._written(ending)
        for part in self._tail:
            yield from self._written(part)

    def _moved(self) -> Iterator[bytes]:
        """Return what came with the provider's end, now placed after something that follows it."""
        if self._ending is None:
            return
        said: list[Event] = [one for one in self._ending.events if not isinstance(one, Finish)]
        ends: list[Event] = [one for one in self._ending.events if isinstance(one, Finish)]
        if said:
            yield from self._written(FramePart(said, None))
        self._ending = FramePart(ends, self._ending.document)

    def _over(self, *, is_said: bool) -> Iterator[bytes]:
        """Return the end of the stream, if this is it."""
        self._is_over = True
        yield from self._held.release()
        outs = self._normaliser.end(is_said=is_said)
        if failures := [one for one in outs if isinstance(one, ReplyFailure)]:
            said: list[Event] = [one for one in outs if not isinstance(one, ReplyFailure)]
            yield from self._failed(Frame(b"", None), said, self._with_reason(failures[0]))
        self.has_begun = True
        if not self._asked.may_stream:
            self._collected += outs
            document = self._dialect.write_whole(self._collected, self._envelope)
            yield json.dumps(document).encode()
            return
        if self._ending is not None and outs:
            yield from self._moved()
            yield from self._written(FramePart(outs, None))
            outs = []
        yield from self._ended()
        yield from self._written(FramePart(outs, None))
        for one in self._dialect.end():
            yield self._framing.write(one)

    def _with_reason(self, failure: ReplyFailure) -> ReplyFailure:
        """Return the failure of a stream without its end, with what may be the reason."""
        if not self._passed_over:
            return failure
        return failure._replace(message=f"{failure.message}; it sent {self._passed_over}")

    # A document ------------------------------------------------------------------------------

    def _whole(self, raw: bytes) -> Iterator[bytes]:
        is_strict = False
        text = raw.decode(errors="replace")
        try:
            document = json.loads(text, strict=False)
            is_strict = REPLACED not in text and strictly(text)
        except (ValueError, RecursionError) as error:
            frames = [*self._framing.feed(raw), *self._framing.rest()]
            if len(frames) < 2:  # lines of JSON without the marks of a stream
                frames = [Frame(b"", one) for one in documents(text)]
            if len(frames) > 1 and not any(frame.document is BROKEN for frame in frames):
                yield from self._frames(frames)
                return
            said = raw.decode(errors="replace").strip()[:LONGEST]
            raise ReplyFailed(ReplyFailure(f"{FOREIGN}: {said}")) from error
        if isinstance(document, list) and document:
            yield from self._frames([Frame(b"", one) for one in document])
            return
        events = self._read(self._dialect.read_whole, document)
        outs = [out for event in events for out in self._told(event)]
        if not self._normaliser.has_finished:
            outs += self._normaliser.end(is_said=True)
        for one in outs:
            if isinstance(one, ReplyFailure):
                raise ReplyFailed(one)
        self.has_begun = True
        if self._asked.streams:
            yield from self._as_stream(outs, document)
        elif is_strict and self._is_fine(events, outs, document):
            yield raw
        else:
            yield json.dumps(self._dialect.write_whole(outs, document)).encode()

    def _frames(self, frames: list[Frame]) -> Iterator[bytes]:
        """Return the frames of a stream that arrived as a document."""
        for frame in frames:
            yield from self._frame(frame)
        if not self._is_over:
            yield from self._over(is_said=False)

    def _is_fine(self, events: list[Event], outs: list[Event], document: Any) -> bool:
        try:
            return is_same(events, outs) and self._dialect.keeps_whole(document)
        except (TypeError, ValueError, KeyError, AttributeError):
            return False

    def _told(self, event: Event) -> list[Event]:
        return [event] if isinstance(event, ReplyFailure) else self._normaliser.feed(event)

    def _as_stream(self, outs: Sequence[Event], document: Any) -> Iterator[bytes]:
        yield from (self._framing.write(one) for one in self._dialect.tell(outs, document))
