"""The turns of a conversation as any provider can read them: only user and assistant turns.

Knows: where claude puts system turns, and what LiteLLM 1.108.14 does with them (measured: each
becomes a user turn of its own, so that two user turns follow one another, which the chat templates
of some open models refuse; for providers with Anthropic's API they pass unchanged, but only
Anthropic's own models have them). Independent of: blocks, limits. Pure; a second pass changes
nothing.

Also removed here: claude's count of the tokens left, which is wrong for the slot's model. For an id
that looks like an older Claude's, claude writes "15000000 tokens left" into the system prompt,
the first turn and each tool's result (measured with 2.1.330): it is Anthropic's budget, not the
model's, and one with a window of 256,000 tokens has to take it for its own. claude can leave
it out, but then also for Claude's own models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import is_not
from typing import Any

Turn = Mapping[str, Any]

# claude's own tags for what it adds itself, explained to the model in its system prompt
OPEN, CLOSE = "<system-reminder>", "</system-reminder>"

MARK = "<total_tokens>"
COUNT = rf"{MARK}(?:[0-9]{{1,20}}|Infinite) tokens left</total_tokens>"
# claude's own text for the model, in a user turn or at the end of a tool's result
REMINDER = re.compile(rf"\n{{0,2}}<system-reminder>\n{COUNT}\n</system-reminder>")
# a line of its own, in text that only claude writes
LINE = re.compile(rf"\n{{0,2}}^{COUNT}$", re.MULTILINE)
TEXTS = frozenset({"text", "content"})
DEEPEST = 6  # turns, a turn, its blocks, a tool's result, the parts of that, one of them


def join_system_turns(messages: list[Any]) -> list[Any]:
    """Return the conversation with every system turn moved to the end of a user turn next to it.

    That is the one before it or, after an answer, the next one: a tool's result must come first.
    """
    joined: list[Any] = []
    waiting: list[Turn] = []
    for message in messages:
        role = role_of(message)
        if role == "system":
            note = reminder(message)
            if role_of(joined[-1] if joined else None) == "user" and not waiting:
                joined[-1] = longer(joined[-1], note)
            else:
                waiting += note
        elif role == "user" and waiting:
            joined.append(longer(message, waiting))
            waiting = []
        else:
            joined.append(message)
    return [*joined, {"role": "user", "content": waiting}] if waiting else joined


def role_of(message: object) -> object:
    """Return who is speaking."""
    return message.get("role") if isinstance(message, Mapping) else None


def reminder(turn: Turn) -> list[Turn]:
    """Return the text of a system turn, tagged as claude does for models without such turns."""
    said = content_text(turn.get("content"))
    if not said:
        return []
    marked = said if said.startswith(OPEN) else f"{OPEN}\n{said}\n{CLOSE}"
    return [{"type": "text", "text": marked}]


def content_text(content: object) -> str:
    """Return the texts of a content, which claude writes as a string or as blocks."""
    if isinstance(content, str):
        return content.strip()
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") for block in blocks if isinstance(block, Mapping)]
    return "\n".join(said for said in texts if isinstance(said, str)).strip()


def longer(turn: Turn, blocks: list[Turn]) -> Turn:
    """Return a turn with more text at its end."""
    content = turn.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    return {**turn, "content": [*(content if isinstance(content, list) else []), *blocks]}


def is_asked_by_a_person(body: Mapping[str, Any]) -> bool:
    """Tell whether a request starts a turn whose answer a person reads.

    Not the requests within a turn that bring a tool's result: one line per turn is enough. Nor a
    request for a title or another structured output: the line would break its format.
    """
    config = body.get("output_config")
    if isinstance(config, Mapping) and config.get("format"):
        return False
    messages = body.get("messages")
    turns = [turn for turn in messages if isinstance(turn, Mapping)] if messages else []
    users = [turn for turn in turns if turn.get("role") == "user"]
    content = users[-1].get("content") if users else None
    blocks = content if isinstance(content, list) else []
    return not any(isinstance(one, Mapping) and one.get("type") == "tool_result" for one in blocks)


def without_count(part: Any, *, is_system: bool = False, levels: int = DEEPEST) -> Any:
    """Return a system prompt, turn or block without the count; the model's own turns stay as is.

    What has no count is returned itself.
    """
    if isinstance(part, str):
        return strip_count(part, is_system=is_system) if MARK in part else part
    if isinstance(part, list) and levels:
        parts = [without_count(one, is_system=is_system, levels=levels - 1) for one in part]
        return parts if any(map(is_not, parts, part)) else part
    if not isinstance(part, dict) or part.get("role") == "assistant" or not levels:
        return part
    is_system = is_system or part.get("role") == "system"
    found = {
        key: without_count(part[key], is_system=is_system, levels=levels - 1)
        for key in TEXTS
        if key in part
    }
    return {**part, **found} if any(found[key] is not part[key] for key in found) else part


def strip_count(text: str, *, is_system: bool) -> str:
    """Return one text without it."""
    stripped = REMINDER.sub("", text)
    return LINE.sub("", stripped) if is_system else stripped
