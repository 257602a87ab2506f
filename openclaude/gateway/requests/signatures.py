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

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

MARK = "openclaude:"
MARK_BYTES = MARK.encode()
THINKING, REDACTED = "thinking", "redacted_thinking"
# Where a thought's proof is, by the type of its block; and what a turn of nothing else says
PROOFS = {THINKING: "signature", REDACTED: "data"}
CALLS = "-call"  # behind a signer: what it signed is the call that follows, as Gemini does
NOTHING_SAID = "(no content)"
NOTHING = f'{{"type":"text","text":"{NOTHING_SAID}"}}'
# a body may contain half of a surrogate pair, as in truncated text
ENCODING, ERRORS = "utf-8", "surrogatepass"
BLANKS = re.compile(r"[ \t\n\r]*")
Span = tuple[int, int]


def marked(signer: str, signature: str) -> str:
    """Return a signature for claude to keep; `signer` is who made it, without a colon."""
    return f"{MARK}{signer}:{signature}"


@lru_cache(maxsize=64)
def signer_for(model: str) -> str:
    """Return the signer of a model's thoughts, by LiteLLM's name for the model: its provider's."""
    return hashlib.sha256(model.encode()).hexdigest()[:12]


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

    Every other byte is as it was; all are the same ones if there is no such thought, also where a
    text contains the mark. A body that cannot be read is left to its receiver.
    """
    if MARK_BYTES not in body:
        return document, body
    try:
        text = body.decode(ENCODING, ERRORS)
        cuts = list(cuts_in(text))
        if not cuts:
            return document, body
        parts, done = [], 0
        for (start, end), kept in cuts:
            parts += [text[done:start], kept]
            done = end
        text = "".join([*parts, text[done:]])
        return json.loads(text), text.encode(ENCODING, ERRORS)
    except (ValueError, RecursionError):
        return document, body


def cuts_in(text: str) -> Iterator[tuple[Span, str]]:
    """Yield the content of each turn with such thoughts: its place, and its other blocks."""
    for key, (start, _) in members(text):
        if key != "messages" or text[start] != "[":
            continue
        for turn_start, turn_end in elements(text, start):
            if text[turn_start] != "{" or text.find(MARK, turn_start, turn_end) < 0:
                continue
            for name, (at, end) in members(text, turn_start):
                if name == "content" and text[at] == "[":
                    spans = list(elements(text, at))
                    kept = [i for i, span in enumerate(spans) if not is_marked(text, *span)]
                    if len(kept) < len(spans):
                        yield (at, end), with_blocks(text, (at, end), spans, kept)


def with_blocks(text: str, content: Span, spans: list[Span], kept: list[int]) -> str:
    """The content with these of its blocks only, and what is between them as it was."""
    parts = [text[content[0] : spans[0][0]]]
    for place, i in enumerate(kept):
        start, end = spans[i]
        parts += [text[spans[i - 1][1] : start] if place else "", text[start:end]]
    return "".join([*parts, *([] if kept else [NOTHING]), text[spans[-1][1] : content[1]]])


def is_marked(text: str, start: int, end: int) -> bool:
    """Tell whether the block in a part of the text is a thought of ours."""
    if text.find(MARK, start, end) < 0:
        return False
    block = json.loads(text[start:end])
    return signature_of(block) is not None


def members(text: str, at: int = 0) -> Iterator[tuple[str, Span]]:
    """Yield the keys of a JSON object, each with the place of its value. Raises ValueError."""
    decoder = json.JSONDecoder()
    at = after_blanks(text, at)
    if text[at : at + 1] != "{":
        raise ValueError("not a JSON object")
    while text[at : at + 1] in ("{", ","):
        at = after_blanks(text, at + 1)
        if text[at : at + 1] != '"':
            break  # an empty object
        key, at = decoder.raw_decode(text, at)
        start = after_blanks(text, after_blanks(text, at) + 1)  # past the colon
        _, end = decoder.raw_decode(text, start)
        yield key, (start, end)
        at = after_blanks(text, end)


def elements(text: str, at: int) -> Iterator[Span]:
    """Yield the places of a JSON list's values; `at` is its bracket. Raises ValueError."""
    decoder = json.JSONDecoder()
    while text[at : at + 1] in ("[", ","):
        start = after_blanks(text, at + 1)
        if text[start : start + 1] == "]":
            break
        _, end = decoder.raw_decode(text, start)
        yield start, end
        at = after_blanks(text, end)


def after_blanks(text: str, at: int) -> int:
    """The place of the next character that is not whitespace."""
    match = BLANKS.match(text, at)
    return match.end() if match else at
