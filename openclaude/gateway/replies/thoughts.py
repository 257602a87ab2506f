"""A slot's thoughts on their way to claude: thinking blocks with our mark, as they come.

Knows: the thinking blocks that LiteLLM 1.108.14 writes (measured), whole and as events. Independent
of: who gets thoughts, how a provider wrote them, LiteLLM as a library. Pure.

A thought's text passes at once. What proves it waits for the block's end, where it gets the mark;
so a signature that a provider made up cannot pass for Anthropic's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.gateway.requests.signatures import CALLS, REDACTED, THINKING, marked

Event = dict[str, Any]


def whole_thought(block: Mapping[str, Any], signer: str) -> Event | None:
    """Return a whole reply's thought with the mark; None for one that says and proves nothing."""
    if block.get("type") == REDACTED:
        data = text_field(block, "data")
        return {"type": REDACTED, "data": marked(signer, data)} if data else None
    words, proof = text_field(block, "thinking"), text_field(block, "signature")
    if not words and not proof:
        return None
    return {"type": THINKING, "thinking": words, "signature": marked(signer, proof)}


def call_proof(block: Mapping[str, Any]) -> str:
    """Return what a provider wants back with a call, which LiteLLM puts beside it; or ""."""
    fields = block.get("provider_specific_fields")
    proof = fields.get("signature") if isinstance(fields, Mapping) else None
    return proof if isinstance(proof, str) else ""


def proof_block(proof: str, signer: str) -> Event:
    """Return a thought without words, that has a call's proof."""
    return {
        "type": THINKING,
        "thinking": "",
        "signature": marked(signer + CALLS, proof),
    }


def block_events(block: Mapping[str, Any], index: int) -> Iterator[Event]:
    """Yield the events of a thought that is whole."""
    if block["type"] == REDACTED:
        yield {"type": "content_block_start", "index": index, "content_block": dict(block)}
    else:
        yield empty_start(index)
        if block["thinking"]:
            delta = {"type": "thinking_delta", "thinking": block["thinking"]}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield signature_event(block["signature"], index)
    yield {"type": "content_block_stop", "index": index}


def signature_event(signature: str, index: int) -> Event:
    """Return the event that says a thought's signature."""
    delta = {"type": "signature_delta", "signature": signature}
    return {"type": "content_block_delta", "index": index, "delta": delta}


def empty_start(index: int) -> Event:
    """Return the start of a thought."""
    block = {"type": THINKING, "thinking": "", "signature": ""}
    return {"type": "content_block_start", "index": index, "content_block": block}


def text_field(block: Mapping[str, Any], key: str) -> str:
    """Return a field of a block that is a text, or ""."""
    value = block.get(key)
    return value if isinstance(value, str) else ""
