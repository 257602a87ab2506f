"""Ollama's /api/chat: one JSON document per line; the last one says `done`.

Knows: https://github.com/ollama/ollama/blob/main/docs/api.md. Independent of: models. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from openclaude.gateway.replies.dialects.base import (
    Called,
    Document,
    calls_of,
    ending_of,
    foreign,
    input_of,
    listed,
    regrouped,
    text_of,
)
from openclaude.gateway.replies.dialects.content import content_of
from openclaude.gateway.replies.dialects.envelope import is_number, repair
from openclaude.gateway.replies.events import (
    CallEnd,
    CallPiece,
    Ending,
    Event,
    Finish,
    ReasoningEvent,
    TextEvent,
)
from openclaude.gateway.replies.frames import JsonLines
from openclaude.gateway.replies.reasons import finish

ENDINGS = {
    Ending.STOP: "stop",
    Ending.CALLS: "stop",
    Ending.LENGTH: "length",
    Ending.REFUSAL: "content_filter",
}
NATIVE = frozenset(ENDINGS.values())
COUNTS = (
    *("prompt_eval_count", "eval_count", "total_duration", "load_duration"),
    *("prompt_eval_duration", "eval_duration"),
)
START = "1970-01-01T00:00:00Z"


class Ollama:
    """A reply of `/api/chat`."""

    def __init__(self) -> None:
        self._count = 0
        self._is_fine = True  # nothing around the last document's answer had to be repaired
        self._envelope: Document = {"model": "", "created_at": START}

    def framing(self) -> JsonLines:
        """One document per line."""
        return JsonLines()

    def read(self, document: Any) -> list[Event]:
        """Read a line."""
        if not isinstance(document, dict) or document.get("error"):
            return [foreign(document)]
        self._is_fine = repair(document, self._envelope)
        for key in [key for key in COUNTS if not is_number(document.get(key, 0))]:
            self._is_fine = False
            del document[key]
        said = document.get("message")
        if isinstance(answer := document.get("response"), str):
            said = {"content": answer}  # the form of /api/generate
        is_last = document.get("done", bool(document.get("done_reason")))
        if not isinstance(said, dict) and not document.keys() & {"done", "done_reason"}:
            return [foreign(document)]
        events = list(self._message(said)) if isinstance(said, dict) else []
        if is_last:
            events.append(finish(str(document.get("done_reason") or "stop")))
        return events

    def _message(self, said: Document) -> Iterator[Event]:
        if isinstance(thought := said.get("thinking"), str) and thought:
            yield ReasoningEvent(thought)
        yield from content_of(said.get("content"))
        for call in listed(said.get("tool_calls")):
            function = call.get("function", call) if isinstance(call, dict) else None
            if isinstance(function, dict):
                self._count += 1
                yield CallPiece(
                    self._count,
                    "",  # LiteLLM generates its own
                    str(function.get("name") or ""),
                    value=input_of(function),
                )
                yield CallEnd(self._count)

    def keeps(self, document: Any) -> bool:
        """Tell whether LiteLLM reads this line correctly."""
        said = document.get("message")
        if not isinstance(said, dict) or not isinstance(said.get("content"), str):
            return False
        if not self._is_fine or said.get("role", "assistant") != "assistant":
            return False
        if said.get("tool_calls") or not isinstance(said.get("thinking", ""), str):
            return False
        if not isinstance(document.get("done"), bool):
            return False
        return document["done"] is False or document.get("done_reason") in NATIVE

    def passes(self, _document: Any) -> bool:
        """Return False: every line is part of the answer."""
        return False

    def keeps_whole(self, document: Any) -> bool:
        """The same for a whole reply."""
        return self.keeps(document)

    def write(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Write a line for each event; the usage stays with the last."""
        counts: Document = {}
        if isinstance(document, dict):
            kept = ("model", "created_at")
            self._envelope |= {key: document[key] for key in kept if key in document}
            counts = {
                key: value
                for key, value in document.items()
                if key not in {*kept, "message", "done", "done_reason"}
            }
        return [
            {**self._envelope, **line}
            for event in regrouped(events)
            if (line := line_of(event, counts))
        ]

    def is_end(self, _document: Any) -> bool:
        """Return False: the last line is part of the answer."""
        return False

    def end(self) -> list[Any]:
        """Return nothing: the last line is part of the answer."""
        return []

    def tell(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Return the lines for a whole reply."""
        return self.write(events, document)

    def read_whole(self, document: Any) -> list[Event]:
        """Read a whole reply."""
        return self.read(document)

    def write_whole(self, events: Sequence[Event], document: Any) -> Any:
        """Write a whole reply."""
        said: Document = {"role": "assistant", "content": text_of(events)}
        if thought := "".join(one.text for one in events if isinstance(one, ReasoningEvent)):
            said["thinking"] = thought
        if calls := [call_of(call) for call in calls_of(events)]:
            said["tool_calls"] = calls
        end = {"done": True, "done_reason": ENDINGS[ending_of(events).ending]}
        kept = {key: document[key] for key in (*self._envelope, *COUNTS) if key in document}
        return {**self._envelope, **kept, "message": said, **end}

    def error(self, _status: int, message: str) -> tuple[Document, dict[str, str]]:
        """Return an error in Ollama's format."""
        return {"error": message}, {}


def line_of(event: Event | Called, counts: Document) -> Document | None:
    """Write a line with one event."""
    said: Document = {"role": "assistant", "content": ""}
    match event:
        case TextEvent():
            return {"message": {**said, "content": event.text}, "done": False}
        case ReasoningEvent():
            return {"message": {**said, "thinking": event.text}, "done": False}
        case Called():
            return {"message": {**said, "tool_calls": [call_of(event)]}, "done": False}
        case Finish():
            end = {"done": True, "done_reason": ENDINGS[event.ending]}
            return {"message": said, **end, "prompt_eval_count": 0, "eval_count": 0, **counts}
        case _:
            return None


def call_of(call: Called) -> Document:
    """Write a call in Ollama's format."""
    return {"function": {"name": call.name, "arguments": call.input}}
