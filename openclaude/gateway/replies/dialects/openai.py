"""OpenAI's chat completions, which most servers implement, each in its own way.

Knows: https://platform.openai.com/docs/api-reference/chat and how servers deviate from it.
Independent of: which server it is. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from openclaude.gateway.replies.dialects.base import (
    Document,
    block_number,
    calls_of,
    ending_of,
    failure_of,
    foreign,
    input_of,
    listed,
    openai_error,
    text_of,
)
from openclaude.gateway.replies.dialects.content import content_of
from openclaude.gateway.replies.dialects.envelope import counted, is_number, repair
from openclaude.gateway.replies.events import (
    CallBeat,
    CallDone,
    CallEnd,
    CallOpen,
    CallPiece,
    Ending,
    Event,
    Finish,
    ReasoningEvent,
    TextEvent,
)
from openclaude.gateway.replies.frames import DONE, ServerSentFrames
from openclaude.gateway.replies.reasons import finish, is_failing

ENDINGS = {
    Ending.STOP: "stop",
    Ending.CALLS: "tool_calls",
    Ending.LENGTH: "length",
    Ending.REFUSAL: "content_filter",
}
NATIVE = frozenset(ENDINGS.values())
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
CHUNK = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": ""}
OPTIONAL = dict.fromkeys(("system_fingerprint", "provider", "service_tier"))
MESSAGES = frozenset({"message", "delta", "text"})  # where a choice has its message
FAILURES = ("errors", "detail", "error_code", "error_msg", "error_message", "message", "msg")
ROLES = (None, "assistant")  # LiteLLM knows a few, and fails on any other (measured)
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
ENVELOPE = ("id", "object", "created", "model", "system_fingerprint", "provider", "service_tier")


class OpenAIChat:
    """A reply of `/chat/completions`."""

    def __init__(self) -> None:
        self._envelope: Document = dict(CHUNK)
        self._is_fine = True  # nothing around the last document's answer had to be repaired
        self._has_refused = False
        self._last = -1  # the call that a piece without an index and an id belongs to
        self._places: dict[str, int] = {}  # the index of each call, by its id
        self._written = -1

    def framing(self) -> ServerSentFrames:
        """Server-sent events without names."""
        return ServerSentFrames()

    def read(self, document: Any) -> list[Event]:
        """Read a chunk."""
        if not isinstance(document, dict) or document.get("error"):
            return [foreign(document)]
        if not document.get("choices") and says_failure(document):
            return [foreign(document)]
        self._repair(document)
        choices = [one for one in listed(document.get("choices")) if isinstance(one, dict)]
        return self._choices(choices, is_whole=False)

    def _choices(self, choices: list[Document], *, is_whole: bool) -> list[Event]:
        """Read all choices as one: some servers give the text and each call one of its own."""
        events: list[Event] = []
        ends: list[Event] = []
        for choice in choices:
            if choice.get("error"):
                return [*events, failure_of(choice["error"])]
            events += self._message(message_of(choice), is_whole=is_whole)
            ends += self._end(choice)
        failures = [end for end in ends if not isinstance(end, Finish)]
        return [*events, *(failures or ends)[-1:]]

    def _repair(self, document: Document) -> None:
        """Give a document the envelope that LiteLLM needs, where it has none."""
        self._is_fine = has_envelope(document)
        if not self._is_fine:
            repair(document, {**self._envelope, **OPTIONAL})
        usage = document.get("usage")
        if usage is not None and usage != (fixed := counted(usage, COUNTS)):
            self._is_fine = False
            document["usage"] = fixed

    def _message(self, message: Document, *, is_whole: bool) -> Iterator[Event]:
        thoughts = [message[key] for key in THOUGHTS if isinstance(message.get(key), str)]
        if any(thoughts):
            yield ReasoningEvent(max(thoughts, key=len))
        content = message.get("content")
        calls = [part for part in listed(content) if is_call(part)]
        if calls:
            content = [part for part in listed(content) if not is_call(part)]
        yield from content_of(content)
        self._has_refused = self._has_refused or any(map(is_refusal, listed(content)))
        if refusal := message.get("refusal"):
            self._has_refused = True
            yield TextEvent(str(refusal))
        for call in (*calls, *calls_listed(message.get("tool_calls"))):
            yield from self._call(call, is_whole=is_whole)
        if isinstance(legacy := message.get("function_call"), dict):
            yield from self._call({"index": 0, "id": "call_legacy", "function": legacy})

    def _call(self, call: Any, *, is_whole: bool = False) -> Iterator[Event]:
        if not isinstance(call, dict):
            return
        function = call.get("function")
        if not isinstance(function, dict):
            function = call  # some servers leave out the `function` level
        id_, name = str(call.get("id") or ""), str(function.get("name") or "")
        self._last = index = self._place(None if is_whole else call.get("index"), id_, name)
        said = input_of(function)
        if isinstance(said, str):
            yield CallPiece(index, id_, name, said)
        else:
            yield CallPiece(index, id_, name, value=said)
        if is_whole:
            yield CallEnd(index)

    def _place(self, index: Any, id_: str, name: str) -> int:
        """Return the number of the call that a piece belongs to."""
        place = block_number(index)
        if place is None:
            is_new = id_ not in self._places and bool(name)
            place = self._places.get(id_, self._last + 1 if is_new and id_ else max(self._last, 0))
        if id_:
            self._places[id_] = place
        return place

    def _end(self, choice: Document) -> list[Event]:
        reason = reason_of(choice.get("finish_reason"))
        if not reason:
            return []
        native = str(choice.get("native_finish_reason") or "")
        end = finish(reason, native)
        if isinstance(end, Finish) and end.ending is Ending.STOP and is_failing(native):
            return [finish(native)]
        if self._has_refused and isinstance(end, Finish) and end.ending is Ending.STOP:
            return [Finish(Ending.REFUSAL)]
        return [end]

    def keeps(self, document: Any) -> bool:
        """Tell whether LiteLLM reads this chunk correctly."""
        choices = document.get("choices")
        is_fine = self._is_fine and not self._has_refused
        if not isinstance(choices, list) or len(choices) > 1 or not is_fine:
            return False
        if not choices:
            return isinstance(document.get("usage", {}), dict | None)
        choice = choices[0]
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict) or choice.get("index") != 0 or "finish_reason" not in choice:
            return False
        if delta.get("role") not in ROLES or delta.get("text") or choice.get("text"):
            return False
        if not isinstance(delta.get("content"), str | None) or delta.get("refusal"):
            return False
        if delta.get("tool_calls") or delta.get("function_call"):
            return False
        thoughts = [delta[key] for key in THOUGHTS if key in delta]
        if not all(isinstance(thought, str | None) for thought in thoughts):
            return False
        return choice.get("finish_reason") in (None, *NATIVE)

    def passes(self, document: Any) -> bool:
        """Tell whether a chunk passes: one with only the usage does."""
        return isinstance(document.get("usage"), dict) and document.get("choices") == []

    def keeps_whole(self, document: Any) -> bool:
        """Tell whether LiteLLM reads this completion correctly."""
        choice = document["choices"][0]
        message = choice["message"]
        if not self._is_fine or message.get("role") not in ROLES or message.get("text"):
            return False
        is_plain = isinstance(message["content"], str | None) and not message.get("refusal")
        is_plain = is_plain and not message.get("tool_calls") and not message.get("function_call")
        return is_plain and choice.get("finish_reason") in NATIVE and len(document["choices"]) == 1

    def write(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Write a chunk for each event, and the usage where it was."""
        usage = None
        if isinstance(document, dict):
            self._envelope = {key: document[key] for key in ENVELOPE if key in document}
            self._envelope["object"] = "chat.completion.chunk"
            usage = document.get("usage")
        chunks = [self._chunk(event) for event in events]
        if isinstance(usage, dict) and chunks:
            chunks[-1]["usage"] = usage
        return chunks

    def _chunk(self, event: Event) -> Document:
        reason = None
        delta: Document = {}
        match event:
            case TextEvent():
                delta = {"content": event.text}
            case ReasoningEvent():
                # OpenRouter's name for it is the only one that LiteLLM reads there (measured)
                delta = {"reasoning_content": event.text, "reasoning": event.text}
            case CallOpen():
                self._written += 1
                function = {"name": event.name, "arguments": ""}
                call = {"index": self._written, "id": event.id, "type": "function"}
                delta = {"tool_calls": [{**call, "function": function}]}
            case CallBeat() | CallDone():
                function = {"arguments": event.arguments if isinstance(event, CallDone) else ""}
                delta = {"tool_calls": [{"index": self._written, "function": function}]}
            case Finish():
                reason = ENDINGS[event.ending]
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**self._envelope, "choices": [choice]}

    def is_end(self, _document: Any) -> bool:
        """Return False: only `[DONE]` closes a stream."""
        return False

    def end(self) -> list[Any]:
        """Return `[DONE]`."""
        return [DONE]

    def tell(self, events: Sequence[Event], document: Any) -> list[Any]:
        """Return the chunks for a completion."""
        return [*self.write(events, document), DONE]

    def read_whole(self, document: Any) -> list[Event]:
        """Read a whole completion."""
        if not isinstance(document, dict) or document.get("error"):
            return [foreign(document)]
        choices = [one for one in listed(document.get("choices")) if isinstance(one, dict)]
        if not choices or not (MESSAGES & choices[0].keys() or choices[0].get("error")):
            return [foreign(document)]
        self._repair(document)
        return self._choices(choices, is_whole=True)

    def write_whole(self, events: Sequence[Event], document: Any) -> Any:
        """Write a completion."""
        calls = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in calls_of(events)
        ]
        thoughts = "".join(event.text for event in events if isinstance(event, ReasoningEvent))
        message: Document = {"role": "assistant", "content": text_of(events) or None}
        message |= {"tool_calls": calls} if calls else {}
        message |= {"reasoning_content": thoughts} if thoughts else {}
        reason = ENDINGS[ending_of(events).ending]
        choice = {"index": 0, "message": message, "finish_reason": reason}
        kept = {key: document[key] for key in (*ENVELOPE, "usage") if document.get(key) is not None}
        return {**CHUNK, **kept} | {
            "object": "chat.completion",
            "choices": [choice],
        }

    def error(self, status: int, message: str) -> tuple[Document, dict[str, str]]:
        """Return an error in OpenAI's format."""
        return openai_error(status, message)


