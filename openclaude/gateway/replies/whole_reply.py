"""Turns a whole reply into events, for a request that asked for a stream.

Knows: the events of Anthropic's stream. Independent of: LiteLLM as a library. Pure.

Why: LiteLLM 1.108.14 answers such a request with one JSON document if the deployment has a
`mock_response` (measured); claude reads only events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.gateway.http.sse import write_event
from openclaude.gateway.replies.thoughts import block_events
from openclaude.gateway.requests.signatures import REDACTED, SEARCHED, THINKING

Event = dict[str, Any]

# The keys of a message in Anthropic's API; LiteLLM adds keys of its own (measured)
MESSAGE_KEYS = ("id", "type", "role", "model", "stop_sequence")


def as_stream(message: Mapping[str, Any]) -> bytes:
    """Return the body of the equivalent stream."""
    return b"".join(write_event(event) for event in events_of(message))


def events_of(message: Mapping[str, Any]) -> Iterator[Event]:
    """Return the same as events."""
    usage = dict(message.get("usage") or {})
    opening: Event = {key: message[key] for key in MESSAGE_KEYS if key in message}
    opening |= {"content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 0}}
    yield {"type": "message_start", "message": opening}
    for index, block in enumerate(message.get("content") or ()):
        if block.get("type") in (THINKING, REDACTED):
            yield from block_events(block, index)
            continue
        start, delta = parts_of(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        if delta:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {key: message.get(key) for key in ("stop_reason", "stop_sequence")}
    yield {"type": "message_delta", "delta": ending, "usage": usage}
    yield {"type": "message_stop"}


def parts_of(block: Mapping[str, Any]) -> tuple[Event, Event]:
    """Return the start of a block and its one delta; an empty one where the start has it all."""
    if block.get("type") == SEARCHED:
        return dict(block), {}
    if block.get("type") in ("tool_use", "server_tool_use"):
        arguments = json.dumps(block.get("input") or {})
        return {**block, "input": {}}, {"type": "input_json_delta", "partial_json": arguments}
    said = str(block.get("text") or "")
    return {"type": "text", "text": ""}, {"type": "text_delta", "text": said}
