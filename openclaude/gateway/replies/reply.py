"""A slot's reply as claude may keep it: thoughts with our mark, no empty block, no extras.

Knows: Anthropic's reply, whole and as events. Independent of: LiteLLM as a library. Pure.

Why: LiteLLM 1.108.14 turns a provider's reasoning into a thinking block with an empty signature or
the provider's (measured); claude keeps it in the conversation and, after `/model sonnet`, sends it
to Anthropic (measured), which checks signatures: the mark is how `main` knows it. Anthropic also
refuses an empty text block (inferred) and LiteLLM's own keys: Gemini's signature of a call comes as
`provider_specific_fields` (measured); without it LiteLLM sends Gemini the value that means "no
signature", so a thought has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.gateway.replies.thoughts import (
    block_events,
    call_proof,
    empty_start,
    proof_block,
    signature_event,
    text_field,
    whole_thought,
)
from openclaude.gateway.requests.blocks import NOTHING_SAID
from openclaude.gateway.requests.signatures import marked

Event = dict[str, Any]

REASONING = frozenset({"thinking", "redacted_thinking"})
REASONING_DELTAS = frozenset({"thinking_delta", "signature_delta"})
# The keys of the blocks that a slot can answer with, as in Anthropic's API
BLOCK_KEYS = {
    "text": frozenset({"type", "text"}),
    "tool_use": frozenset({"type", "id", "name", "input"}),
}
CITED = BLOCK_KEYS["text"] | {"citations"}  # of Claude's own


def strip_reply(
    message: Mapping[str, Any], signer: str = "", *, cites: bool = False
) -> dict[str, Any]:
    """Return a whole reply without what claude must not keep.

    `signer`: whose thoughts are kept; "" for none. `cites`: whether its citations are.
    """
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    said = [one for block in content for one in kept_of(block, signer, cites=cites)]
    if all(isinstance(block, Mapping) and block.get("type") in REASONING for block in said):
        # if there is no block at all claude repeats the request (measured with Claude Code 2.1.330)
        said.append({"type": "text", "text": NOTHING_SAID})
    calls = any(isinstance(block, Mapping) and block.get("type") == "tool_use" for block in said)
    return {**truly_ended(message, calls=calls), "content": said}


def kept_of(block: Any, signer: str, *, cites: bool) -> list[Any]:
    """Return what claude gets for a block of a whole reply."""
    if isinstance(block, Mapping) and block.get("type") in REASONING:
        thought = whole_thought(block, signer) if signer else None
        return [thought] if thought else []
    if is_unwanted(block):
        return []
    proof = call_proof(block) if signer and isinstance(block, Mapping) else ""
    before = [proof_block(proof, signer)] if proof else []
    return [*before, clean(block, cites=cites)]


def truly_ended(ending: Mapping[str, Any], *, calls: bool) -> dict[str, Any]:
    """Return the stop reason of a reply that called a tool: `tool_use`.

    OpenAI-like servers may call a tool and still say `stop` (reported for llama.cpp and parsers of
    vLLM), which LiteLLM passes on as `end_turn` (measured).
    """
    has_stopped = ending.get("stop_reason") == "end_turn"
    return {**ending, "stop_reason": "tool_use"} if calls and has_stopped else dict(ending)


def is_unwanted(block: object) -> bool:
    """Tell whether a block is an empty text."""
    return isinstance(block, Mapping) and block.get("type") == "text" and not block.get("text")


def clean(block: Any, *, cites: bool = False) -> Any:
    """Return a block without the keys that Anthropic would refuse in a later turn."""
    if not isinstance(block, Mapping):
        return block
    kind = str(block.get("type"))
    keys = CITED if cites and kind == "text" else BLOCK_KEYS.get(kind)
    if keys is None or block.keys() <= keys:
        return block
    return {key: value for key, value in block.items() if key in keys}


class StripEvents:
    """The same for a streamed reply, as a stage.

    The start of a text or a thought is buffered until its first words, because only they show that
    the block is not empty; what proves a thought, until its end. Nothing else is buffered.
    """

    def __init__(self, signer: str = "", *, cites: bool = False) -> None:
        """`signer`: whose thoughts are kept; "" for none. `cites`: whether its citations are."""
        self._signer = signer
        self._cites = cites
        self._index: dict[object, int] = {}  # provider's block index -> claude's
        self._held: dict[object, Event] = {}  # starts of blocks that have no words yet
        self._proofs: dict[object, str] = {}  # what proves the thought in a block, so far
        self._sent = 0
        self._has_said = False
        self._calls = False

    def feed(self, event: Event) -> list[Event]:
        """Return what claude gets for this event; the same object if nothing had to change."""
        match event.get("type"):
            case "content_block_start":
                return self._start(event)
            case "content_block_delta":
                return self._delta(event)
            case "content_block_stop":
                return self._stop(event)
            case "message_delta" if not self._has_said:
                return [*self._placeholder(), event]
            case "message_delta" if self._calls:
                return [self._ended(event)]
            case _:
                return [event]

    def _start(self, event: Event) -> list[Event]:
        block, index = event.get("content_block"), event.get("index")
        kind = block.get("type") if isinstance(block, Mapping) else None
        if kind in REASONING and isinstance(block, Mapping):
            return self._thought(block, index) if self._signer else []
        if kind == "text" and is_unwanted(block):
            self._held[index] = event
            return []
        self._calls = self._calls or kind == "tool_use"
        proof = call_proof(block) if self._signer and isinstance(block, Mapping) else ""
        before = self._whole(proof_block(proof, self._signer)) if proof else []
        return [*before, self._open(event)]

    def _thought(self, block: Mapping[str, Any], index: object) -> list[Event]:
        if block.get("type") == "thinking":
            self._proofs[index] = text_field(block, "signature")
            self._held[index] = {**empty_start(0), "index": index}
            return []
        thought = whole_thought(block, self._signer)
        return self._whole(thought) if thought else []

    def _whole(self, block: Event) -> list[Event]:
        """Return the events of a block of ours."""
        self._sent += 1
        return list(block_events(block, self._sent - 1))

    def _ended(self, event: Event) -> Event:
        """Return the end of a reply that called a tool; the same object if it says so."""
        delta = event.get("delta")
        if not isinstance(delta, Mapping) or delta.get("stop_reason") != "end_turn":
            return event
        return {**event, "delta": truly_ended(delta, calls=True)}

    def _delta(self, event: Event) -> list[Event]:
        delta, index = event.get("delta"), event.get("index")
        kind = delta.get("type") if isinstance(delta, Mapping) else None
        if kind in REASONING_DELTAS and isinstance(delta, Mapping):
            if index not in self._proofs:
                return []
            if kind == "signature_delta":
                self._proofs[index] = text_field(delta, "signature") or self._proofs[index]
                return []
            if not delta.get("thinking"):
                return []
        start = self._held.get(index)
        if start is None:
            return self._renumbered(event)
        if kind == "text_delta" and delta is not None and not delta.get("text"):
            return []
        del self._held[index]
        return [self._open(start), *self._renumbered(event)]

    def _stop(self, event: Event) -> list[Event]:
        index = event.get("index")
        proof = self._proofs.pop(index, None)
        if proof is None:
            return self._renumbered(event)
        start = self._held.pop(index, None)
        if start is not None and not proof:
            return []  # neither words nor a proof
        opened = [] if start is None else [self._open(start)]
        signature = marked(self._signer, proof)
        return [*opened, signature_event(signature, self._index[index]), *self._renumbered(event)]

    def _open(self, start: Event) -> Event:
        self._index[start.get("index")] = self._sent
        self._sent += 1
        block = start.get("content_block")
        if start.get("index") not in self._proofs:
            self._has_said = True
            if (cleaned := clean(block, cites=self._cites)) is not block:
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
        index, self._sent, self._has_said = self._sent, self._sent + 1, True
        block = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": NOTHING_SAID}
        return [
            {"type": "content_block_start", "index": index, "content_block": block},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
