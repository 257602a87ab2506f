"""The interface of a dialect: reads a provider's documents as events, writes events as documents.

Knows: what the filter needs from a dialect, and what several of them share. Independent of: any
particular one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from openclaude.gateway.replies.asked import as_list
from openclaude.gateway.replies.events import (
    ABSENT,
    UNAVAILABLE,
    CallDone,
    CallOpen,
    Ending,
    Event,
    Finish,
    Other,
    ReasoningEvent,
    ReplyFailure,
    TextEvent,
)
from openclaude.gateway.replies.frames import Framing

Document = dict[str, Any]
LONGEST = 2000  # characters of a provider's own message in one of our errors
INPUTS = ("arguments", "parameters", "input", "args")  # the first is what most servers say
FOREIGN = "the provider's answer is not a valid reply"


class ReplyDialect(Protocol):
    """One reply in one API's format; its state is that of this reply."""

    def framing(self) -> Framing:
        """Return how a stream's documents are framed."""

    def read(self, document: Any) -> list[Event]:
        """Read a document of a stream."""

    def keeps(self, document: Any) -> bool:
        """Tell whether a document whose events are unchanged can be sent as it came."""

    def passes(self, document: Any) -> bool:
        """Tell whether a document without a part of the answer passes, rewritten or not."""

    def keeps_whole(self, document: Any) -> bool:
        """The same for a whole reply."""

    def write(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Write documents with these events in place of `document` (None: of no particular one)."""

    def is_end(self, document: Any) -> bool:
        """Tell whether a document closes the stream."""

    def end(self) -> list[Any]:
        """Return the documents that close a stream."""

    def tell(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Return a stream with these events, equivalent to the whole reply."""

    def read_whole(self, document: Any) -> list[Event]:
        """Read a whole reply."""

    def write_whole(self, events: Sequence[Event], document: Any) -> Any:
        """Write a whole reply with these events."""

    def error(self, status: int, message: str) -> tuple[Document, dict[str, str]]:
        """Return an error document, with headers."""


class Called:
    """A finished call."""

    def __init__(self, opened: CallOpen, arguments: str) -> None:
        self.id = opened.id
        self.name = opened.name
        self.extra = opened.extra
        self.arguments = arguments

    @property
    def input(self) -> Any:
        """The input as a value."""
        return json.loads(self.arguments, strict=False)


class Calls:
    """Assembles calls, for dialects with one document per call."""

    def __init__(self) -> None:
        self._open: CallOpen | None = None

    def feed(self, event: Event) -> Called | None:
        """Return the call that this event completes."""
        if isinstance(event, CallOpen):
            self._open = event
        elif isinstance(event, CallDone) and self._open is not None:
            opened, self._open = self._open, None
            return Called(opened, event.arguments)
        return None


def calls_of(events: Sequence[Event]) -> Iterator[Called]:
    """Return the calls among these events."""
    calls = Calls()
    for event in events:
        if call := calls.feed(event):
            yield call


def regrouped(events: Sequence[Event]) -> Iterator[Event | Called]:
    """Return these events with each call in one piece, and the texts of a block joined."""
    calls = Calls()
    held: TextEvent | ReasoningEvent | None = None
    for event in events:
        if isinstance(event, TextEvent | ReasoningEvent):
            if held is not None and (type(held), held.block) == (type(event), event.block):
                held = joined(held, event)
                continue
            if held is not None:
                yield held
            held = event
            continue
        if held is not None:
            yield held
        held = None
        if call := calls.feed(event):
            yield call
        elif isinstance(event, Other | Finish):
            yield event
    if held is not None:
        yield held


def joined(
    one: TextEvent | ReasoningEvent, other: TextEvent | ReasoningEvent
) -> TextEvent | ReasoningEvent:
    """Return two pieces of one block as one."""
    if isinstance(one, ReasoningEvent) and isinstance(other, ReasoningEvent):
        one = one._replace(signature=one.signature + other.signature)
    return one._replace(text=one.text + other.text)


def is_same(events: Sequence[Event], outs: Sequence[Event]) -> bool:
    """Tell whether these are the very same events."""
    return len(events) == len(outs) and all(a is b for a, b in zip(events, outs, strict=True))


def ending_of(events: Sequence[Event]) -> Finish:
    """Return the ending among these events."""
    ends = [event for event in events if isinstance(event, Finish)]
    return ends[-1] if ends else Finish(Ending.STOP)


def text_of(events: Sequence[Event]) -> str:
    """Return the text of the answer among these events."""
    return "".join(event.text for event in events if isinstance(event, TextEvent))


def failure_of(error: Any) -> ReplyFailure:
    """Read a provider's error document: its own message, and its own status if it has one."""
    status = UNAVAILABLE
    message = error
    if isinstance(error, dict):
        for key in ("code", "status", "status_code", "http_status"):
            if is_status(error.get(key)):
                status = int(error[key])
                break
        message = error.get("message") or error.get("msg") or error.get("error") or error
        if metadata := error.get("metadata"):
            message = f"{shown(message)} ({shown(metadata)})"
    return ReplyFailure(shown(message)[:LONGEST], status)


def block_number(value: Any) -> int | None:
    """Return the number of a block or a call, also if it came as a text; None if it is neither."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 6:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def listed(value: Any) -> list[Any]:
    """Return a list; one object in the place of a list is a list of one."""
    return [value] if isinstance(value, dict) else as_list(value)


def input_of(call: Document) -> Any:
    """Return a call's input, under whichever key it is; ABSENT if there is none."""
    found = (call[key] for key in INPUTS if call.get(key) is not None)
    return next(found, ABSENT)


def is_status(value: Any) -> bool:
    """Tell whether a value is an HTTP error status."""
    if isinstance(value, str) and value.isdecimal() and len(value) == 3:
        value = int(value)
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600


def shown(value: Any) -> str:
    """Format a value for a sentence."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def foreign(document: Any) -> ReplyFailure:
    """Return the failure for a document that is not a reply."""
    if isinstance(document, dict):
        for key in ("error", "errors", "detail"):
            if document.get(key):
                return failure_of(document[key])
        if document.get("msg") or document.get("message"):
            return failure_of(document)._replace(message=f"{FOREIGN}: {shown(document)}"[:LONGEST])
    return ReplyFailure(f"{FOREIGN}: {shown(document)}"[:LONGEST])


def openai_error(status: int, message: str) -> tuple[Document, dict[str, str]]:
    """Return an error in the format of OpenAI's API and most others."""
    return {"error": {"message": message, "type": "api_error", "code": status}}, {}
