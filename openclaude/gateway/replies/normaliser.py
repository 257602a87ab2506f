"""The one state machine that every reply passes, whatever its dialect.

Knows: what Anthropic and claude accept as a message: calls one after the other, each opened once
and with a final id and name, inputs that are objects, an end that the provider itself has reported.
Independent of: how a reply is written. Pure.

A call's input is buffered until the call is complete, because only then it is known to be an
object; its start is emitted before that, so that claude sees progress.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Protocol

from openclaude.gateway.replies.calls import Call, valid_id
from openclaude.gateway.replies.events import (
    CallBeat,
    CallDone,
    CallEnd,
    CallOpen,
    CallPiece,
    Ending,
    Event,
    Finish,
    Other,
    ReasoningEvent,
    ReplyFailure,
    TextEvent,
)
from openclaude.gateway.replies.letters import Letters

BEAT = 8  # after this many buffered pieces, claude is told that the call is still going on
CUT = "the provider's reply stopped before its end"
NOTHING = "the provider ended its reply without any content or stop reason"
NO_CALL = "the provider announced a tool call but made none"


class Offer(Protocol):
    """What the request says about tools."""

    @property
    def names(self) -> frozenset[str]:
        """The tools that the model may call."""

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the calls already in the conversation."""


class Markup(Protocol):
    """Parses a model's own markup in its text."""

    def feed(self, event: TextEvent) -> list[Event]:
        """Return text and calls; the same event object if nothing changed."""

    def reasoned(self, text: str) -> None:
        """Note that the model's reasoning comes in a field of its own."""

    def forgotten(self) -> list[Event]:
        """Return the calls that the reasoning ends with."""

    def flush(self) -> list[Event]:
        """Return what was buffered."""


