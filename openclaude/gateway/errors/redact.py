"""Takes credentials out of whole bodies, which may be long.

Knows: where a long text can be cut, which keys of an object hold a credential. Independent of:
whose body it is. What a credential looks like is `redaction`'s. Not for the event loop: a body of a
megabyte takes seconds, in steps that let others run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from openclaude.gateway.errors.redaction import SECRETS, removed

REMOVED = "(removed)"
PART = 4096  # characters that an expression sees at once, as in `redaction`
NAMED = re.compile(
    r"(?:secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|authorization|cookie"
    r"|credential|(?<!s_)(?<!max_)(?<!_)token)s?$",
    re.IGNORECASE,
)
IN_URL = re.compile(r"://[^/\s:@]{0,100}:[^/\s@]{1,200}@")
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
KEY_END = "-----END"
BREAK = re.compile(r"[^A-Za-z0-9+/=_.-]")
BINARY = ("base64",)  # `type` of a source whose `data` is an image or a document
SHORTEST = 8  # characters of a known secret


def without_secrets(value: Any, known: Iterable[str] = ()) -> Any:
    """A JSON value without what looks like a credential, and without these known ones."""
    exact = [one for one in known if len(one) >= SHORTEST]

    def clean(text: str) -> str:
        for one in exact:
            text = text.replace(one, REMOVED)
        return redacted(text)

    return walked(value, clean)


def walked(value: Any, clean: Callable[[str], str]) -> Any:
    """The same value with each text cleaned, keys too; images are only counted."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [walked(one, clean) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") in BINARY and isinstance(value.get("data"), str):
        value = {**value, "data": f"({len(value['data'])} characters)"}
    return {
        clean(key): REMOVED if NAMED.search(key) and is_secret(one) else walked(one, clean)
        for key, one in value.items()
    }


def is_secret(value: Any) -> bool:
    """Whether the value of a key with such a name may be one."""
    return isinstance(value, str) and bool(value)


def redacted(text: str) -> str:
    """A text without what looks like a credential."""
    text = IN_URL.sub(f"://{REMOVED}@", without_private_keys(text))
    # twice, cut at other places: what a cut divides the first time is whole the second time
    for first in (PART, PART // 2):
        text = "".join(SECRETS.sub(removed, part) for part in parts(text, first))
    return text


def parts(text: str, first: int) -> Iterable[str]:
    """The text in parts that an expression may see, cut where no credential goes on."""
    at, size = 0, first
    while at < len(text):
        end = at + size
        if end < len(text):
            breaks = [found.end() for found in BREAK.finditer(text, max(at + 1, end - 512), end)]
            end = breaks[-1] if breaks else end
        yield text[at:end]
        at, size = end, PART


def without_private_keys(text: str) -> str:
    """The text without keys in PEM."""
    done, at = [], 0
    for found in PRIVATE_KEY.finditer(text):
        if found.start() < at:
            continue
        end = text.find(KEY_END, found.end())
        done += [text[at : found.start()], REMOVED]
        at = len(text) if end < 0 else end
    return "".join(done) + text[at:] if done else text
