"""What a text may be that no mark decides: reasoning, a call in bare JSON or within a line.

Knows: how models begin both. Independent of: where in a reply the text is. Pure.
"""

from __future__ import annotations

import json
import re

from openclaude.gateway.replies.markup.reading import Written, json_call

BLANKS = " \t\r\n"
# How reasoning starts. Text of an unknown model is buffered only if it starts like this.
MUSING = (
    "the user ",
    "okay, ",
    "ok, ",
    "hmm",
    "alright, ",
    "we need ",
    "let me think",
    "i need to ",
)
BARE = ('"name"', '"tool_name"', '"function"', '"tool"', '"type"', '"arguments"', '"parameters"')
# What follows the mark of a call in the middle of a line, and what may still become that
FORMS = {
    "<tool_call>": r"\s*(?:[{\[]|<function=|<parameter=|[\w.-]{1,80}\s*[{<])",
    "<function=": r"[^>\n]{1,80}>\s*[{<]",
}
OPEN_FORMS = {
    "<tool_call>": r"\s*[\w.-]{0,80}\s*(?:<[a-z]{0,8})?",
    "<function=": r"[^>\n]{0,80}>?\s*",
}


class Incomplete:
    """A text that may become a call."""


def bare_call(text: str, *, is_last: bool) -> Written | Incomplete | None:
    """Return the call that a text is and nothing else, if it is one, or may still become one."""
    if not text.startswith("{"):
        return None
    inner = text[1:].lstrip(BLANKS)
    if not any(key.startswith(inner[: len(key)]) for key in BARE):
        return None
    try:
        document, end = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return None if is_last else Incomplete()
    return None if text[end:].strip() else json_call(document)


def is_musing(text: str) -> bool:
    """Tell whether a reply starts as reasoning does, or may still do so."""
    begun = text.lstrip(BLANKS).lower()
    return any(begun.startswith(one) or one.startswith(begun) for one in MUSING)


def is_form(mark: str, behind: str) -> bool:
    """Tell whether what follows a mark in the middle of a line makes it the start of a call."""
    return bool(re.match(FORMS[mark], behind))


def may_be_form(mark: str, behind: str) -> bool:
    """Tell whether more text may make it one."""
    return bool(re.fullmatch(OPEN_FORMS[mark], behind))
