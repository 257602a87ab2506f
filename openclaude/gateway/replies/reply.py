"""A slot's reply as claude may keep it: no unsigned thought, no empty block, no extras.

Knows: Anthropic's reply, whole and as events. Independent of: LiteLLM as a library. Pure.

Why: LiteLLM 1.108.14 turns a provider's reasoning into a thinking block with an empty signature
(measured); claude keeps it in the conversation and, after `/model sonnet`, sends it to Anthropic
(measured), which checks signatures. Anthropic also refuses an empty text block (inferred) and
LiteLLM's own keys: Gemini's signature of a call comes as `provider_specific_fields` (measured);
without it LiteLLM sends Gemini the value that means "no signature". The thoughts of Claude at
another provider are signed; they are kept with the signer's mark (`requests.signatures`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.gateway.requests.blocks import NOTHING_SAID
from openclaude.gateway.requests.signatures import PROOFS, marked

Event = dict[str, Any]

REASONING = frozenset({"thinking", "redacted_thinking"})
REASONING_DELTAS = frozenset({"thinking_delta", "signature_delta"})
# The keys of the blocks that a slot can answer with, as in Anthropic's API
BLOCK_KEYS = {
    "text": frozenset({"type", "text"}),
    "tool_use": frozenset({"type", "id", "name", "input"}),
}
CITED = BLOCK_KEYS["text"] | {"citations"}  # of Claude's own


def strip_reply(message: Mapping[str, Any], signer: str = "") -> dict[str, Any]:
    """Return a whole reply without what claude must not keep.

    `signer`: who serves a Claude and signs its thoughts, or "".
    """
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    kept = [clean(block, signer) for block in content if not is_unwanted(block, signer)]
    # if there is no block at all claude repeats the request (measured with Claude Code 2.1.330)
    said = kept or [{"type": "text", "text": NOTHING_SAID}]
    calls = any(isinstance(block, Mapping) and block.get("type") == "tool_use" for block in said)
    return {**truly_ended(message, calls=calls), "content": said}


def truly_ended(ending: Mapping[str, Any], *, calls: bool) -> dict[str, Any]:
    """Return the stop reason of a reply that called a tool: `tool_use`.

    OpenAI-like servers may call a tool and still say `stop` (reported for llama.cpp and parsers of
    vLLM), which LiteLLM passes on as `end_turn` (measured).
    """
    has_stopped = ending.get("stop_reason") == "end_turn"
    return {**ending, "stop_reason": "tool_use"} if calls and has_stopped else dict(ending)


def is_unwanted(block: object, signer: str = "") -> bool:
    """Tell whether a block is an unsigned thought or an empty text."""
    if not isinstance(block, Mapping):
        return False
    kind = block.get("type")
    return kind in REASONING and not signer if kind != "text" else not block.get("text")


def clean(block: Any, signer: str = "") -> Any:
    """Return a block without the keys that Anthropic would refuse in a later turn, and signed."""
    if not isinstance(block, Mapping):
        return block
    kind = str(block.get("type"))
    if signer and (proof := PROOFS.get(kind)):
        return {**block, proof: marked(signer, str(block.get(proof) or ""))}
    keys = CITED if signer and kind == "text" else BLOCK_KEYS.get(kind)
    if keys is None or block.keys() <= keys:
        return block
    return {key: value for key, value in block.items() if key in keys}


class StripEvents:
    """The same for a streamed reply, as a stage.

    The start of a text block is buffered until its first text, because only that shows that the
    block is not empty. Nothing else is buffered.
    """

    def __init__(self, signer: str = "") -> None:
        self._signer = signer
        self._index: dict[object, int] = {}  # provider's block index -> claude's
        self._held: dict[object, Event] = {}  # starts of text blocks that have no text yet
        self._sent = 0
        self._calls = False

    def feed(self, event: Event) -> list[Event]:
        """Return what claude gets for this event; the same object if nothing had to change."""
        match event.get("type"):
            case "content_block_start":
                return self._start(event)
            case "content_block_delta":
                return self._delta(event)
            case "content_block_stop":
                return self._renumbered(event)
            case "message_delta" if not self._sent:
                return [*self._placeholder(), event]
            case "message_delta" if self._calls:
                return [self._ended(event)]
            case _:
                return [event]

    def _start(self, event: Event) -> list[Event]:
        block = event.get("content_block")
        kind = block.get("type") if isinstance(block, Mapping) else None
        if kind in REASONING and not self._signer:
            return []
        if kind == "text" and is_unwanted(block):
            self._held[event.get("index")] = event
            return []
        self._calls = self._calls or kind == "tool_use"
        return [self._open(event)]

    def _ended(self, event: Event) -> Event:
        """Return the end of a reply that called a tool; the same object if it says so."""
        delta = event.get("delta")
        if not isinstance(delta, Mapping) or delta.get("stop_reason") != "end_turn":
            return event
        return {**event, "delta": truly_ended(delta, calls=True)}

    def _delta(self, event: Event) -> list[Event]:
        delta = event.get("delta")
        kind = delta.get("type") if isinstance(delta, Mapping) else None
        if kind in REASONING_DELTAS and not self._signer:
            return []
        if kind == "signature_delta" and delta is not None:
            signature = marked(self._signer, str(delta.get("signature") or ""))
            event = {**event, "delta": {**delta, "signature": signature}}
        start = self._held.get(event.get("index"))
        if start is None:
            return self._renumbered(event)
        if kind == "text_delta" and delta is not None and not delta.get("text"):
            return []
        del self._held[event.get("index")]
        return [self._open(start), *self._renumbered(event)]

    def _open(self, start: Event) -> Event:
        self._index[start.get("index")] = self._sent
        self._sent += 1
        block = start.get("content_block")
        if (cleaned := clean(block, self._signer)) is not block:
            start = {**start, "content_block": cleaned}
        return self._renumbered(start)[0]

    def _renumbered(self, event: Event) -> list[Event]:
        """Return the event under claude's index; nothing for a block that claude does not see."""
        index = self._index.get(event.get("index"))
        if index is None:
            return []
        return [event if event.get("index") == index else {**event, "index": index}]

    def _placeholder(self) -> list[Event]:
        """Return a block for a reply that would have none."""
        self._sent = 1
        delta = {"type": "text_delta", "text": NOTHING_SAID}
        return [
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            },
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
        ]
