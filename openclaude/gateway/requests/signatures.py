"""Signatures of thoughts: whose they are, so that each provider gets only what it has signed.

Knows: the mark that a slot's thoughts and web searches carry inside a conversation of claude's, and
how a body is rewritten for Anthropic, which signed none of them. Independent of: what a provider's
signature is. Pure.

A thought is a proof for the provider that signed it. claude sends every thought of a session to
whichever model comes next, and Anthropic refuses a conversation with a signature that it did not
make. So a slot's thoughts come to claude with `openclaude:SIGNER:` in front of the signature: the
signer gets them back without the mark, and no other provider gets them at all. The same holds for a
web search that was none of Anthropic's: to Anthropic its results are told as text.
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
# in front of the id of a search of ours; Anthropic wants `srvtoolu_` and then only letters
SEARCH_MARK = "srvtoolu_openclaude"
MARKS = (MARK_BYTES, SEARCH_MARK.encode())
THINKING, REDACTED = "thinking", "redacted_thinking"
SEARCHES, SEARCHED = "server_tool_use", "web_search_tool_result"
SEARCH_IDS = {SEARCHES: "id", SEARCHED: "tool_use_id"}
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
    """Return a request without thoughts and searches of slots: what Anthropic may see.

    It is returned parsed and as bytes. Every other byte is as it was; all are the same ones if
    there is nothing of a slot's, also where a text contains a mark. A body that cannot be read is
    left to its receiver.
    """
    if not any(mark in body for mark in MARKS):
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
    """Yield the content of each turn with such blocks: its place, and what takes its place."""
    for key, (start, _) in members(text):
        if key != "messages" or text[start] != "[":
            continue
        for turn_start, turn_end in elements(text, start):
            if text[turn_start] != "{" or not has_mark(text, turn_start, turn_end):
                continue
            for name, (at, end) in members(text, turn_start):
                if name == "content" and text[at] == "[":
                    spans = list(elements(text, at))
                    said = [for_anthropic(text, *span) for span in spans]
                    if any(words is not None for words in said):
                        yield (at, end), with_blocks(text, (at, end), spans, said)


def with_blocks(text: str, content: Span, spans: list[Span], said: list[str | None]) -> str:
    """The content with `said` in place of blocks, and what is between them as it was.

    "" removes a block, None keeps it.
    """
    parts: list[str] = []
    for i, (start, end) in enumerate(spans):
        words = said[i]
        if words != "":
            between = text[spans[i - 1][1] : start] if parts else ""
            parts += [between, text[start:end] if words is None else words]
    head, tail = text[content[0] : spans[0][0]], text[spans[-1][1] : content[1]]
    return "".join([head, *(parts or [NOTHING]), tail])


def has_mark(text: str, start: int, end: int) -> bool:
    """Tell whether a part of the text has a mark of ours, wherever in it."""
    return text.find(MARK, start, end) >= 0 or text.find(SEARCH_MARK, start, end) >= 0


def for_anthropic(text: str, start: int, end: int) -> str | None:
    """What is to stand for the block in a part of the text; "" for nothing, None for the block."""
    if not has_mark(text, start, end):
        return None
    block = json.loads(text[start:end])
    if signature_of(block) is not None:
        return ""
    if not is_own_search(block):
        return None
    said = {"type": "text", "text": results_as_text(block)}
    return json.dumps(said) if block["type"] == SEARCHED else ""


def is_own_search(block: object) -> bool:
    """Tell whether a block is a web search of ours, or what it has found."""
    kind = block.get("type") if isinstance(block, Mapping) else None
    key = SEARCH_IDS.get(kind) if isinstance(kind, str) else None
    found = block.get(key) if isinstance(block, Mapping) and key else None
    return isinstance(found, str) and found.startswith(SEARCH_MARK)


def results_as_text(block: Mapping[str, Any]) -> str:
    """Return what a web search found; the pages are encrypted for Anthropic."""
    content = block.get("content")
    hits = [hit for hit in content if isinstance(hit, Mapping)] if isinstance(content, list) else []
    lines = [f"- {named(hit, 'title')} ({named(hit, 'url')})" for hit in hits]
    return "\n".join(["Web search results:", *(lines or ["(none)"])])


def named(hit: Mapping[str, Any], key: str) -> str:
    """Return a field of a search's hit, if it is a text."""
    value = hit.get(key)
    return value if isinstance(value, str) else "unknown"


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
