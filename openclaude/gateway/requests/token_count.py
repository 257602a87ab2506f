"""Removes claude's count of the tokens left, which is wrong for the slot's model.

Knows: the forms in which claude writes it (measured with Claude Code 2.1.330). Independent of: the
rest of a request. Pure. For an id that looks like an older Claude's, claude writes "15000000 tokens
left" into the system prompt, the first turn and each tool's result: it is Anthropic's budget for
the session, but a model with a window of 256,000 tokens has to take it for its own. claude has a
setting to leave it out, but that would also remove it for Claude's own models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MARK = "<total_tokens>"
COUNT = rf"{MARK}(?:[0-9]{{1,20}}|Infinite) tokens left</total_tokens>"
# claude's own text for the model, in a user turn or at the end of a tool's result
REMINDER = re.compile(rf"\n{{0,2}}<system-reminder>\n{COUNT}\n</system-reminder>")
# a line of its own, in text that only claude writes
LINE = re.compile(rf"\n{{0,2}}^{COUNT}$", re.MULTILINE)
TEXTS = frozenset({"text", "content"})
DEEPEST = 6  # turns, a turn, its blocks, a tool's result, the parts of that, one of them


def without_count(part: Any, *, is_system: bool = False, levels: int = DEEPEST) -> Any:
    """Return a system prompt, turn or block without the count; the model's own turns stay as is."""
    if isinstance(part, str):
        return strip_count(part, is_system=is_system) if MARK in part else part
    if isinstance(part, list) and levels:
        return [without_count(one, is_system=is_system, levels=levels - 1) for one in part]
    if not isinstance(part, Mapping) or part.get("role") == "assistant" or not levels:
        return part
    is_system = is_system or part.get("role") == "system"
    return {
        key: without_count(value, is_system=is_system, levels=levels - 1) if key in TEXTS else value
        for key, value in part.items()
    }


def strip_count(text: str, *, is_system: bool) -> str:
    """Return one text without it."""
    stripped = REMINDER.sub("", text)
    return LINE.sub("", stripped) if is_system else stripped