class Normaliser:
    """Turns a provider's events into those of a well-formed reply."""

    def __init__(self, offer: Offer, token: Callable[[], str], markup: Markup | None) -> None:
        self._offer = offer
        self._token = token
        self._markup = markup
        self._calls: dict[Hashable, Call] = {}  # in their order, until they are emitted
        self._places: dict[Hashable, int] = {}  # how often a key was used again for another call
        self._open: Hashable | None = None  # the call that has been opened, the first of them
        self._waiting: list[Event] = []  # what came after it, emitted after the call
        self._ids: set[str] = set()
        self._again: dict[Hashable, Hashable] = {}  # further keys of a call
        self._told_calls: set[tuple[str, str, str]] = set()  # with the provider's own ids
        self._letters = Letters()
        self._has_said = False
        self._has_answered = False  # with a text, not only with reasoning
        self._has_called = False
        self.has_finished = False

    def feed(self, event: Event) -> list[Event]:
        """Return what to emit for this event."""
        if isinstance(event, TextEvent):
            text = self._letters.feed(event.text)
            event = event if text is event.text else event._replace(text=text)
        elif (half := self._letters.flush()) and not isinstance(event, ReasoningEvent):
            return [*self.feed(TextEvent(half)), *self.feed(event)]
        if self._markup is None:
            return self._end(event) if isinstance(event, Finish) else self._plain(event)
        match event:
            case TextEvent():
                return self._all(self._markup.feed(event))
            case ReasoningEvent():
                self._markup.reasoned(event.text)
                return self._plain(event)
            case CallPiece():
                return self._all([*self._markup.flush(), event])
            case Finish():
                outs = self._all(self._markup.flush())
                if not (self._has_answered or self._has_called or self._calls):
                    outs += self._all(self._markup.forgotten())
                return [*outs, *self._end(event)]
            case _:
                return self._plain(event)

    def _all(self, events: list[Event]) -> list[Event]:
        return [out for one in events for out in self._plain(one)]

    def _plain(self, event: Event) -> list[Event]:
        match event:
            case TextEvent() | ReasoningEvent() | Other():
                says = isinstance(event, Other) or bool(event.text)
                self._has_said = self._has_said or says
                is_text = isinstance(event, TextEvent) and bool(event.text.strip())
                self._has_answered = self._has_answered or is_text
                if self._open is None:
                    return [event]
                self._waiting.append(event)
                return []
            case CallPiece():
                return self._piece(event)
            case CallEnd():
                key = self._key_of(event.key)
                if key in self._calls:
                    self._calls[key].is_whole = True
                return list(self._told())
            case _:
                return [event]

    def end(self, *, is_said: bool) -> list[Event]:
        """Handle the end of the bytes; `is_said` if the provider has marked it."""
        if self.has_finished:
            return self._late()
        if not is_said or any(call.is_cut for call in self._calls.values()):
            return [ReplyFailure(CUT)]
        outs = self.feed(Finish(Ending.STOP))
        return outs if self._has_said or self._has_called else [ReplyFailure(NOTHING)]

    def _late(self) -> list[Event]:
        """Handle what a provider sends after its own end."""
        outs = self._all(self._markup.flush()) if self._markup is not None else []
        for call in self._calls.values():
            call.is_whole = True
        return [*outs, *self._told()]

    def interrupt(self) -> list[Event]:
        """Return text that was buffered when a reply breaks off. An incomplete call is dropped."""
        flushed = self._markup.flush() if self._markup is not None else []
        self._waiting += [one for one in flushed if isinstance(one, TextEvent)]
        words = [one for one in self._waiting if isinstance(one, TextEvent)]
        self._waiting.clear()
        return [] if self._open is not None else list(words)

    def _key_of(self, spoken: Hashable) -> Hashable:
        key = (spoken, self._places.get(spoken, 0))
        return self._again.get(key, key)

    def _piece(self, piece: CallPiece) -> list[Event]:
        before: list[Event] = []
        key = self._key_of(piece.key)
        if piece.id and key not in self._calls:
            own = key
            restated = (one for one, call in self._calls.items() if call.is_restated_by(piece))
            key = next(restated, own)
            if key != own:
                self._again[own] = key
        call = self._calls.get(key)
        if call is not None and not call.is_continued_by(piece, self._offer.names):
            call.is_whole = True
            before = list(self._told())
            self._places[piece.key] = self._places.get(piece.key, 0) + 1
            key = self._key_of(piece.key)
        call = self._calls.setdefault(key, Call())
        call.add(piece)
        if self._open is None and key == next(iter(self._calls)):
            return [*before, *self._opened(key)]
        if key == self._open and call.held % BEAT == 0:
            return [*before, CallBeat()]
        return before

    def _opened(self, key: Hashable) -> Iterator[Event]:
        """Return the start of the first call, as soon as it can be final."""
        call = self._calls[key]
        if call.id in {id_ for id_, *_ in self._told_calls}:
            return  # it may be the same once more
        if call.id and call.has_arguments and call.spoken_name in self._offer.names:
            self._open = key
            call.held = 0
            yield CallOpen(self._new_id(call.id), call.spoken_name, call.extra)

    def _end(self, finish: Finish) -> list[Event]:
        if self.has_finished:
            return []
        for call in self._calls.values():
            call.is_whole = True
        outs = list(self._told())
        self.has_finished = True
        if finish.ending is Ending.CALLS and not self._has_called:
            finish = Finish(Ending.STOP)
            if not self._has_said:
                return [*outs, ReplyFailure(NO_CALL)]
        return [*outs, finish]

    def _told(self) -> Iterator[Event]:
        """Return the calls that are complete, in their order, and what waited for them."""
        while self._calls:
            key, call = next(iter(self._calls.items()))
            if not call.is_whole:
                break
            yield from self._whole(call, is_open=key == self._open)
            del self._calls[key]
            self._open = None
        if self._open is None:
            yield from self._waiting
            self._waiting.clear()
            for key in list(self._calls)[:1]:
                yield from self._opened(key)

    def _whole(self, call: Call, *, is_open: bool) -> Iterator[Event]:
        if call.is_empty:
            return
        arguments = call.arguments()
        name = call.name(self._offer.names)
        if not is_open and not name:
            self._has_said = True
            yield TextEvent(not_offered(call.spoken_name, arguments))
            return
        same = (call.id, name, arguments)
        if call.id and same in self._told_calls:
            return  # what a provider says again with its end, with its id and its input
        self._told_calls.add(same)
        if not is_open:
            yield CallOpen(self._new_id(call.id), name, call.extra)
        self._has_called = True
        yield CallDone(arguments)

    def _new_id(self, spoken: str) -> str:
        found = valid_id(spoken, self._offer.ids | self._ids, self._token)
        self._ids.add(found)
        return found


def not_offered(name: str, arguments: str) -> str:
    """Return the text for a call that cannot be executed."""
    return f"[The model called a tool that it was not offered, `{name}`, with {arguments}]"
