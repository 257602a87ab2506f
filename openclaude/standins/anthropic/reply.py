"""Anthropic's answer to a script: a message, a stream of server-sent events, an error.

Knows: the Messages API's wire format. Independent of: which requests are admitted, where scripts
come from.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from openclaude.standins.base.exchange import Chunk, Reply, json_reply
from openclaude.standins.base.script import (
    Block,
    Error,
    Midstream,
    Reasoning,
    Script,
    Text,
    Tool,
    pieces,
)

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
Headers = tuple[tuple[str, str], ...]
Event = tuple[dict[str, Any], float]  # an event, and the pause before it in seconds


def signed_at_random(_: str) -> str:
    """Return a signature of nothing in particular."""
    return base64.b64encode(secrets.token_bytes(48)).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """The parts of a request that shape its reply."""

    model: str
    input_tokens: int
    wants_stream: bool
    wants_verdict: bool  # the request had `safeguards`
    cached: Mapping[str, int] = field(default_factory=dict)  # tokens written and read, as in usage
    sign: Callable[[str], str] = signed_at_random  # the signature of a thought


def answer(script: Script, asked: MessageContext, headers: Headers) -> Reply:
    """Return the reply that a script asks for, streamed or whole."""
    if asked.wants_stream:
        return _stream(script, message_events(script, asked), headers)
    if script.midstream:  # a whole reply cannot break off in the middle
        return error_reply(500, script.midstream.message, headers, kind=script.midstream.kind)
    message = whole_message(script, asked)
    whole = json_reply(200, message, headers=headers, wait_s=script.wait_s)
    return whole if script.abort is None else _cut(whole, is_silent=script.abort == 0)


def whole_message(script: Script, asked: MessageContext) -> dict[str, Any]:
    """Return the message that a script asks for."""
    blocks = [_block(block, asked) for block in script.blocks]
    message = _message(asked) | {"content": blocks} | _ending(script, blocks, asked)
    return message | {"usage": _usage(asked, _output_tokens(script))}


def error_reply(status: int, message: str, headers: Headers = (), *, kind: str = "") -> Reply:
    """Return an error in Anthropic's format."""
    document = {
        "type": "error",
        "error": {"type": kind or KINDS.get(status, "api_error"), "message": message},
        "request_id": dict(headers).get("request-id"),
    }
    return json_reply(status, document, headers=headers)


def scripted_error(error: Error, headers: Headers, *, now: float, wait_s: float) -> Reply:
    """Return the HTTP error that a script asks for."""
    return replace(_scripted_error(error, headers, now), wait_s=wait_s)


def _scripted_error(error: Error, headers: Headers, now: float) -> Reply:
    if not error.is_limit:
        named = dict(headers) | {name.lower(): value for name, value in error.headers.items()}
        return error_reply(error.status, error.message, tuple(named.items()), kind=error.kind)
    replaced = dict(headers) | dict(quota_headers(utilization=1.0, now=now, is_rejected=True))
    message = "This request would exceed your account's rate limit. Please try again later."
    return error_reply(429, message, tuple(replaced.items()))


