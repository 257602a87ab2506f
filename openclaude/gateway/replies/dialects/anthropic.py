"""Anthropic's Messages API, as third parties implement it.

Knows: https://docs.anthropic.com/en/api/messages-streaming and how third parties deviate from it.
Independent of: which third party it is. Pure. `providers` never talks to Anthropic itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from openclaude.gateway.replies.dialects.base import (
    Document,
    block_number,
    ending_of,
    failure_of,
    foreign,
    input_of,
    regrouped,
)
from openclaude.gateway.replies.dialects.blocks import Blocks
from openclaude.gateway.replies.dialects.message import (
    CALL,
    blocks_of,
    call_piece,
    has_counts,
    is_start_of_message,
    kind_of,
    named,
    text_instead,
    thought_deltas,
    thought_of,
    usage_of,
    whole_block,
)
from openclaude.gateway.replies.events import (
    ABSENT,
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
from openclaude.gateway.replies.frames import Framing, ServerSentFrames
from openclaude.gateway.replies.reasons import finish

STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "overloaded_error": 529,
}
ENDINGS = {
    Ending.STOP: "end_turn",
    Ending.CALLS: "tool_use",
    Ending.LENGTH: "max_tokens",
    Ending.REFUSAL: "refusal",
}
NATIVE = frozenset(
    {*ENDINGS.values(), "stop_sequence", "pause_turn", "model_context_window_exceeded"}
)
DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
KNOWN = ("text", "thinking", "redacted_thinking", CALL)

DELTA_COUNTS = ("output_tokens",)  # what the event with the stop reason has to count


class MessageMarks:
    """How Messages marks the start and end of a text block."""

    def start(self, index: int, kind: str) -> list[Any]:
        """Return the start of a text or thinking block."""
        block: Document = {"type": kind, kind: ""}
        if kind == "thinking":
            block["signature"] = ""
        return [{"type": "content_block_start", "index": index, "content_block": block}]

    def stop(self, index: int) -> Any:
        """Return the end of a block."""
        return {"type": "content_block_stop", "index": index}


class Messages:
    """A reply of `/v1/messages`."""

    def __init__(self) -> None:
        self._blocks = Blocks(MessageMarks())
        self._calls: set[int] = set()
        self._others: set[int] = set()
        self._unknown: set[int] = set()
        self._untold: list[Event] = []  # the content of the message's start
        self._has_added = False
        self._has_started = False

    def framing(self) -> Framing:
        """Server-sent events with names."""
        return ServerSentFrames(named=True)

    def read(self, document: Any) -> list[Event]:
        """Read an event."""
        if not isinstance(document, dict):
            return [foreign(document)]
        block = block_number(document.get("index")) or 0
        match document.get("type"):
            case "content_block_start":
                self._untold = []
                return list(self._start(block, document))
            case "content_block_delta":
                return list(self._delta(block, document))
            case "content_block_stop":
                if block in self._others:
                    return [Other(document, block)]
                return [CallEnd(block)] if block in self._calls else []
            case "message_delta":
                delta = document.get("delta")
                reason = delta.get("stop_reason") if isinstance(delta, dict) else None
                return [*self._told(), *([finish(str(reason))] if reason else [])]
            case "message_start":
                message = document.get("message")
                content = message.get("content") if isinstance(message, dict) else None
                self._untold = blocks_of(content)
                return []
            case "message_stop":
                return [*self._told(), finish("end_turn")]
            case "ping":
                return []
            case _:
                return [error_of(document)] if says_error(document) else []

    def _told(self) -> list[Event]:
        """Return what came in the start of the message, if no block followed it."""
        told, self._untold = self._untold, []
        self._has_added = self._has_added or bool(told)
        return told

    def _start(self, index: int, document: Document) -> Iterator[Event]:
        block = document.get("content_block")
        if not isinstance(block, dict):
            return
        self._others.discard(index)
        self._unknown.discard(index)
        match block.get("type") or kind_of(block):
            case "thinking":
                yield from thought_of(block, index)
            case "tool_use":
                self._calls.add(index)
                yield call_piece(index, block)
            case "redacted_thinking":
                self._others.add(index)
                yield Other(document, index)
            case kind:
                if kind != "text":
                    self._unknown.add(index)
                if said := text_instead(block):
                    yield TextEvent(said, index)

    def _delta(self, index: int, document: Document) -> Iterator[Event]:
        delta = document.get("delta")
        if index in self._others:
            yield Other(document, index)
        elif index in self._unknown and isinstance(delta, dict) and "text" not in delta:
            return  # its block is words already
        elif isinstance(delta, dict):
            if isinstance(text := delta.get("text"), str):
                yield TextEvent(text, index)
            elif delta.keys() & {"thinking", "signature"}:
                yield from thought_of(delta, index)
            elif (said := delta.get("partial_json", input_of(delta))) is not ABSENT:
                self._calls.add(index)
                is_text = isinstance(said, str)
                yield CallPiece(index, arguments=said) if is_text else CallPiece(index, value=said)

    def keeps(self, document: Any) -> bool:
        """Tell whether an event fits the blocks that are open."""
        kind = document["type"]
        if kind == "message_start":
            message = document["message"]
            is_whole = all(isinstance(message.get(key), str) for key in ("id", "model"))
            is_whole = is_whole and has_counts(message) and is_start_of_message(message)
            self._has_started, was = self._has_started or is_whole, self._has_started
            return is_whole and not was
        if not self._has_started:
            return False
        index = document.get("index")
        match kind:
            case "content_block_delta":
                said = DELTAS.get(document["delta"]["type"], "")
                is_said = said != "" and isinstance(document["delta"][said], str)
                is_open = not self._blocks.is_closed  # unlike Converse's, each needs a start
                said = said.replace("signature", "thinking")  # which is in a thought's block
                return is_said and is_open and self._blocks.may_keep(said, index)
            case "content_block_start":
                block = document["content_block"]
                said = block["type"]
                is_plain = said in KNOWN and (block[said], block.get("signature") or "") == ("", "")
                return self._blocks.is_closed and is_plain and self._blocks.may_keep(said, index)
            case "content_block_stop":
                return self._blocks.may_keep_stop(index)
            case "message_delta":
                has_reason = document["delta"]["stop_reason"] in NATIVE
                is_end = self._blocks.is_closed and has_reason and not self._has_added
                return is_end and has_counts(document, DELTA_COUNTS)
            case _:
                return bool(kind == "ping")

    def passes(self, document: Any) -> bool:
        """Tell whether an event passes: pings do. A message's start is written when it is due."""
        return self._has_started and bool(document["type"] == "ping")

    def write(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Write events with this content."""
        started = []
        is_start = isinstance(document, dict) and document.get("type") == "message_start"
        if not self._has_started and (events or is_start):
            started = [self._started(document if is_start else {})]
        return [*started, *(one for event in events for one in self._written(event, document))]

    def _started(self, document: Document) -> Document:
        self._has_started = True
        return {"type": "message_start", "message": {**named(document), "stop_reason": None}}

    def _written(self, event: Event, document: Any) -> list[Any]:
        match event:
            case TextEvent():
                opened = self._blocks.to("text", event.block)
                return [*opened, self._delta_of({"type": "text_delta", "text": event.text})]
            case ReasoningEvent():
                opened = self._blocks.to("thinking", event.block)
                return [*opened, *(self._delta_of(delta) for delta in thought_deltas(event))]
            case CallOpen():
                closed = self._blocks.close()
                block = {"type": CALL, "id": event.id, "name": event.name, "input": {}}
                index = self._blocks.open_next("call")
                start = {"type": "content_block_start", "index": index, "content_block": block}
                return [*closed, start]
            case CallBeat():
                return [self._delta_of({"type": "input_json_delta", "partial_json": ""})]
            case CallDone():
                delta = {"type": "input_json_delta", "partial_json": event.arguments}
                return [self._delta_of(delta), *self._blocks.close()]
            case Other():
                return self._other(event)
            case Finish():
                return [*self._blocks.close(), end_of(event, document)]
            case _:
                return []

    def _other(self, event: Other) -> list[Any]:
        kind = event.value.get("type")
        closed: list[Any] = []
        if kind == "content_block_start":
            closed = self._blocks.close()
            self._blocks.open_next("other", event.block)
        elif kind == "content_block_stop":
            return self._blocks.close()
        return [*closed, {**event.value, "index": self._blocks.index}]

    def _delta_of(self, delta: Document) -> Document:
        return {"type": "content_block_delta", "index": self._blocks.index, "delta": delta}

    def is_end(self, document: Any) -> bool:
        """Tell whether this is `message_stop`."""
        is_last = isinstance(document, dict) and document.get("type") == "message_stop"
        return is_last and not self._untold

    def end(self) -> list[Any]:
        """Return `message_stop`."""
        return [{"type": "message_stop"}]

    def tell(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Return the events of a whole message."""
        started = self._started(document)
        usage = usage_of(document)
        said = self.write(events, None)
        for one in said:
            if one["type"] == "message_delta":
                one["usage"] = usage
        return [started, *said, *self.end()]

    def read_whole(self, document: Any) -> list[Event]:
        """Read a whole message."""
        if not isinstance(document, dict):
            return [foreign(document)]
        is_message = "content" in document and not document.get("choices")
        if says_error(document) or not is_message:
            return [error_of(document) if says_error(document) else foreign(document)]
        events = blocks_of(document["content"])
        return [*events, finish(str(document.get("stop_reason") or "end_turn"))]

    def keeps_whole(self, document: Any) -> bool:
        """Tell whether LiteLLM reads a whole message correctly."""
        content = document["content"]
        is_plain = all(block["type"] in KNOWN for block in content)
        texts = [block["text"] for block in content if block["type"] == "text"]
        is_plain = is_plain and all(isinstance(text, str) for text in texts)
        is_message = (document["type"], document["role"]) == ("message", "assistant")
        is_message = is_message and isinstance(document["id"], str)
        is_message = is_message and has_counts(document)
        return is_plain and is_message and document.get("stop_reason") in NATIVE

    def write_whole(self, events: Sequence[Event], document: Any) -> Any:
        """Write a whole message."""
        content = [block for event in regrouped(events) if (block := whole_block(event))]
        end = ending_of(events)
        return {**named(document), "content": content, "stop_reason": stop_reason_of(end)}

    def error(self, status: int, message: str) -> tuple[Document, dict[str, str]]:
        """Return an error in Anthropic's format."""
        names = {code: name for name, code in STATUSES.items()}
        said = {"type": names.get(status, "api_error"), "message": message}
        return {"type": "error", "error": said}, {}


def stop_reason_of(end: Finish) -> str:
    """Return Anthropic's stop reason for an ending."""
    return end.reason if end.reason in NATIVE else ENDINGS[end.ending]


def end_of(end: Finish, document: Any) -> Document:
    """Return the event with the stop reason, with the provider's own usage."""
    given = document if isinstance(document, dict) else {}
    delta = given.get("delta") if isinstance(given.get("delta"), dict) else {}
    return {
        "type": "message_delta",
        "usage": usage_of(given, DELTA_COUNTS),
        "delta": {"stop_sequence": None, **(delta or {}), "stop_reason": stop_reason_of(end)},
    }


def says_error(document: Document) -> bool:
    """Tell whether a document is an error, in this API's format or another's."""
    return document.get("type") == "error" or bool(document.get("error"))


def error_of(document: Document) -> Any:
    """Return the failure in an error document."""
    error = document.get("error") or document
    failure = failure_of(error)
    status = STATUSES.get(str(error.get("type"))) if isinstance(error, dict) else None
    return failure._replace(status=status) if status else failure
