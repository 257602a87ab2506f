"""Bedrock's answer to a script: a Converse reply, a stream of frames, an error.

Knows: the Converse wire format. Independent of: which requests are admitted, where scripts come
from.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from openclaude.standins.base.exchange import Chunk, Reply, json_reply
from openclaude.standins.base.script import Block, Error, Reasoning, Script, Text, Tool, pieces
from openclaude.standins.bedrock.eventstream import event_frame, exception_frame
from openclaude.standins.bedrock.thinking import told

KINDS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
THROTTLED = "Too many requests, please wait before trying again."
PADDING = "abcdefghijklm"  # real frames have padding, so that their length reveals nothing
Event = tuple[str, dict[str, Any], float]  # kind, payload, pause before it in seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ConverseContext:
    """The parts of a request that shape its reply."""

    input_tokens: int
    wants_stream: bool
    model_id: str = ""
    cached: Mapping[str, int] = field(default_factory=dict)  # AWS's counts, where a cache was asked


def answer(script: Script, asked: ConverseContext) -> Reply:
    """Return the reply that a script asks for, streamed or whole."""
    if asked.wants_stream:
        return _stream(script, asked)
    if script.midstream:  # a whole reply cannot break off in the middle
        kind = script.midstream.kind or "ModelErrorException"
        return error_reply(424, script.midstream.message, kind=kind[0].upper() + kind[1:])
    message = {"role": "assistant", "content": [_block(block, asked) for block in script.blocks]}
    document = {
        "output": {"message": message},
        "stopReason": _stop_reason(script),
        **_accounts(script, asked),
    }
    whole = json_reply(200, document, headers=request_headers(), wait_s=script.wait_s)
    if script.abort is None:
        return whole
    return replace(whole, body=b"" if script.abort == 0 else whole.body, cut=True)


def error_reply(
    status: int, message: str, *, kind: str = "", headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    """Return an error in AWS's format."""
    named = (("x-amzn-errortype", kind or KINDS.get(status, "InternalServerException")),)
    return json_reply(status, {"message": message}, headers=(*request_headers(), *named, *headers))


def scripted_error(error: Error, *, wait_s: float) -> Reply:
    """Return the HTTP error that a script asks for."""
    message = THROTTLED if error.is_limit else error.message
    headers = tuple(error.headers.items())
    reply = error_reply(error.status, message, kind=error.kind, headers=headers)
    return replace(reply, wait_s=wait_s)


def request_headers() -> tuple[tuple[str, str], ...]:
    """Return the header that every reply of AWS has."""
    return (("x-amzn-requestid", str(uuid.uuid4())),)


def _block(block: Block, asked: ConverseContext) -> dict[str, Any]:
    match block:
        case Text():
            return {"text": block.text}
        case Reasoning():
            parts = {
                key: said for part in told(asked.model_id, block.text) for key, said in part.items()
            }
            is_text = "text" in parts
            return {"reasoningContent": {"reasoningText": parts} if is_text else parts}
        case Tool():
            use = {"toolUseId": _tool_use_id(), "name": block.name, "input": block.input}
            return {"toolUse": use}


def _tool_use_id() -> str:
    return f"tooluse_{secrets.token_hex(11)}"


def _stop_reason(script: Script) -> str:
    return script.stop or ("tool_use" if script.tools else "end_turn")


def _accounts(script: Script, asked: ConverseContext) -> dict[str, Any]:
    """Return usage and metrics."""
    length = sum(
        len(json.dumps(block.input)) if isinstance(block, Tool) else len(block.text)
        for block in script.blocks
    )
    written = length // 4 + 1
    return {
        "usage": {
            "inputTokens": asked.input_tokens,
            "outputTokens": written,
            "totalTokens": asked.input_tokens + written,
            **asked.cached,
        },
        "metrics": {"latencyMs": 7},
    }


def _events(script: Script, asked: ConverseContext) -> Iterator[Event]:
    yield "messageStart", {"role": "assistant"}, 0.0
    for index, block in enumerate(script.blocks):
        place = {"contentBlockIndex": index}
        if isinstance(block, Tool):  # only a tool call has a start event
            use = {"toolUseId": _tool_use_id(), "name": block.name}
            yield "contentBlockStart", place | {"start": {"toolUse": use}}, 0.0
        pause_s = block.pause_s if isinstance(block, Text) else 0.0
        for delta in _deltas(block, asked):
            yield "contentBlockDelta", place | {"delta": delta}, pause_s
        yield "contentBlockStop", place, 0.0
    yield "messageStop", {"stopReason": _stop_reason(script)}, 0.0
    yield "metadata", _accounts(script, asked), 0.0


def _deltas(block: Block, asked: ConverseContext) -> Iterator[dict[str, Any]]:
    match block:
        case Text(parts=parts):
            yield from ({"text": part} for part in parts)
        case Reasoning():
            for thought in told(asked.model_id, block.text):
                texts = pieces(thought["text"]) if "text" in thought else ()
                yield from ({"reasoningContent": {"text": text}} for text in texts)
                if "text" not in thought:
                    yield {"reasoningContent": thought}
        case Tool():
            for part in pieces(json.dumps(block.input)):
                yield {"toolUse": {"input": part}}


def _stream(script: Script, asked: ConverseContext) -> Reply:
    """Return the frames as they are sent, up to where the script breaks them off."""
    chunks = [
        Chunk(content=event_frame(kind, payload | {"p": PADDING}), pause_s=pause_s)
        for kind, payload, pause_s in _events(script, asked)
    ]
    if script.midstream:
        kind = script.midstream.kind or "modelStreamErrorException"
        failure = Chunk(content=exception_frame(kind, script.midstream.message))
        chunks = [*chunks[: script.midstream.events], failure]
    return Reply(
        headers=(("content-type", "application/vnd.amazon.eventstream"), *request_headers()),
        body=tuple(chunks[: script.abort]),
        wait_s=script.wait_s,
        cut=script.abort is not None,
    )