def request_headers() -> Headers:
    """Return the headers that every reply of Anthropic has."""
    return (
        ("request-id", f"req_{secrets.token_hex(12)}"),
        ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000"),
        ("server", "cloudflare"),
        ("cf-cache-status", "DYNAMIC"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
    )


def quota_headers(*, utilization: float, now: float, is_rejected: bool = False) -> Headers:
    """Return how much of a plan is used up, as Claude Code's status line and warnings read it."""
    is_near = utilization >= 0.75
    state = "rejected" if is_rejected else "allowed_warning" if is_near else "allowed"
    reset, week = str(int(now) + 3600), str(int(now) + 4 * 86400)
    warning = (("5h-surpassed-threshold", "0.75"),) if is_near and not is_rejected else ()
    values = (
        ("status", state),
        ("5h-status", state),
        ("5h-reset", reset),
        ("5h-utilization", f"{utilization:g}"),
        *warning,
        ("7d-status", "allowed"),
        ("7d-reset", week),
        ("7d-utilization", "0.05"),
        ("representative-claim", "five_hour"),
        ("reset", reset),
    )
    return tuple((f"anthropic-ratelimit-unified-{name}", value) for name, value in values)


# The parts of one reply --------------------------------------------------------------------------


def _block(block: Block, asked: MessageContext) -> dict[str, Any]:
    match block:
        case Text():
            return {"type": "text", "text": block.text}
        case Reasoning():
            signature = asked.sign(block.text)
            return {"type": "thinking", "thinking": block.text, "signature": signature}
        case Tool():
            identity = f"toolu_01{secrets.token_hex(11)}"
            return {"type": "tool_use", "id": identity, "name": block.name, "input": block.input}


def _message(asked: MessageContext) -> dict[str, Any]:
    return {
        "id": f"msg_01{secrets.token_hex(11)}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(asked, 1),
    }


def _ending(script: Script, blocks: list[dict[str, Any]], asked: MessageContext) -> dict[str, Any]:
    """Return the stop reason and, if requested, Anthropic's verdict on the reply's tool calls."""
    stop = script.stop or ("tool_use" if script.tools else "end_turn")
    ending: dict[str, Any] = {"stop_reason": stop, "stop_sequence": None}
    if asked.wants_verdict:
        verdict = {"type": "evaluated", "outcome": "not_flagged"}
        uses = {block["id"]: verdict for block in blocks if block["type"] == "tool_use"}
        status = {"type": "available", "tool_uses": uses}
        ending["safeguard_results"] = [{"type": "dangerous_tool_use", "status": status}]
    return ending


def _usage(asked: MessageContext, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": asked.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output_tokens,
        "service_tier": "standard",
        **asked.cached,
    }


def _output_tokens(script: Script) -> int:
    length = sum(
        len(json.dumps(block.input)) if isinstance(block, Tool) else len(block.text)
        for block in script.blocks
    )
    return length // 4 + 1


# The same as events ------------------------------------------------------------------------------


def message_events(script: Script, asked: MessageContext) -> Iterator[Event]:
    """Return the same message as the events of a stream, each with the pause before it."""
    blocks = [_block(block, asked) for block in script.blocks]
    yield {"type": "message_start", "message": _message(asked)}, 0.0
    yield {"type": "ping"}, 0.0
    for index, (block, content) in enumerate(zip(script.blocks, blocks, strict=True)):
        empty = content | {key: type(content[key])() for key in _streamed_keys(block)}
        yield {"type": "content_block_start", "index": index, "content_block": empty}, 0.0
        pause_s = block.pause_s if isinstance(block, Text) else 0.0
        for delta in _deltas(block, content):
            yield {"type": "content_block_delta", "index": index, "delta": delta}, pause_s
        yield {"type": "content_block_stop", "index": index}, 0.0
    ending = _ending(script, blocks, asked)
    usage = _usage(asked, _output_tokens(script))
    yield {"type": "message_delta", "delta": ending, "usage": usage}, 0.0
    yield {"type": "message_stop"}, 0.0


def _streamed_keys(block: Block) -> tuple[str, ...]:
    """Return the keys of a block that start empty and arrive in deltas."""
    match block:
        case Text():
            return ("text",)
        case Reasoning():
            return ("thinking", "signature")
        case Tool():
            return ("input",)


def _deltas(block: Block, content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    match block:
        case Text(parts=parts):
            for part in parts:
                yield {"type": "text_delta", "text": part}
        case Reasoning():
            for part in pieces(block.text):
                yield {"type": "thinking_delta", "thinking": part}
            yield {"type": "signature_delta", "signature": content["signature"]}
        case Tool():
            for part in ("", *pieces(json.dumps(block.input))):
                yield {"type": "input_json_delta", "partial_json": part}


def _stream(script: Script, events: Iterator[Event], headers: Headers) -> Reply:
    """Return the events as they are sent, up to where the script breaks them off."""
    chunks = [_server_sent(event, pause_s) for event, pause_s in events]
    if script.midstream:
        chunks = [*chunks[: script.midstream.events], _failure(script.midstream)]
    return Reply(
        headers=(
            ("content-type", "text/event-stream; charset=utf-8"),
            ("cache-control", "no-cache"),
            *headers,
        ),
        body=tuple(chunks[: script.abort]),
        wait_s=script.wait_s,
        cut=script.abort is not None,
    )


def _failure(wanted: Midstream) -> Chunk:
    error = {"type": wanted.kind or "overloaded_error", "message": wanted.message}
    return _server_sent({"type": "error", "error": error})


def _server_sent(event: dict[str, Any], pause_s: float = 0.0) -> Chunk:
    line = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    return Chunk(content=f"event: {event['type']}\ndata: {line}\n\n".encode(), pause_s=pause_s)


def _cut(reply: Reply, *, is_silent: bool) -> Reply:
    return replace(reply, body=b"" if is_silent else reply.body, cut=True)
