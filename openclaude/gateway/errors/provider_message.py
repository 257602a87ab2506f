"""Extracts the provider's own message from all the wrapping around an error.

Knows: how LiteLLM 1.108.14 nests errors over the hop (measured: an Anthropic error whose message is
a Python class name, a JSON document that nests the same again, a note about model groups, and
sometimes a traceback), and where providers put their reason. Independent of: what the error means;
that is slot_errors.py. Pure.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from openclaude.gateway.errors.redaction import looked_at, presentable

LAYERS = 16  # measured: at most eight
BYTES = ("b'", 'b"')
LARGEST_LITERAL = 1 << 16  # longest Python literal that is parsed, in characters

# `litellm.X: `, `OpenrouterException - `, `BedrockException Invalid Authentication - `,
# `AzureException RateLimitError - `, the prefixes that Bedrock and `openai` add to an error, ...
WRAPPER = re.compile(
    r"(?:litellm\.)?(?P<kind>\w{1,80}+(?<=Error|ption)|Timeout)"
    r"(?: Invalid Authentication| \w{1,80}+(?<=Error))?\s{0,8}"
    r"(?:[:-](?:\s{1,8}|$)|(?=\{))"
    r"|(?:Timeout|Rate Limit|Context Window) Error\s{0,8}[:-]\s{1,8}"
    r"|Error code: (?P<code>\d{3})(?: - |$)"
    r"|The model returned the following errors: "
)
# What LiteLLM appends to the error
GROUP = "LiteLLM: model group '"
TAILS = (
    f"\n\n{GROUP}",
    "Traceback (most recent call last):",
    "\n\nThis looks like a bug in LiteLLM",
)
CONTEXT_TAIL = ("\nmodel=", "context_window_fallbacks=")
LONGEST_MODEL = 400  # characters between those two
MESSAGE = re.compile(r"""["']message["']\s{0,8}:\s{0,8}(?:"([^"]++)|'([^']++))""")

# Keys that may hold a provider's reason in an error document, best first
REASONS = (
    *("message", "Message", "detail", "msg", "status_msg", "error_description", "errorMessage"),
    *("error_msg", "error_message", "faultstring", "title"),
)
# Keys of short codes in the same document
MARKS = ("type", "code", "status", "reason", "quotaId", "error_type", "status_code")
LONGEST_MARK = 100
SENTENCE = 2  # blanks in a text that is not a code
# The message of OpenRouter and OpenCode when another provider's error is in `metadata.raw`
PASSED_ON = "Provider returned error"


class ProviderMessage(NamedTuple):
    """The innermost message, and what the layers around it said."""

    text: str
    kinds: frozenset[str] = frozenset()  # LiteLLM's exception classes, e.g. RateLimitError
    code: int = 0  # an HTTP status in the innermost document
    group: str = ""  # the slot id, from LiteLLM's note
    upstream: int = 0  # the status that the provider answered with, if LiteLLM reports another
    marks: frozenset[str] = frozenset()  # codes and types in the documents, quota ids


def unwrap(body: bytes) -> ProviderMessage:
    """Return the innermost message of an error body, however deeply nested."""
    text = body.decode("utf-8", errors="replace")
    _, _, group = text.rpartition(GROUP)
    message = ProviderMessage(text, group=presentable(group[:LONGEST_MARK].partition("'")[0]))
    if GROUP not in text:
        message = message._replace(group="")
    for _ in range(LAYERS):
        inner = peel(message)
        if inner.text == message.text:
            break
        message = inner
    return message._replace(text=looked_at(message.text))


def peel(message: ProviderMessage) -> ProviderMessage:
    """Remove one layer: LiteLLM's tail, a class name, or a JSON document around the text."""
    text = message.text.strip()
    if text.startswith(("{", "[{")):
        return dig(message._replace(text=text))
    if text.startswith(BYTES):
        return message._replace(text=as_written(text))
    text = without_tail(text)  # only now, because the JSON may contain a tail of its own
    if wrapper := WRAPPER.match(text):
        kinds = message.kinds | {wrapper["kind"] or ""}
        code = int(wrapper["code"] or message.code)
        text = text[wrapper.end() :]
        return message._replace(text=text, kinds=kinds, code=code)
    return message._replace(text=text)


def without_tail(text: str) -> str:
    """Return the text without what LiteLLM appended to it."""
    for tail in TAILS:
        text = text.partition(tail)[0]
    before, found, behind = text.partition(CONTEXT_TAIL[0])
    is_tail = found and CONTEXT_TAIL[1] in behind[:LONGEST_MODEL].partition("\n")[0]
    return (before if is_tail else text).rstrip()


def as_written(text: str) -> str:
    """Decode text that Python printed as bytes (measured: errors of a Gemini stream)."""
    written = literal(text)
    if isinstance(written, bytes):
        return written.decode("utf-8", errors="replace")
    return text[2:].removesuffix(text[1])


def literal(text: str) -> Any:
    """Evaluate a Python literal; None if the text is not one."""
    if len(text) > LARGEST_LITERAL:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def dig(message: ProviderMessage) -> ProviderMessage:
    """Return the message of the JSON document that the text starts with."""
    try:
        document, _ = json.JSONDecoder(strict=False).raw_decode(message.text)
    except (json.JSONDecodeError, RecursionError):
        document = literal(message.text)  # `openai` prints a document like this
    if isinstance(document, list) and document:
        document = document[0]  # Gemini's form for a streaming request
    if not isinstance(document, Mapping):
        found = MESSAGE.search(looked_at(message.text))  # truncated by LiteLLM
        return message._replace(text=found[1] or found[2]) if found else message
    inner = document.get("error", document)
    marks = message.marks | frozenset(marks_in(document, 0))
    if isinstance(inner, Mapping):
        code = http_status(inner.get("code"))
        return message._replace(
            text=reason_in(inner) or reason_in(document) or untold(document),
            code=code or message.code,
            marks=marks,
            upstream=message.upstream or http_status(inner.get("upstream_status")),
        )
    said, reason = str(inner), reason_in({**document, "error": None})
    return message._replace(text=f"{said}: {reason}" if reason else said, marks=marks)


def untold(document: Mapping[str, Any]) -> str:
    """Return a document whose reason is under an unknown key; "" if it only has codes."""
    texts = texts_in(document, 0)
    return json.dumps(document, ensure_ascii=False) if any(texts) else ""


def texts_in(value: object, depth: int, key: str = "") -> Iterator[str]:
    """Yield the texts in a document, without its codes, a few levels deep."""
    if isinstance(value, str) and value.count(" ") > (SENTENCE if key in MARKS else 0):
        yield value
    elif isinstance(value, Mapping | list) and depth < LAYERS:
        pairs = value.items() if isinstance(value, Mapping) else ((key, one) for one in value)
        for name, one in pairs:
            yield from texts_in(one, depth + 1, str(name))


def reason_in(document: Mapping[str, Any]) -> str:
    """Return the message of any provider's error document; empty if it has none."""
    metadata = document.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    if raw and PASSED_ON in str(document.get("message")):
        said = raw if isinstance(raw, str) else json.dumps(raw)
        if said.strip():
            return said
    for key in REASONS:
        value = document.get(key)
        if isinstance(value, list) and value and isinstance(value[0], str):
            value = value[0]
        if isinstance(value, str) and value:
            return value
    for value in document.values():  # FastAPI's `detail`, GraphQL's `errors`, MiniMax's `base_resp`
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, Mapping) and (reason := reason_in(first)):
            return reason
    return ""


def marks_in(document: object, depth: int) -> Iterator[str]:
    """Return the codes, types and quota ids in an error document, a few levels deep."""
    if isinstance(document, list) and depth < LAYERS:
        for one in document[:LAYERS]:
            yield from marks_in(one, depth + 1)
    elif isinstance(document, Mapping) and depth < LAYERS:
        for key in MARKS:
            mark = document.get(key)
            if isinstance(mark, str | int) and len(str(mark)) <= LONGEST_MARK:
                yield str(mark)
        for value in document.values():
            yield from marks_in(value, depth + 1)


def http_status(code: object) -> int:
    """Return `code` if it is an HTTP error status (providers send a number or a string), else 0."""
    number = int(code) if isinstance(code, str) and re.fullmatch(r"[45]\d\d", code) else code
    return number if isinstance(number, int) and 400 <= number < 600 else 0
