"""How a key and a value are written in TOML.

Knows: TOML's spelling. Independent of: what a profile may say. Standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from openclaude.diagnostics import Key

BARE = re.compile(r"[A-Za-z0-9_-]+")


def key_text(key: Key) -> str:
    """A dotted key, quoted where it must be."""
    return ".".join(part if BARE.fullmatch(part) else quoted(part) for part in map(str, key))


def value_text(value: object) -> str:
    """A value on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case int() | float():
            return repr(value)
        case list() | tuple():
            return "[" + ", ".join(map(value_text, value)) + "]"
        case Mapping():
            pairs = [f"{key_text((name,))} = {value_text(one)}" for name, one in value.items()]
            return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
        case _:
            return str(value).replace(" ", "T")  # a date, a time, or both


def quoted(text: str) -> str:
    """A basic string; JSON's escapes are TOML's, except DEL, which JSON does not escape."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
