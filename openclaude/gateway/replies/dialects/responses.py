"""OpenAI's Responses API.

Knows: https://platform.openai.com/docs/api-reference/responses-streaming, and which of its events
LiteLLM reads (1.108.14): text, the start of a call and its arguments, the end. Independent of:
models. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from openclaude.gateway.replies.dialects.base import (
    Called,
    Calls,
    Document,
    ending_of,
    failure_of,
    foreign,
    openai_error,
    regrouped,
)
from openclaude.gateway.replies.dialects.content import unshown
from openclaude.gateway.replies.dialects.response_fields import is_around_typed, is_reason, repaired
from openclaude.gateway.replies.dialects.response_items import (
    Told,
    failed,
    has_refusal,
    item_piece,
    items_of,
    text_in,
    whole_text,
)
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
    TextEvent,
)
from openclaude.gateway.replies.frames import ServerSentFrames
from openclaude.gateway.replies.reasons import finish

CALL = "function_call"
ENDS = {
    "response.completed": "completed",
    "response.done": "completed",  # the name that the realtime API and some hosts have for it
    "response.incomplete": "incomplete",
}
FAILED = ("failed", "cancelled")
WORDS = frozenset(
    {
        *("response.output_text.delta", "response.refusal.delta"),
        *("response.reasoning_summary_text.delta", "response.reasoning_text.delta"),
    }
)
OPENINGS = frozenset({"response.created", "response.in_progress", "response.queued"})
INCOMPLETE = {Ending.LENGTH: "max_output_tokens", Ending.REFUSAL: "content_filter"}


class Responses:
    """A reply of `/responses`."""

    def __init__(self) -> None:
        self._calls = Calls()
        self._called: list[Called] = []
        self._open: Document = {}
        self._next = 0  # the number of an item that we add
        self._has_changed = False
        self._has_ended = False
        self._told = Told()
        self._has_refused = False

    def framing(self) -> ServerSentFrames:
        """Server-sent events with names."""
        return ServerSentFrames(named=True)

    def read(self, document: Any) -> list[Event]:
        """Read an event."""
        if not isinstance(document, dict):
            return [foreign(document)]
        kind = str(document.get("type"))
        if kind == "error" or (not document.get("type") and document.get("error")):
            return [failure_of(document.get("error") or document)]
        response = document.get("response")
        given = response if isinstance(response, dict) else {}
        if kind in ("response.failed", "response.cancelled") or given.get("status") in FAILED:
            return [failed(response)]
        if kind in OPENINGS and not isinstance(given.get("output", []), list):
            document["response"] = {**repaired(given), "output": []}
            self._has_changed = True
        if kind in ENDS:
            self._has_ended = True
            return [*self._untold(given), self._end_of(given, ENDS[kind])]
        return list(self._event(kind, document))

    def _event(self, kind: str, document: Document) -> Iterator[Event]:
        item = document.get("item")
        place = self._told.place(document)
        delta = document.get("delta")
        is_whole = kind.endswith(".done")
        if kind in WORDS and isinstance(delta, str):
            self._has_refused = self._has_refused or "refusal" in kind
            if "reasoning" in kind:
                yield ReasoningEvent(delta, place)
            else:
                self._told.add(place, delta)
                yield TextEvent(delta, place)
        elif kind == "response.function_call_arguments.delta" and isinstance(delta, str):
            yield CallPiece(place, arguments=delta)
        elif kind == "response.function_call_arguments.done":
            if isinstance(document.get("arguments"), str):
                yield CallPiece(place, value=document["arguments"])
        elif whole := whole_text(kind, document):
            yield from self._rest(place, whole)
        elif isinstance(item, dict) and item.get("type") == CALL:
            if self._told.is_new_call(place, item, is_whole=is_whole):
                yield item_piece(place, item, is_whole=is_whole)
            if is_whole:
                yield CallEnd(place)
        elif isinstance(item, dict) and item.get("type") == "message" and is_whole:
            yield from self._rest(place, item)

    def _rest(self, place: int, item: Document) -> Iterator[Event]:
        """Return the text of an item that no delta told."""
        self._has_refused = self._has_refused or has_refusal(item)
        if text := self._told.rest(place, "".join(text_in(item))):
            self._has_changed = True
            yield TextEvent(text, place)

    def _untold(self, response: Document) -> Iterator[Event]:
        """Return what came only with the final event."""
        items = items_of(response)
        for place, item in enumerate(items):
            if item.get("type") == "message":
                yield from self._rest(place, item)
            elif item.get("type") == CALL and self._told.is_new_call(place, item, is_whole=True):
                yield item_piece(("end", place), item, is_whole=True)
                yield CallEnd(("end", place))
        said = response.get("output_text")
        if isinstance(said, str) and not any(item.get("type") == "message" for item in items):
            yield from self._rest(len(items), {"content": said})

    def _end_of(self, response: Document, status: str) -> Event:
        """Return why a response ended; a refusal is one however it ended."""
        end = end_of(response, status)
        is_stop = isinstance(end, Finish) and end.ending is Ending.STOP
        return Finish(Ending.REFUSAL) if is_stop and self._has_refused else end

    def keeps(self, document: Any) -> bool:
        """Tell whether an event fits the items that are open."""
        kind = document["type"]
        place = document.get("output_index", 0)
        if self._has_changed and kind not in WORDS:
            return False
        self._next = max(self._next, place + 1)
        if kind in ENDS:
            return is_plain(document["response"])
        if kind in OPENINGS:
            return isinstance(document["response"], dict)
        if kind in WORDS:
            has_delta = isinstance(document["delta"], str) and document["delta"] != ""
            return has_delta and kind != "response.refusal.delta"
        # an event about an item has one; otherwise this raises, and the event is rewritten
        is_items = kind.startswith("response.output_item.")
        item = document["item"] if is_items else document.get("item", {"type": ""})
        is_call = "function_call" in kind or item["type"] == CALL
        return bool(kind.startswith("response.") and isinstance(item["type"], str) and not is_call)

    def passes(self, document: Any) -> bool:
        """Tell whether an event passes: the first ones do."""
        if self._has_ended:
            return False
        return document["type"] in OPENINGS and isinstance(document["response"], dict)

    def write(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Write events of a response with this content."""
        return [one for event in events for one in self._written(event, document)]

    def _written(self, event: Event, document: Any) -> list[Any]:
        self._has_changed = True
        match event:
            case TextEvent():
                place = {"item_id": "msg_0", "output_index": event.block, "content_index": 0}
                return [{"type": "response.output_text.delta", **place, "delta": event.text}]
            case ReasoningEvent():
                place = {"item_id": "rs_0", "output_index": event.block, "summary_index": 0}
                kind = "response.reasoning_summary_text.delta"
                return [{"type": kind, **place, "delta": event.text}]
            case CallOpen():
                self._calls.feed(event)
                self._open = {"output_index": self._next, "item_id": f"fc_{event.id}"}
                self._next += 1
                item = call_item(event.id, event.name, "") | {"status": "in_progress"}
                place = {"output_index": self._open["output_index"]}
                return [{"type": "response.output_item.added", **place, "item": item}]
            case CallBeat():
                return []  # LiteLLM takes an empty delta for an error
            case CallDone():
                return self._done(event)
            case Finish():
                return [self._end(event, document)]
            case _:
                return []

    def _done(self, event: CallDone) -> list[Any]:
        called = self._calls.feed(event)
        if called is None:
            return []
        self._called.append(called)
        item = call_item(called.id, called.name, called.arguments)
        kind = "response.function_call_arguments"
        return [
            {"type": f"{kind}.delta", **self._open, "delta": called.arguments},
            {"type": f"{kind}.done", **self._open, "arguments": called.arguments},
            {
                "type": "response.output_item.done",
                "output_index": self._open["output_index"],
                "item": item,
            },
        ]

    def _end(self, end: Finish, document: Any) -> Document:
        given = (document or {}).get("response")
        response = dict(given) if isinstance(given, dict) else {"object": "response"}
        response = repaired(response)
        rest = [item for item in items_of(response) if item.get("type") != CALL]
        calls = [call_item(call.id, call.name, call.arguments) for call in self._called]
        return {
            "type": f"response.{status_of(end)}",
            "response": {**response, **ended(end), "output": [*rest, *calls]},
        }

    def is_end(self, _document: Any) -> bool:
        """Return False: the last event is part of the answer."""
        return False

    def end(self) -> list[Any]:
        """Return nothing: the last event is part of the answer."""
        return []

    def tell(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Return the events for a whole response."""
        begun = {**document, "output": [], "usage": None, "status": "in_progress"}
        said = {"type": "response.completed", "response": {**document, "output": []}}
        return [{"type": "response.created", "response": begun}, *self.write(events, said)]

    def read_whole(self, document: Any) -> list[Event]:
        """Read a whole response."""
        if not isinstance(document, dict) or not isinstance(document.get("output"), list):
            return [foreign(document)]
        if document.get("status") in FAILED or document.get("error"):
            return [failed(document)]
        events: list[Event] = []
        for place, item in enumerate(items_of(document)):
            if item.get("type") == CALL:
                events += [item_piece(place, item, is_whole=True), CallEnd(place)]
            elif item.get("type") == "message":
                events += [TextEvent(text, place) for text in text_in(item)]
                self._has_refused = self._has_refused or has_refusal(item)
            elif item["type"] == "reasoning":
                events.append(Other(item, place))
            else:
                events.append(TextEvent(unshown(item["type"], item), place))
        said = document.get("output_text")
        if isinstance(said, str) and not any(isinstance(one, TextEvent) for one in events):
            events.append(TextEvent(said, len(events)))
        return [*events, self._end_of(document, str(document.get("status") or "completed"))]

    def keeps_whole(self, document: Any) -> bool:
        """Tell whether LiteLLM reads a whole response correctly."""
        return is_plain(document)

    def write_whole(self, events: Sequence[Event], document: Any) -> Any:
        """Write a whole response."""
        given = document.get("response")
        kept = given if isinstance(given, dict) else document
        items = [item for event in regrouped(events) if (item := item_of(event))]
        return {
            **repaired(kept),
            **ended(ending_of(events)),
            "output": items or [item_of(TextEvent(""))],
        }

    def error(self, status: int, message: str) -> tuple[Document, dict[str, str]]:
        """Return an error in OpenAI's format."""
        return openai_error(status, message)


def is_plain(response: Document) -> bool:
    """Tell whether a response has the types that LiteLLM expects."""
    items = response["output"]
    details = response.get("incomplete_details") or {}
    messages = [item["content"] for item in items if item["type"] == "message"]
    parts = [part for content in messages for part in content]
    is_typed = response["status"] in ENDS.values() and is_reason(details)
    is_typed = is_typed and (not details or isinstance(details.get("reason"), str))
    is_known = all(item["type"] in ("message", "reasoning") for item in items)
    is_typed = is_typed and bool(items) and is_known and is_around_typed(response)
    return is_typed and all(isinstance(part["text"], str) for part in parts)


def end_of(response: Document, status: str) -> Any:
    """Return why a response ended."""
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if status == "incomplete":
        return finish(str(reason or "max_output_tokens"))
    return finish(status)


def status_of(end: Finish) -> str:
    """Return the status of a response with this ending."""
    return "incomplete" if end.ending in INCOMPLETE else "completed"


def ended(end: Finish) -> Document:
    """Return the fields of a response that report its ending."""
    reason = INCOMPLETE.get(end.ending)
    return {
        "status": status_of(end),
        "incomplete_details": {"reason": reason} if reason else None,
    }


def call_item(id_: str, name: str, arguments: str) -> Document:
    """Write a call as an item."""
    said = {"call_id": id_, "name": name, "arguments": arguments}
    return {"type": CALL, "id": f"fc_{id_}", "status": "completed", **said}


def item_of(event: Event | Called) -> Document | None:
    """Write an item with one event."""
    match event:
        case TextEvent():
            part = {"type": "output_text", "text": event.text, "annotations": []}
            said = {"role": "assistant", "status": "completed", "content": [part]}
            return {"id": "msg_0", "type": "message", **said}
        case Called():
            return call_item(event.id, event.name, event.arguments)
        case Other():
            return dict(event.value)
        case _:
            return None
