"""Gemini's generateContent, of Google AI Studio and Vertex AI.

Knows: https://ai.google.dev/api/generate-content. Independent of: models. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from openclaude.gateway.replies.dialects.base import (
    Called,
    Document,
    foreign,
    input_of,
    listed,
    regrouped,
)
from openclaude.gateway.replies.dialects.envelope import counted, repair
from openclaude.gateway.replies.events import (
    CallEnd,
    CallPiece,
    Ending,
    Event,
    Finish,
    Other,
    ReasoningEvent,
    ReplyFailure,
    TextEvent,
)
from openclaude.gateway.replies.frames import ServerSentFrames
from openclaude.gateway.replies.reasons import finish

ENDINGS = {
    Ending.STOP: "STOP",
    Ending.CALLS: "STOP",
    Ending.LENGTH: "MAX_TOKENS",
    Ending.REFUSAL: "SAFETY",
}
NATIVE = frozenset(
    {"STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}
)
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"} | {
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
ENVELOPE = ("modelVersion", "responseId", "createTime")
COUNTS = (
    *("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount"),
    "cachedContentTokenCount",
    "toolUsePromptTokenCount",
)
# What may be beside the content of an answer, and of which types
BESIDE: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("index", "tokenCount"), int),
    **dict.fromkeys(("finishReason", "finishMessage"), str),
    **dict.fromkeys(("citationMetadata", "groundingMetadata", "logprobsResult"), dict),
    **{"content": dict, "urlContextMetadata": dict, "safetyRatings": list},
    "avgLogprobs": (int, float),
}
EMPTY = "FINISH_REASON_UNSPECIFIED"


class Gemini:
    """A reply of `:generateContent` or `:streamGenerateContent`."""

    def __init__(self) -> None:
        self._count = 0
        self._is_fine = True  # nothing around the last document's answer had to be repaired
        self._envelope: Document = {}

    def framing(self) -> ServerSentFrames:
        """Server-sent events without names."""
        return ServerSentFrames()

    def read(self, document: Any) -> list[Event]:
        """Read a response."""
        if not isinstance(document, dict) or document.get("error"):
            return [foreign(document)]
        self._repair(document)
        candidates = document.get("candidates")
        if not candidates:
            return self._without(document)
        found = [one for one in listed(candidates) if isinstance(one, dict)]
        if not found:
            return [foreign(document)]
        events = [one for candidate in found for one in self._candidate(candidate)]
        ends = [one for one in events if isinstance(one, Finish | ReplyFailure)]
        failures = [one for one in ends if isinstance(one, ReplyFailure)]
        return [*(one for one in events if one not in ends), *(failures or ends)[-1:]]

    def _candidate(self, candidate: Document) -> Iterator[Event]:
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else content
        for part in listed(parts):
            yield from self._part(part)
        reason = candidate.get("finishReason", candidate.get("finish_reason"))
        if reason and reason != EMPTY:
            yield finish(str(reason), str(candidate.get("finishMessage") or ""))

    def _repair(self, document: Document) -> None:
        """Take out what LiteLLM cannot read around an answer."""
        self._is_fine = repair(document, dict.fromkeys(ENVELOPE))
        usage = document.get("usageMetadata", {})
        if usage != (fixed := counted(usage, (), COUNTS)):
            self._is_fine = False
            document["usageMetadata"] = fixed
        if not isinstance(document.get("promptFeedback", {}), dict):
            self._is_fine = False
            del document["promptFeedback"]

    def _without(self, document: Document) -> list[Event]:
        """Read a response without an answer: a blocked prompt, or only the usage."""
        feedback = document.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            return [
                TextEvent(f"[The provider blocked the prompt: {feedback['blockReason']}]"),
                Finish(Ending.REFUSAL),
            ]
        is_known = "candidates" in document or "usageMetadata" in document or not document
        return [] if is_known or "promptFeedback" in document else [foreign(document)]

    def _part(self, part: Any) -> Iterator[Event]:
        if not isinstance(part, dict):
            return
        call = part.get("functionCall", part.get("function_call"))
        if isinstance(text := part.get("text"), str):
            yield ReasoningEvent(text) if part.get("thought") else TextEvent(text)
        if isinstance(call, dict):
            self._count += 1
            yield CallPiece(
                self._count,
                "",  # LiteLLM generates its own
                str(call.get("name") or ""),
                value=input_of(call),
                extra=part.get("thoughtSignature", part.get("thought_signature")),
            )
            yield CallEnd(self._count)
        elif not part.keys() & {"text", "functionCall"} and part.keys() - {"thoughtSignature"}:
            yield Other(part)

    def keeps(self, document: Any) -> bool:
        """Tell whether LiteLLM reads this response correctly."""
        candidates = document.get("candidates")
        if not candidates or not self._is_fine or not is_typed(candidates[0]):
            return False
        content = candidates[0].get("content", {"parts": []})
        parts = content.get("parts", [])
        is_plain = isinstance(parts, list) and all(isinstance(part, dict) for part in parts)
        is_plain = is_plain and isinstance(document.get("usageMetadata", {}), dict)
        is_plain = is_plain and not any("functionCall" in part for part in parts)
        texts = [part["text"] for part in parts if "text" in part]
        is_plain = is_plain and all(isinstance(text, str) for text in texts)
        is_plain = is_plain and not any("function_call" in part for part in parts)
        is_one = len(candidates) == 1 and "finish_reason" not in candidates[0]
        return is_plain and is_one and candidates[0].get("finishReason", "STOP") in NATIVE

    def passes(self, document: Any) -> bool:
        """Tell whether a document passes: one with only the usage does."""
        is_empty = "candidates" not in document and "promptFeedback" not in document
        return is_empty and isinstance(document.get("usageMetadata"), dict)

    def write(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Write a response for each event; the usage stays where it was."""
        usage = None
        if isinstance(document, dict):
            self._envelope = {key: document[key] for key in ENVELOPE if key in document}
            usage = document.get("usageMetadata")
        documents = [
            {**self._envelope, "candidates": [one]}
            for event in regrouped(events)
            if (one := candidate_of(event))
        ]
        if isinstance(usage, dict) and documents:
            documents[-1]["usageMetadata"] = usage
        return documents

    def is_end(self, _document: Any) -> bool:
        """Return False: Gemini has no closing document."""
        return False

    def end(self) -> list[Any]:
        """Return nothing: Gemini has no closing document."""
        return []

    def tell(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Return the responses for a whole one."""
        return self.write(events, document)

    def read_whole(self, document: Any) -> list[Event]:
        """Read a whole response."""
        return self.read(document) or [foreign(document)]

    def keeps_whole(self, document: Any) -> bool:
        """Tell whether LiteLLM reads a whole response correctly."""
        return self.keeps(document)

    def write_whole(self, events: Sequence[Event], document: Any) -> Any:
        """Write a whole response."""
        parts = [part for event in regrouped(events) if (part := part_of(event))]
        ends = [event for event in events if isinstance(event, Finish)]
        candidate = {
            "content": {"role": "model", "parts": parts},
            "finishReason": finish_reason_of(ends[-1]) if ends else "STOP",
            "index": 0,
        }
        kept = {key: document[key] for key in (*ENVELOPE, "usageMetadata") if key in document}
        return {**kept, "candidates": [candidate]}

    def error(self, status: int, message: str) -> tuple[Document, dict[str, str]]:
        """Return an error in Google's format."""
        said = {"code": status, "message": message, "status": STATUS.get(status, "UNKNOWN")}
        return {"error": said}, {}


def is_typed(candidate: Document) -> bool:
    """Return whether everything in a candidate has the type that it should have."""
    ratings = candidate.get("safetyRatings", [])
    return all(isinstance(value, BESIDE.get(key, ())) for key, value in candidate.items()) and all(
        isinstance(one, dict) for one in ratings
    )


def finish_reason_of(end: Finish) -> str:
    """Return Gemini's finish reason for an ending."""
    return end.reason if end.reason in NATIVE else ENDINGS[end.ending]


def candidate_of(event: Event | Called) -> Document | None:
    """Write a candidate with one event."""
    if isinstance(event, Finish):
        content = {"role": "model", "parts": [{"text": ""}]}
        return {"content": content, "finishReason": finish_reason_of(event), "index": 0}
    part = part_of(event)
    return {"content": {"role": "model", "parts": [part]}, "index": 0} if part else None


def part_of(event: Event | Called) -> Document | None:
    """Write a part with one event."""
    match event:
        case TextEvent():
            return {"text": event.text}
        case ReasoningEvent():
            return {"text": event.text, "thought": True}
        case Called():
            part: Document = {"functionCall": {"name": event.name, "args": event.input}}
            return part | ({"thoughtSignature": event.extra} if event.extra else {})
        case Other():
            return dict(event.value)
        case _:
            return None
