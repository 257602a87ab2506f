"""Signatures of thoughts: whose they are, so that each provider gets only what it has signed.

Knows: the mark that a slot's thoughts carry inside a conversation of claude's, and how a body is
rewritten for Anthropic, which signed none of them. Independent of: what a provider's signature is.
Pure.

A thought is a proof for the provider that signed it. claude sends every thought of a session to
whichever model comes next, and Anthropic refuses a conversation with a signature that it did not
make. So a slot's thoughts come to claude with `openclaude:SIGNER:` in front of the signature: the
signer gets them back without the mark, and no other provider gets them at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

MARK = "openclaude:"
MARK_BYTES = MARK.encode()
# Where a thought's proof is, by the type of its block; and what a turn of nothing else says
PROOFS = {"thinking": "signature", "redacted_thinking": "data"}
NOTHING_SAID = "(no content)"


def marked(signer: str, signature: str) -> str:
    """Return a signature for claude to keep; `signer` is who made it, without a colon."""
    return f"{MARK}{signer}:{signature}"


def signature_of(block: object) -> tuple[str, str] | None:
    """Return the signer and the signature of a thought with our mark; None for any other block."""
    kind = block.get("type") if isinstance(block, Mapping) else None
    key = PROOFS.get(kind) if isinstance(kind, str) else None
    proof = block.get(key) if isinstance(block, Mapping) and key else None
    if not isinstance(proof, str) or not proof.startswith(MARK):
        return None
    signer, colon, signature = proof.removeprefix(MARK).partition(":")
    return (signer, signature) if colon else None


def for_signer(block: Mapping[str, Any], signer: str) -> Mapping[str, Any] | None:
    """Return a thought as its signer gets it back; None if it did not sign it."""
    found = signature_of(block)
    if found is None or found[0] != signer:
        return None
    return {**block, PROOFS[block["type"]]: found[1]}


def without_marked(document: Mapping[str, Any], body: bytes) -> tuple[Mapping[str, Any], bytes]:
    """Return a request without the thoughts of slots, parsed and as bytes: what Anthropic may see.

    The bytes are the same ones if there is no such thought, also where a text contains the mark.
    """
    if MARK_BYTES not in body:
        return document, body
    messages = document.get("messages")
    if not isinstance(messages, list):
        return document, body
    kept = [turn_without_marked(turn) for turn in messages]
    if all(one is turn for one, turn in zip(kept, messages, strict=True)):
        return document, body
    document = {**document, "messages": kept}
    try:
        return document, orjson.dumps(document)
    except TypeError:  # half of a surrogate pair, or a number of more than 64 bits
        return document, json.dumps(document).encode()


def turn_without_marked(turn: Any) -> Any:
    """Return a turn without thoughts of slots; the same object if there is none in it."""
    content = turn.get("content") if isinstance(turn, Mapping) else None
    if not isinstance(content, list):
        return turn
    kept = [block for block in content if signature_of(block) is None]
    if len(kept) == len(content):
        return turn
    return {**turn, "content": kept or [{"type": "text", "text": NOTHING_SAID}]}
