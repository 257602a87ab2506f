"""The ids of a conversation's calls as the provider accepts them, whoever made them.

Knows: which ids providers refuse: Mistral accepts only nine letters and digits, OpenAI at most
forty characters (reported: editor-code-assistant/eca#233), Kimi only its own. Independent of: which
provider it is, what a call says. Pure; a second pass changes nothing.

An id is derived from the old one, so that it is the same in every turn without any state.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from openclaude.contracts.capabilities import Capabilities

NINE = re.compile(r"[a-zA-Z0-9]{9}")
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"

Make = Callable[[str, str, int], str]  # (old id, tool name, number of the call) -> id


def fit_call_ids(messages: list[Any], capabilities: Capabilities) -> list[Any]:
    """Return the turns with ids that the provider accepts, no two calls with the same."""
    make = maker(capabilities)
    if make is None:
        return messages
    ids = CallIds(make)
    return [ids.turn(turn) for turn in messages]


def maker(capabilities: Capabilities) -> Make | None:
    """Return the function that makes a provider's ids; None if it accepts any."""
    most = capabilities.max_call_id
    if capabilities.wants_kimi_ids:
        return lambda old, name, number: f"functions.{name}:{number}" if name else old
    if capabilities.wants_nine_letters:
        return lambda old, _name, _number: old if NINE.fullmatch(old) else hashed(old, 9)
    if most < len("toolu_") + 64:  # as long as an id can be by Anthropic's rules
        return lambda old, _name, _number: old if len(old) <= most else hashed(old, most)
    return None


def hashed(old: str, length: int) -> str:
    """Return letters and digits derived from an id."""
    number = int.from_bytes(hashlib.sha256(old.encode(errors="replace")).digest())
    letters = []
    for _ in range(min(length, 40)):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return "".join(letters)


class CallIds:
    """The ids of one conversation, turn by turn."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._now: dict[str, str] = {}  # old id -> the id of the last call that had it
        self._used: set[str] = set()
        self._calls = 0

    def turn(self, turn: Any) -> Any:
        """Return a turn with its new ids, including those in results."""
        content = turn.get("content") if isinstance(turn, Mapping) else None
        if not isinstance(content, list):
            return turn
        return {**turn, "content": [self._block(block) for block in content]}

    def _block(self, block: Any) -> Any:
        if not isinstance(block, Mapping):
            return block
        if block.get("type") == "tool_use" and isinstance(block.get("id"), str):
            return {**block, "id": self._call(block["id"], str(block.get("name")))}
        if block.get("type") == "tool_result" and isinstance(block.get("tool_use_id"), str):
            old = block["tool_use_id"]
            return {**block, "tool_use_id": self._now.get(old) or self._make(old, "", 0)}
        return block

    def _call(self, old: str, name: str) -> str:
        new = self._make(old, name, self._calls)
        while new in self._used:
            new = self._make(f"{new}{self._calls} again", name, self._calls)
        self._calls += 1
        self._used.add(new)
        self._now[old] = new
        return new
