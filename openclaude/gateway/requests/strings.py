"""Requests for servers that take a list of parts where it is needed, and nowhere else.

Knows: what strict servers of OpenAI's kind refuse: a list of parts that are only text, an image in
a tool's answer. Independent of: which servers they are. Pure; a second pass changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.gateway.requests.blocks import Block, as_string, set_apart, text

MOVED = "[The images of this answer are in the user's next message.]"
BEHIND = "The images that the tools returned:"


def say_in_strings(fitted: dict[str, Any]) -> None:
    """Strings for all that is nothing but text, of the system prompt and of the user.

    (Reported: OpenHands/software-agent-sdk#1448 for MiniMax, DeepSeek, GLM and Groq.) What stands
    beside results of tools becomes a turn of its own, as LiteLLM sends it anyway (read). Where a
    mark for the cache is on a part it stays one: the model can use it.
    """
    if "system" in fitted:
        fitted["system"] = as_string(fitted["system"])
    turns = fitted.get("messages")
    if isinstance(turns, list):
        fitted["messages"] = [part for turn in turns for part in in_strings(turn)]


def in_strings(turn: Any) -> list[Any]:
    """A user's turn with its text as a string: one turn, or the results of tools and another."""
    if not isinstance(turn, Mapping) or turn.get("role") != "user" or "content" not in turn:
        return [turn]
    content = turn["content"]
    results = [block for block in content if is_result(block)] if isinstance(content, list) else []
    if not results:
        return [{**turn, "content": as_string(content)}]
    moved = [one for result in results for one in no_text(result)]
    others = [block for block in content if not is_result(block)]
    said = set_apart([*([text(BEHIND), *moved] if moved else []), *others])
    answered = [text_only(result) for result in results]
    return [
        {**turn, "content": answered},
        *([{**turn, "content": as_string(said)}] if said else []),
    ]


def is_result(block: object) -> bool:
    """Whether a block is what a tool answered."""
    return isinstance(block, Mapping) and block.get("type") == "tool_result"


def is_text(block: Block) -> bool:
    """Whether a block is a text, with a mark or without."""
    return block.get("type") == "text"


def no_text(result: Block) -> list[Block]:
    """The parts of a tool's answer that are not text: OpenAI takes images in a user's message only.

    LiteLLM moves them too, but leaves the texts a list, and makes two user's messages in a row
    where there are words behind (read, 1.108.14).
    """
    content = result.get("content")
    return [block for block in content if not is_text(block)] if isinstance(content, list) else []


def text_only(result: Block) -> Block:
    """A tool's answer without the rest, which is named."""
    if not no_text(result):
        return result
    texts = [block for block in result["content"] if is_text(block)]
    said = set_apart([*texts, text(MOVED)])
    return {**result, "content": as_string(said)}
