"""The turns of a conversation as any provider can read them: user and assistant, nothing else.

Knows: where claude puts system turns, and what LiteLLM 1.106.2 makes of them (measured: a user
turn of its own, after which two user turns stand side by side, which the chat templates of some
open models refuse; for providers that speak Anthropic's API they pass as they are, and only
Anthropic's own models have them). Refuses to know: blocks, limits. Pure; a second pass changes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Turn = Mapping[str, Any]

# claude's own marks for what it says itself, explained to the model in its system prompt
OPEN, CLOSE = "<system-reminder>", "</system-reminder>"


def join_system_turns(messages: list[Any]) -> list[Any]:
    """The conversation with every system turn at the end of the user turn it stands beside.

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
    """Who speaks."""
    return message.get("role") if isinstance(message, Mapping) else None


def reminder(turn: Turn) -> list[Turn]:
    """What a system turn says, in the form claude gives it for models without such turns."""
    said = words(turn.get("content"))
    if not said:
        return []
    marked = said if said.startswith(OPEN) else f"{OPEN}\n{said}\n{CLOSE}"
    return [{"type": "text", "text": marked}]


def words(content: object) -> str:
    """The texts of a content, which claude writes as a string in one turn, as blocks in another."""
    if isinstance(content, str):
        return content.strip()
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") for block in blocks if isinstance(block, Mapping)]
    return "\n".join(said for said in texts if isinstance(said, str)).strip()


def longer(turn: Turn, blocks: list[Turn]) -> Turn:
    """A turn with more to say at its end."""
    content = turn.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    return {**turn, "content": [*(content if isinstance(content, list) else []), *blocks]}
