"""Bedrock's Converse: a document, or an event stream.

Knows: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html and
what its stop reasons mean. Independent of: models, credentials, the framing. Pure.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

from openclaude.gateway.replies.dialects.base import (
    Called,
    Document,
    block_number,
    ending_of,
    foreign,
    regrouped,
    shown,
)
from openclaude.gateway.replies.dialects.blocks import Blocks
from openclaude.gateway.replies.dialects.envelope import counted
from openclaude.gateway.replies.events import (
    ABSENT,
    UNAVAILABLE,
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
from openclaude.gateway.replies.eventstream import EventStream
from openclaude.gateway.replies.reasons import finish

STATUSES = {
    "throttlingException": 429,
    "validationException": 400,
    "modelTimeoutException": 408,
    "internalServerException": 500,
    "modelStreamErrorException": 500,
    "serviceUnavailableException": 503,
}
ENDINGS = {
    Ending.STOP: "end_turn",
    Ending.CALLS: "tool_use",
    Ending.LENGTH: "max_tokens",
    Ending.REFUSAL: "content_filtered",
}
NATIVE = frozenset(
    {*ENDINGS.values(), "stop_sequence", "guardrail_intervened", "model_context_window_exceeded"}
)
# What a reply counts: always, and with a cache
COUNTS = ("inputTokens", "outputTokens", "totalTokens")
CACHED = ("cacheReadInputTokens", "cacheWriteInputTokens")


class ConverseMarks:
    """How Converse marks a text block: without a start event."""

    def start(self, _index: int, _kind: str) -> list[Any]:
        """Return nothing."""
        return []

    def stop(self, index: int) -> Any:
        """Return the end of a block."""
        return {"contentBlockStop": {"contentBlockIndex": index}}


class Converse:
    """A reply of `/converse` or `/converse-stream`."""

    def __init__(self) -> None:
        self._blocks = Blocks(ConverseMarks())
        self._calls: set[int] = set()
        self._has_started = False

    def framing(self) -> EventStream:
        """AWS's event stream."""
        return EventStream()

    def read(self, document: Any) -> list[Event]:
        """Read an event."""
        ((kind, payload),) = document.items()
        if not isinstance(payload, dict):
            return [foreign(document)]
        index = block_number(payload.get("contentBlockIndex")) or 0
        match kind:
            case "contentBlockStart":
                return self._start(index, payload)
            case "contentBlockDelta":
                return list(self._delta(index, payload.get("delta")))
            case "contentBlockStop" if index in self._calls:
                return [CallEnd(index)]
            case "messageStop":
                self._has_started = True
                return [finish(str(payload.get("stopReason") or "stop"))]
            case "exception":
                return [exception_of(payload)]
            case _:
                return []

    def _start(self, index: int, payload: Document) -> list[Event]:
        start = payload.get("start")
        use = start.get("toolUse") if isinstance(start, dict) else None
        if not isinstance(use, dict):
            return list(self._delta(index, start))
        self._calls.add(index)
        return [call_piece(index, use)]

    def _delta(self, index: int, delta: Any) -> Iterator[Event]:
        if not isinstance(delta, dict):
            return
        if isinstance(text := delta.get("text"), str):
            yield TextEvent(text, index)
        if isinstance(use := delta.get("toolUse"), dict):
            self._calls.add(index)
            yield call_piece(index, use)
        if isinstance(thought := delta.get("reasoningContent"), dict):
            if isinstance(thought.get("text"), str):
                yield ReasoningEvent(thought["text"], index)
            elif isinstance(thought.get("signature"), str):
                yield ReasoningEvent("", index, thought["signature"])
            elif isinstance(thought.get("redactedContent"), str):
                yield Other(wrapped(thought["redactedContent"]), index)

    def keeps(self, document: Any) -> bool:
        """Tell whether an event fits the blocks that are open."""
        ((kind, payload),) = document.items()
        index = payload.get("contentBlockIndex")
        match kind:
            case "contentBlockDelta":
                ((key, said),) = payload["delta"].items()
                is_said = isinstance(said, str if key == "text" else dict)
                is_words = key in ("text", "reasoningContent") and is_said
                is_words = is_words and "redactedContent" not in said
                kept = "text" if key == "text" else "reasoning"
                return is_words and isinstance(index, int) and self._blocks.may_keep(kept, index)
            case "contentBlockStop":
                return self._blocks.may_keep_stop(index)
            case "messageStop":
                return self._blocks.is_closed and payload.get("stopReason") in NATIVE
            case _:
                return self.passes(document)

    def passes(self, document: Any) -> bool:
        """Tell whether an event passes: `messageStart` and the usage do."""
        ((kind, payload),) = document.items()
        if kind == "metadata":
            return has_counts(payload.get("usage"))
        if kind != "messageStart" or payload.get("role") != "assistant" or self._has_started:
            return False
        self._has_started = True
        return True

    def write(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Write Converse events with this content."""
        return [one for event in events for one in self._written(event, document)]

    def _written(self, event: Event, document: Any) -> list[Any]:
        match event:
            case TextEvent():
                return [
                    *self._blocks.to("text", event.block),
                    delta_of(self._blocks.index, {"text": event.text}),
                ]
            case ReasoningEvent():
                key = "signature" if event.signature else "text"
                thought = {"reasoningContent": {key: event.signature or event.text}}
                opened = self._blocks.to("reasoning", event.block)
                return [*opened, delta_of(self._blocks.index, thought)]
            case Other():
                opened = self._blocks.to("reasoning", event.block)
                return [*opened, delta_of(self._blocks.index, event.value)]
            case CallOpen():
                closed = self._blocks.close()
                start = {"toolUse": {"toolUseId": event.id, "name": event.name}}
                index = self._blocks.open_next("call")
                said = {"contentBlockIndex": index, "start": start}
                return [*closed, {"contentBlockStart": said}]
            case CallBeat():
                return [delta_of(self._blocks.index, {"toolUse": {"input": ""}})]
            case CallDone():
                said = {"toolUse": {"input": event.arguments}}
                return [delta_of(self._blocks.index, said), *self._blocks.close()]
            case Finish():
                payload = (document or {}).get("messageStop") or {}
                reason = event.reason if event.reason in NATIVE else ENDINGS[event.ending]
                stop = {"messageStop": {**payload, "stopReason": reason}}
                return [*self._blocks.close(), stop]
            case _:
                return []

    def is_end(self, _document: Any) -> bool:
        """Return False: Converse has no closing document."""
        return False

    def end(self) -> list[Any]:
        """Return nothing: Converse has no closing document."""
        return []

    def tell(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Return the events of a whole reply."""
        meta = {"usage": counts_of(document.get("usage")), "metrics": document.get("metrics") or {}}
        start = {"messageStart": {"role": "assistant"}}
        return [start, *self.write(events, None), {"metadata": meta}]

    def read_whole(self, document: Any) -> list[Event]:
        """Read a whole reply."""
        output = document.get("output") if isinstance(document, dict) else None
        said = output.get("message") if isinstance(output, dict) else None
        content = said.get("content") if isinstance(said, dict) else None
        if isinstance(content, str):
            content = [{"text": content}]
        if not isinstance(content, list):
            return [foreign(document)]
        events = [one for index, block in enumerate(content) for one in block_of(index, block)]
        return [*events, finish(str(document.get("stopReason") or "stop"))]

    def keeps_whole(self, document: Any) -> bool:
        """Tell whether LiteLLM reads a reply correctly."""
        content = document["output"]["message"]["content"]
        is_plain = all(isinstance(block, dict) and len(block) == 1 for block in content)
        is_plain = is_plain and all(isinstance(block.get("text", ""), str) for block in content)
        is_plain = is_plain and has_counts(document.get("usage"))
        thoughts = [block.get("reasoningContent") or {} for block in content]
        is_plain = is_plain and not any("redactedContent" in thought for thought in thoughts)
        return bool(is_plain and document.get("stopReason") in NATIVE)

    def write_whole(self, events: Sequence[Event], document: Any) -> Any:
        """Write a whole reply."""
        content = [whole_block(event) for event in regrouped(events)]
        said = {"role": "assistant", "content": [block for block in content if block]}
        end = ending_of(events)
        reason = end.reason if end.reason in NATIVE else ENDINGS[end.ending]
        kept = document.get("metadata") or document  # the last event of a stream has the usage
        return {
            "metrics": kept.get("metrics") or {"latencyMs": 0},
            "usage": counts_of(kept.get("usage")),
            "output": {"message": said},
            "stopReason": reason,
        }

    def error(self, status: int, message: str) -> tuple[Document, dict[str, str]]:
        """Return an error in AWS's format."""
        return aws_error(status, message)


def exception_of(payload: Document) -> ReplyFailure:
    """Read an exception in a stream."""
    type_, words = str(payload["type"]), shown(payload["message"])
    status = STATUSES.get(type_[:1].lower() + type_[1:], UNAVAILABLE)
    return ReplyFailure(f"{type_}: {words}", status)


def aws_error(status: int, message: str) -> tuple[Document, dict[str, str]]:
    """Write an error in AWS's format, with its header."""
    names = {code: name for name, code in STATUSES.items()}
    name = names.get(status, "serviceUnavailableException")
    return {"message": message}, {"x-amzn-errortype": name[:1].upper() + name[1:]}


def has_counts(usage: Any) -> bool:
    """Tell whether all tokens were counted: else LiteLLM drops the whole reply (measured)."""
    return isinstance(usage, dict) and usage == counts_of(usage)


def counts_of(usage: Any) -> Document:
    """Return the counts with every one that there has to be."""
    return counted(usage, COUNTS, CACHED)


def call_piece(index: int, use: Document) -> CallPiece:
    """Read a part of a tool call."""
    id_, name, said = str(use.get("toolUseId") or ""), str(use.get("name") or ""), use.get("input")
    if isinstance(said, str):
        return CallPiece(index, id_, name, said)
    return CallPiece(index, id_, name, value=ABSENT if said is None else said)


def block_of(index: int, block: Any) -> Iterator[Event]:
    """Read a block of a whole reply."""
    if not isinstance(block, dict):
        return
    if isinstance(text := block.get("text"), str):
        yield TextEvent(text, index)
    if isinstance(use := block.get("toolUse"), dict):
        yield call_piece(index, use)
        yield CallEnd(index)
    if isinstance(thought := block.get("reasoningContent"), dict):
        said = thought.get("reasoningText")
        if isinstance(said, dict) and isinstance(said.get("text"), str):
            proof = said.get("signature")
            yield ReasoningEvent(said["text"], index, proof if isinstance(proof, str) else "")
        elif isinstance(thought.get("redactedContent"), str):
            yield Other(wrapped(thought["redactedContent"]), index)
    elif not block.keys() & {"text", "toolUse", "reasoningContent"}:
        yield Other(block, index)


def whole_block(event: Event | Called) -> Document | None:
    """Write a block of a whole reply."""
    match event:
        case TextEvent():
            return {"text": event.text}
        case ReasoningEvent():
            proof = {"signature": event.signature} if event.signature else {}
            return {"reasoningContent": {"reasoningText": {"text": event.text, **proof}}}
        case Called():
            return {"toolUse": {"toolUseId": event.id, "name": event.name, "input": event.input}}
        case Other():
            return dict(event.value)
        case _:
            return None


def wrapped(redacted: str) -> Document:
    """Write a redacted thought so that LiteLLM gives it out as it came.

    It decodes what decodes to base64 once more, and is not always told so on the way back.
    """
    return {"reasoningContent": {"redactedContent": b64encode(redacted.encode()).decode()}}


def delta_of(index: int, delta: Document) -> Document:
    """Write a delta of a block."""
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}
