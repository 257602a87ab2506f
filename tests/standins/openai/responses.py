"""The answer of OpenAI's Responses API to a script, whole or streamed.

Knows: that API's items and events. Independent of: which requests are admitted, and the other API
(reply.py).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from openclaude.standins.base.exchange import Chunk, Reply
from openclaude.standins.base.script import Block, Reasoning, Script, Text, Tool, pieces
from tests.standins.openai.reply import (
    CompletionContext,
    error_reply,
    output_tokens,
    streamed,
    whole,
)
from tests.standins.openai.thoughts import UNFINISHED

Event = tuple[dict[str, Any], float]
Seal = Callable[[Iterable[dict[str, Any]]], list[dict[str, Any]]]


def respond(script: Script, asked: CompletionContext, seal: Seal) -> Reply:
    """Return the reply that a script asks for, streamed or whole, with its thoughts sealed."""
    items = seal([item(block) for block in script.blocks])
    if asked.streams:
        numbered = enumerate(events(script, asked, items))
        return streamed(script, [named(event, number) for number, event in numbered])
    if script.midstream:
        return error_reply(500, script.midstream.message, kind=script.midstream.kind)
    return whole(script, response(script, asked, items))


def response(
    script: Script, asked: CompletionContext, items: list[dict[str, Any]]
) -> dict[str, Any]:
    """The response object with these items."""
    written = output_tokens(script)
    is_cut = script.stop == "max_output_tokens"
    return {
        "id": f"resp_{secrets.token_hex(16)}",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "incomplete" if is_cut else "completed",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "instructions": None,
        "metadata": {},
        "model": asked.model,
        "output": items,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": asked.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": asked.input_tokens + written,
        },
    }


def item(block: Block) -> dict[str, Any]:
    """A block as an output item."""
    identity = secrets.token_hex(12)
    match block:
        case Text():
            part = {"type": "output_text", "text": block.text, "annotations": []}
            return {
                "id": f"msg_{identity}",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        case Reasoning():
            summary = [{"type": "summary_text", "text": block.text}]
            return {"id": f"rs_{identity}", "type": "reasoning", "summary": summary}
        case Tool():
            return {
                "id": f"fc_{identity}",
                "type": "function_call",
                "status": "completed",
                "call_id": f"call_{identity}",
                "name": block.name,
                "arguments": json.dumps(block.input),
            }


# The same as events -----------------------------------------------------------------------------


def named(event: Event, number: int) -> Chunk:
    """Write a server-sent event with its name, numbered as OpenAI does."""
    document, pause_s = event
    data = json.dumps(document | {"sequence_number": number})
    return Chunk(content=f"event: {document['type']}\ndata: {data}\n\n".encode(), pause_s=pause_s)


def events(
    script: Script, asked: CompletionContext, items: list[dict[str, Any]]
) -> Iterator[Event]:
    """Return every event of a stream, and the pause before it."""
    done = response(script, asked, items)
    opening = done | {"status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": opening}, 0.0
    for index, (block, whole_item) in enumerate(zip(script.blocks, items, strict=True)):
        place = {"output_index": index}
        added = {"type": "response.output_item.added", "item": opened(whole_item)}
        yield added | place, 0.0
        for event, pause_s in inside(block, whole_item):
            yield event | place | {"item_id": whole_item["id"]}, pause_s
        yield {"type": "response.output_item.done", "item": whole_item} | place, 0.0
    yield {"type": f"response.{done['status']}", "response": done}, 0.0


def opened(whole_item: dict[str, Any]) -> dict[str, Any]:
    """Return an item that is still empty."""
    empty: dict[str, Any] = {"content": [], "summary": [], "arguments": ""}
    empty["encrypted_content"] = UNFINISHED
    begun = {key: empty.get(key, value) for key, value in whole_item.items()}
    return begun | ({"status": "in_progress"} if "status" in begun else {})


def inside(block: Block, whole_item: dict[str, Any]) -> Iterator[Event]:
    """Return the content of an item, piece by piece."""
    match block:
        case Text(parts=parts, pause_s=pause_s):
            (part,) = whole_item["content"]
            at = {"content_index": 0}
            yield {"type": "response.content_part.added", "part": part | {"text": ""}, **at}, 0.0
            for said in parts:
                yield {"type": "response.output_text.delta", "delta": said, **at}, pause_s
            yield {"type": "response.output_text.done", "text": block.text, **at}, 0.0
            yield {"type": "response.content_part.done", "part": part, **at}, 0.0
        case Reasoning():
            for said in pieces(block.text) if whole_item["summary"] else ():
                at = {"summary_index": 0}
                yield {"type": "response.reasoning_summary_text.delta", "delta": said, **at}, 0.0
        case Tool():
            for said in pieces(whole_item["arguments"]):
                yield {"type": "response.function_call_arguments.delta", "delta": said}, 0.0
            arguments = whole_item["arguments"]
            yield {"type": "response.function_call_arguments.done", "arguments": arguments}, 0.0
