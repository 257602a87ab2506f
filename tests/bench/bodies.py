"""Request bodies like claude's, of any length.

Knows: what a session's body consists of. Independent of: who gets it. Pure.
"""

from __future__ import annotations

import json
from typing import Any

TOOL_COUNT = 20  # claude sends more; its tools take 40 KB, which would not fit into a small body
TOOLS_FROM = 40_000  # bytes: a smaller body is one of claude's side requests, which have no tools
TURN = 1500  # characters of one result, as if a file was read
SENTENCE = 'The quick brown fox reads a line of code, and "quotes" it;\n\tfür alle. '


def make_body(size: int, *, model: str, events: int) -> bytes:
    """Return a streamed request of about `size` bytes, to be answered with `events` pieces."""
    document: dict[str, Any] = {
        "model": model,
        "max_tokens": events,
        "stream": True,
        "metadata": {"user_id": "user_0_account__session_0"},
        "system": [{"type": "text", "text": text(min(1000, size // 4))}],
        "messages": [{"role": "user", "content": "hi"}],
    }
    if size >= TOOLS_FROM:
        document["tools"] = [tool(number) for number in range(TOOL_COUNT)]
    room = size - len(dump(document))
    turns: list[dict[str, Any]] = []
    while room > TURN:
        pair = turn(len(turns) // 2, TURN)
        turns += pair
        room -= len(dump(pair))
    document["messages"] = [{"role": "user", "content": text(max(room, 10))}, *turns]
    return dump(document)


def turn(number: int, length: int) -> list[dict[str, Any]]:
    """Return a turn in which the model calls a tool, and the turn with the result."""
    call = f"toolu_{number:020d}"
    use = {"type": "tool_use", "id": call, "name": "Tool0", "input": {"path": f"/src/{number}.py"}}
    result = {"type": "tool_result", "tool_use_id": call, "content": text(length)}
    return [
        {"role": "assistant", "content": [{"type": "text", "text": "I look."}, use]},
        {"role": "user", "content": [result]},
    ]


def tool(number: int) -> dict[str, Any]:
    """Return one of the client's tools, about a kilobyte."""
    return {
        "name": f"Tool{number}",
        "description": text(700),
        "input_schema": {
            "type": "object",
            "properties": {"path": {"type": "string", "description": text(100)}},
            "required": ["path"],
        },
    }


def text(length: int) -> str:
    """Return this much prose, with characters that JSON must escape."""
    return (SENTENCE * (length // len(SENTENCE) + 1))[:length]


def dump(document: Any) -> bytes:
    """JSON as claude writes it."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
