"""Where a call that a model writes as text ends: a file that it writes may have every mark in it.

Knows: how values are written in a call. Independent of: which marks there are. Pure.
"""

from __future__ import annotations

import json
import re

GEMMA, GEMMA_QUOTE = "<|tool_call>call:", '<|"|>'
PYTHON = re.compile(r"<[^<>\n]{1,40}>\s*\[?\s*[\w.]{1,128}\(")
PYTHON_STRINGS = re.compile(
    r"'(?:[^'\\]|\\.)*(?P<single>'?)|\"(?:[^\"\\]|\\.)*(?P<double>\"?)", re.DOTALL
)
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*("?)', re.DOTALL)
# Where a value of a call begins and how it ends, in the forms without JSON
VALUES = (
    ("<parameter=", "</parameter>"),
    ("<arg_value>", "</arg_value>"),
    ("parameter name=", "parameter>"),
)
Found = tuple[int, str]


# What is before the JSON of a call that ends with it
HEADS = re.compile(r"\[TOOL_CALLS\]\s*(?:[\w.:/-]{1,128}(?:\[CALL_ID\]\w{1,64})?(?:\[ARGS\])?)?\s*")
MAY_BE_JSON = re.compile(r"\Z|\{\s*(?:[\"}]|\Z)|\[\s*(?:[\]{]|\Z)")
LENIENT = json.JSONDecoder(strict=False)


def end_of_json(text: str, past: int, *, is_last: bool) -> tuple[Found | None, int]:
    """Return where a call without an end mark ends, and how far nothing has to be looked at again.

    Mistral's models write the tool's name and the input behind their mark, and nothing after it.
    """
    head = HEADS.match(text)
    if head is None:
        return None, 0
    rest = text[head.end() : head.end() + 10]
    is_open = not is_last and any(mark.startswith(rest) for mark in ("[ARGS]", "[CALL_ID]"))
    if not is_open and not MAY_BE_JSON.match(text, head.end()):
        return (head.end() + 1, ""), 0  # no call
    if not (is_last or any(end in text[past:] for end in "}]")):
        return None, len(text)
    try:
        _, end = LENIENT.raw_decode(text, head.end())
    except (ValueError, RecursionError):
        return None, len(text)
    return (end, ""), 0


def first_of(ends: tuple[str, ...], text: str, past: int) -> Found | None:
    """Return the first of these ends in a text, and where it is."""
    found = [(at, end) for end in ends if (at := text.find(end, past)) >= 0]
    return min(found) if found else None


def end_of_call(ends: tuple[str, ...], text: str, past: int) -> tuple[Found | None, int]:
    """Return the first end that is not inside a value, and how far ends need no second look."""
    while found := first_of(ends, text, past):
        if not is_inside_value(text[: found[0]]):
            return found, past
        past = found[0] + 1
    return None, past


def is_inside_value(part: str) -> bool:
    """Return whether a call breaks off inside a value, so that what follows is a part of it."""
    if part.startswith(GEMMA):
        return part.count(GEMMA_QUOTE) % 2 == 1
    if PYTHON.match(part):
        strings = [found["single"] or found["double"] for found in PYTHON_STRINGS.finditer(part)]
        return bool(strings) and not strings[-1]
    json_at = part.find("{")
    marks = [(at, begin, end) for begin, end in VALUES if (at := part.find(begin)) >= 0]
    if marks and not 0 <= json_at < min(marks)[0]:
        _, begin, end = min(marks)
        return end not in part[part.rfind(begin) :]
    if json_at < 0:
        return False
    closed = [found.group(1) for found in STRINGS.finditer(part, json_at)]
    return bool(closed) and not closed[-1]
