"""An OpenAI-compatible server's answer to a script: a chat completion, whole or streamed.

Knows: the wire format of chat completions, and the error document. Independent of: which requests
are admitted, where scripts come from, and the other API (responses.py).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from openclaude.standins.base.exchange import Chunk, Reply, json_reply
from openclaude.standins.base.script import Error, Reasoning, Script, Text, Tool, pieces

KINDS = {
    401: "invalid_request_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_exceeded",
    400: "invalid_request_error",
}
DONE = b"data: [DONE]\n\n"
STREAM_HEADERS = (("content-type", "text/event-stream; charset=utf-8"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionContext:
    """The parts of a request that shape its reply."""

    model: str
    input_tokens: int
    streams: bool = False
    wants_usage: bool = False  # a stream with stream_options.include_usage
    thinks_in: str = "reasoning_content"  # the provider's name for it


def answer(script: Script, asked: CompletionContext) -> Reply:
    """Return the reply that a script asks for, streamed or whole."""
    if asked.streams:
        return streamed(script, [event(part) for part in parts(script, asked)])
    if script.midstream:  # a whole reply cannot break off in the middle
        return error_reply(500, script.midstream.message, kind=script.midstream.kind)
    choice = {"index": 0, "message": message(script, asked), "finish_reason": ending(script)}
    document = head(asked, "chat.completion") | {"choices": [choice], "usage": usage(script, asked)}
    return whole(script, document)


def whole(script: Script, document: dict[str, Any]) -> Reply:
    """Return a reply of one document, unless the script drops the connection."""
    reply = json_reply(200, document, headers=request_headers(), wait_s=script.wait_s)
    if script.abort is None:
        return reply
    return replace(reply, body=b"" if script.abort == 0 else reply.body, cut=True)


def streamed(script: Script, chunks: list[Chunk]) -> Reply:
    """Return the events as they are sent, up to where the script breaks them off."""
    if script.midstream:
        document = error_document(script.midstream.message, kind=script.midstream.kind)
        chunks = [*chunks[: script.midstream.events], event((document | {"code": 500}, 0.0))]
    return Reply(
        headers=(*STREAM_HEADERS, *request_headers()),
        body=tuple(chunks[: script.abort]),
        wait_s=script.wait_s,
        cut=script.abort is not None,
    )


def error_reply(
    status: int,
    message: str,
    *,
    kind: str = "",
    code: str = "",
    headers: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """Return an error in OpenAI's format."""
    document = error_document(message, kind=kind or KINDS.get(status, "server_error"), code=code)
    return json_reply(status, document, headers=(*request_headers(), *headers))


def error_document(message: str, *, kind: str = "", code: str = "") -> dict[str, Any]:
    """The body of an error."""
    error = {
        "message": message,
        "type": kind or "server_error",
        "param": None,
        "code": code or None,
    }
    return {"error": error}


def scripted_error(error: Error, *, wait_s: float) -> Reply:
    """Return the HTTP error that a script asks for."""
    headers = tuple(error.headers.items())
    message = "Rate limit reached" if error.is_limit else error.message
    reply = error_reply(error.status, message, kind=error.kind, headers=headers)
    return replace(reply, wait_s=wait_s)


def request_headers() -> tuple[tuple[str, str], ...]:
    """Return the header that every reply has."""
    return (("x-request-id", f"req_{secrets.token_hex(16)}"),)


# The parts of one reply --------------------------------------------------------------------------


def head(asked: CompletionContext, kind: str) -> dict[str, Any]:
    """Return the start of a completion and of its chunks."""
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": kind,
        "created": 1_790_000_000,
        "model": asked.model,
        "service_tier": "default",
    }


def message(script: Script, asked: CompletionContext) -> dict[str, Any]:
    """Return the assistant's message as a whole."""
    said = "".join(block.text for block in script.blocks if isinstance(block, Text))
    thought = "".join(block.text for block in script.blocks if isinstance(block, Reasoning))
    calls = [call(index, block) for index, block in enumerate(script.tools)]
    return {
        "role": "assistant",
        "content": said or None,
        "refusal": None,
        **({asked.thinks_in: thought} if thought else {}),
        **({"tool_calls": [{k: c[k] for k in c if k != "index"} for c in calls]} if calls else {}),
    }


def call(index: int, block: Tool) -> dict[str, Any]:
    """A tool call."""
    function = {"name": block.name, "arguments": json.dumps(block.input)}
    identity = f"call_{secrets.token_hex(12)}"
    return {"index": index, "id": identity, "type": "function", "function": function}


def ending(script: Script) -> str:
    """Return why it ended."""
    return script.stop or ("tool_calls" if script.tools else "stop")


def usage(script: Script, asked: CompletionContext) -> dict[str, int]:
    """Return the usage."""
    written = output_tokens(script)
    return {
        "prompt_tokens": asked.input_tokens,
        "completion_tokens": written,
        "total_tokens": asked.input_tokens + written,
    }


def output_tokens(script: Script) -> int:
    """Return the output tokens, counted as all stand-ins do."""
    length = sum(
        len(json.dumps(block.input)) if isinstance(block, Tool) else len(block.text)
        for block in script.blocks
    )
    return length // 4 + 1


# The same as chunks -----------------------------------------------------------------------------


def event(part: tuple[dict[str, Any] | None, float]) -> Chunk:
    """Write a server-sent event; None is the end of the stream."""
    document, pause_s = part
    data = DONE if document is None else b"data: " + json.dumps(document).encode() + b"\n\n"
    return Chunk(content=data, pause_s=pause_s)


def parts(
    script: Script, asked: CompletionContext
) -> Iterator[tuple[dict[str, Any] | None, float]]:
    """Return every chunk of a stream, and the pause before it."""
    base = head(asked, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return base | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""}), 0.0
    for delta, pause_s in deltas(script, asked):
        yield chunk(delta), pause_s
    yield chunk({}, ending(script)), 0.0
    if asked.wants_usage:
        yield base | {"choices": [], "usage": usage(script, asked)}, 0.0
    yield None, 0.0


def deltas(script: Script, asked: CompletionContext) -> Iterator[tuple[dict[str, Any], float]]:
    """Return what each chunk adds."""
    called = 0
    for block in script.blocks:
        match block:
            case Text(parts=parts, pause_s=pause_s):
                yield from (({"content": part}, pause_s) for part in parts)
            case Reasoning():
                yield from (({asked.thinks_in: part}, 0.0) for part in pieces(block.text))
            case Tool():
                first = call(called, block)
                arguments = first["function"]["arguments"]
                opened = first | {"function": {"name": block.name, "arguments": ""}}
                yield {"tool_calls": [opened]}, 0.0
                for part in pieces(arguments):
                    more = {"index": called, "function": {"arguments": part}}
                    yield {"tool_calls": [more]}, 0.0
                called += 1
