"""What an error of a slot says, out of everything LiteLLM wraps around it, and safe to show.

Knows: how LiteLLM 1.106.2 nests errors over the hop (measured: an Anthropic error whose message is
a Python class name, a JSON document with the same inside, a note about model groups, and sometimes
a traceback). Refuses to know: what the error means; that is slot_errors.py. Pure.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

LAYERS = 12  # measured: six at most
BYTES = ("b'", 'b"')
LONGEST = 500  # characters of somebody else's text in a message of ours

# `litellm.X: `, `OpenrouterException - `, `BedrockException Invalid Authentication - `,
# `AzureException RateLimitError - `, ...
WRAPPER = re.compile(
    r"(?:litellm\.)?(?P<kind>\w+(?:Error|Exception)|Timeout)"
    r"(?: Invalid Authentication| \w+Error)?\s*"
    r"(?:[:-]\s+|(?=\{))"
    r"|(?:Timeout|Rate Limit|Context Window) Error\s*[:-]\s+"
    r"|Error code: \d+ - "
)
# What LiteLLM adds behind the error, in the order of appearance in its sources
TAILS = re.compile(
    r"\s*(?:\n\nLiteLLM: model group '"
    r"|\nmodel=[^\n]*context_window_fallbacks="
    r"|\s*Traceback \(most recent call last\):"
    r"|\n\nThis looks like a bug in LiteLLM).*",
    re.DOTALL,
)
GROUP = re.compile(r"LiteLLM: model group '(?P<group>[^']+)'")
MESSAGE = re.compile(r"""["']message["']\s*:\s*(["'])(?P<text>.+?)(?<!\\)\1""", re.DOTALL)

SECRETS = re.compile(
    r"""
      (?:x-amz-security-token|x-amz-signature|authorization|x-api-key|cookie)\s*[:=]\s*[^\s,;]+
      (?:\s+[A-Za-z0-9+/_.=-]{16,})?
    | (?:[\w-]*(?:secret|password|api[_-]?key|access[_-]?key|token))["']?\s*[:=]\s*
      ["']?[^\s"',;]{8,}
    | \b(?:Bearer|Basic)\s+\S{8,}
    | \b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,}
    | \b(?:sk|pk|rk|gsk|xai|hf|ghp|glpat)[-_][\w-]{8,}\S*
    | \bAIza[\w-]{20,}
    | \beyJ[\w-]{8,}\.\S+
    | (?<![\w/+=.:-])[A-Za-z0-9/+=]{40}(?![\w/+=])
    | [A-Za-z0-9+_=-]{40,}
    | \bssl:<[^>]*>
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Said(NamedTuple):
    """The innermost sentence, and what was learned on the way to it."""

    text: str
    kinds: frozenset[str] = frozenset()  # LiteLLM's exception classes, e.g. RateLimitError
    raiser: str = ""  # the innermost of them: who met the error
    code: int = 0  # an HTTP status that the innermost document names
    group: str = ""  # the slot id, from LiteLLM's note


def unwrap(body: bytes) -> Said:
    """The sentence inside an error body, however deep."""
    text = body.decode("utf-8", errors="replace")
    found = GROUP.search(text)
    said = Said(text, group=presentable(found["group"]) if found else "")
    for _ in range(LAYERS):
        inner = peel(said)
        if inner.text == said.text:
            break
        said = inner
    return said


def peel(said: Said) -> Said:
    """One layer less: LiteLLM's tail, a class name, or a JSON document around the text."""
    text = said.text.strip()
    if text.startswith("{"):
        return dig(said._replace(text=text))
    if text.startswith(BYTES):
        return said._replace(text=as_written(text))
    text = TAILS.sub("", text, count=1)  # not before: the JSON may hold a tail of its own
    if wrapper := WRAPPER.match(text):
        kind = wrapper["kind"] or said.raiser
        return said._replace(text=text[wrapper.end() :], kinds=said.kinds | {kind}, raiser=kind)
    return said._replace(text=text)


def as_written(text: str) -> str:
    """What Python shows as bytes, as the text that it was (measured: errors of a Gemini stream)."""
    try:
        written = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        written = None
    if isinstance(written, bytes):
        return written.decode("utf-8", errors="replace")
    return text[2:].removesuffix(text[1])


def dig(said: Said) -> Said:
    """The message of the JSON document that the text starts with."""
    try:
        document, _ = json.JSONDecoder().raw_decode(said.text)
    except (json.JSONDecodeError, RecursionError):
        # cut off by LiteLLM, or the repr of a Python dict
        found = MESSAGE.search(said.text)
        return said._replace(text=found["text"]) if found else said
    inner = document.get("error", document)
    if isinstance(inner, Mapping):
        code = http_status(inner.get("code"))
        return said._replace(text=message_of(inner), code=code or said.code, raiser="")
    return said._replace(text=str(inner), raiser="")


def message_of(document: Mapping[str, Any]) -> str:
    """The text of an error document of any provider; empty when it has none."""
    for key in ("message", "Message", "detail"):
        if isinstance(document.get(key), str):
            return str(document[key])
    return ""


def http_status(code: object) -> int:
    """`code` where it is an HTTP error status (providers write it as number or text), else 0."""
    number = int(code) if isinstance(code, str) and re.fullmatch(r"[45]\d\d", code) else code
    return number if isinstance(number, int) and 400 <= number < 600 else 0


def presentable(text: str) -> str:
    """Somebody else's text on one line: no secret, no control character, of bounded length."""
    if re.search(r"<html|<!doctype", text, re.IGNORECASE):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    # a signature error of AWS goes on to quote the request, its session token included
    line = re.split(r"The Canonical String for this request", line)[0].strip()
    line = SECRETS.sub("(removed)", line)
    return line if len(line) <= LONGEST else line[:LONGEST].rstrip() + " ..."