def message_of(choice: Document) -> Document:
    """Return the message of a choice; a text in its place is its content."""
    said = next((choice[key] for key in ("delta", "message", "text") if choice.get(key)), None)
    message = {"content": said} if isinstance(said, str) else said
    if not isinstance(message, dict):
        return {}
    is_bare = isinstance(message.get("text"), str) and not message.get("content")
    return {**message, "content": message["text"]} if is_bare else message


def calls_listed(said: Any) -> list[Any]:
    """Return calls: a list, one call in its place, or an object with their indexes as keys."""
    if isinstance(said, dict) and said and all(key.isdecimal() for key in said):
        return [{"index": int(key), **call} for key, call in said.items() if isinstance(call, dict)]
    return listed(said)


def is_call(part: Any) -> bool:
    """Tell whether a part of a content is a call, as bridges from Anthropic's API write it."""
    return isinstance(part, dict) and part.get("type") == "tool_use" and "name" in part


def is_refusal(part: Any) -> bool:
    """Tell whether a part of a content is a refusal."""
    return isinstance(part, dict) and bool(part.get("refusal"))


def reason_of(said: Any) -> str:
    """Return a finish reason; "" if there is none, which some servers spell out in every chunk."""
    if isinstance(said, dict):
        said = said.get("type")
    reason = said if isinstance(said, str) else ""
    return "" if reason.lower() in ("null", "none") else reason


def says_failure(document: Document) -> bool:
    """Tell whether a chunk without choices reports a failure, in whatever words."""
    base = document.get("base_resp")  # MiniMax
    if isinstance(base, dict) and base.get("status_code"):
        return True
    return any(document.get(key) for key in FAILURES) or document.get("success") is False


def has_envelope(document: Document) -> bool:
    """Tell whether everything around an answer has its type: true of nearly every chunk."""
    texts = (document.get("id"), document.get("model"), document.get("object"))
    if not is_number(document.get("created")) or not all(isinstance(one, str) for one in texts):
        return False
    return all(isinstance(document.get(key), str | None) for key in OPTIONAL)
