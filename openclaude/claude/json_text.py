"""A file of claude's, read as claude reads it.

Knows: the encodings and the JSON that Claude Code 2.1.330 takes (measured): UTF-8 with a mark or
without, whatever its bytes; UTF-16, little end first, with its mark. An empty file is an empty
object. No comments, and nothing else that JSON does not have. Independent of: which file it is.
Pure and standard library only.
"""

from __future__ import annotations

import codecs
import json
from typing import NoReturn

BLANK = " \t\r\n"  # as JSON has it


def text_of_file(data: bytes) -> str:
    """The text of a file: Windows' editors put a mark in front of it."""
    if data.startswith(codecs.BOM_UTF16_LE):
        return data[len(codecs.BOM_UTF16_LE) :].decode("utf-16-le", "replace")
    return data.decode("utf-8", "replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


def parse_json(text: str) -> object:
    """The value that a text stands for. Raises ValueError or RecursionError."""
    return json.loads(text, parse_constant=refuse) if text.strip(BLANK) else {}


def refuse(name: str) -> NoReturn:
    """Python takes these for JSON, and nobody else does. Raises ValueError."""
    raise ValueError(f"`{name}` is not JSON")
