"""Bedrock's answer of InvokeModel to a script: Anthropic's message, whole or in AWS's frames.

Knows: how Bedrock wraps the events of Anthropic's Messages API, and where it reports counts.
Independent of: which requests are admitted, where scripts come from.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from openclaude.standins.anthropic.reply import MessageContext, message_events, whole_message
from openclaude.standins.base.exchange import Chunk, Reply, json_reply
from openclaude.standins.base.script import Script
from openclaude.standins.bedrock.claude_rules import marked_parts, sign_thought
from openclaude.standins.bedrock.eventstream import event_frame, exception_frame
from openclaude.standins.bedrock.reply import PADDING, error_reply

CONVERSE_CACHED = ("cacheWriteInputTokens", "cacheReadInputTokens")
CACHED = ("cache_creation_input_tokens", "cache_read_input_tokens")


@dataclass(slots=True)
class PromptCache:
    """The beginnings of requests that were marked for the cache, by digest."""

    seen: dict[str, int] = field(default_factory=dict)  # their tokens

    def counts(self, body: Mapping[str, Any]) -> dict[str, int]:
        """Return how many tokens a request writes into the cache and reads from it."""
        return dict(zip(CACHED, self._look_up(beginnings(body)), strict=True))

    def converse_counts(self, body: Mapping[str, Any]) -> dict[str, int]:
        """Return the same of Converse, in its words; nothing for a request without a mark."""
        begins = converse_beginnings(body)
        return dict(zip(CONVERSE_CACHED, self._look_up(begins), strict=True)) if begins else {}

    def _look_up(self, begins: list[tuple[str, int]]) -> tuple[int, int]:
        """Return what is written and what is read, in tokens."""
        read = max((self.seen[digest] for digest, _ in begins if digest in self.seen), default=0)
        most = max((tokens for _, tokens in begins), default=0)
        self.seen.update(begins)
        return most - read, read


def beginnings(body: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the digest and the tokens of everything before each cache mark."""
    marks = {where for where, _ in marked_parts(body)}
    digest, size, found = hashlib.sha256(), 0, list[tuple[str, int]]()
    for where, part in parts_of(body):
        bare = {key: value for key, value in part.items() if key != "cache_control"}
        text = json.dumps(bare, sort_keys=True).encode()
        digest.update(text)
        size += len(text)
        if where in marks:
            found.append((digest.hexdigest(), size // 4))
    return found


def converse_beginnings(body: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the digest and the tokens of everything before each cachePoint of Converse."""
    turns = [block for turn in body.get("messages") or () for block in turn["content"]]
    tools = (body.get("toolConfig") or {}).get("tools") or ()
    digest, size, found = hashlib.sha256(), 0, list[tuple[str, int]]()
    for part in (*tools, *(body.get("system") or ()), *turns):
        if "cachePoint" in part:
            found.append((digest.hexdigest(), size // 4))
            continue
        text = json.dumps(part, sort_keys=True).encode()
        digest.update(text)
        size += len(text)
    return found


def parts_of(body: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the parts of a request in the order in which the model reads them."""
    system = body.get("system") or ()
    system = [{"text": system}] if isinstance(system, str) else system
    named = [("tools", body.get("tools") or ()), ("system", system)]
    turns = [
        (f"messages.{place}.content", [{"text": said}] if isinstance(said, str) else said)
        for place, said in enumerate(turn.get("content") or () for turn in body["messages"])
    ]
    return [
        (f"{name}.{place}", dict(part))
        for name, parts in (*named, *turns)
        for place, part in enumerate(parts)
    ]


def invoke_answer(
    script: Script,
    body: Mapping[str, Any],
    *,
    model: str,
    tokens: int,
    wants_stream: bool,
    cache: PromptCache,
) -> Reply:
    """Return the reply that a script asks for, streamed or whole."""
    counts = cache.counts(body)
    asked = MessageContext(
        model=model.rpartition("anthropic.")[2] or model,
        input_tokens=max(tokens - sum(counts.values()), 1),
        wants_stream=wants_stream,
        wants_verdict=False,
        cached=counts,
        sign=sign_thought,
    )
    if wants_stream:
        return stream(script, asked)
    if script.midstream:  # a whole reply cannot break off in the middle
        return error_reply(424, script.midstream.message, kind="ModelErrorException")
    message = whole_message(script, asked)
    whole = json_reply(200, message, headers=request_id(), wait_s=script.wait_s)
    if script.abort is None:
        return whole
    return replace(whole, body=b"" if script.abort == 0 else whole.body, cut=True)


def request_id() -> tuple[tuple[str, str], ...]:
    """Return the header that every reply of AWS has."""
    return (("x-amzn-requestid", str(uuid.uuid4())),)


def stream(script: Script, asked: MessageContext) -> Reply:
    """Return the frames as they are sent, up to where the script breaks them off."""
    chunks = [
        Chunk(content=chunk_frame(event, asked), pause_s=pause_s)
        for event, pause_s in message_events(script, asked)
        if event["type"] != "ping"
    ]
    if script.midstream:
        kind = script.midstream.kind or "modelStreamErrorException"
        failure = Chunk(content=exception_frame(kind, script.midstream.message))
        chunks = [*chunks[: script.midstream.events], failure]
    return Reply(
        headers=(("content-type", "application/vnd.amazon.eventstream"), *request_id()),
        body=tuple(chunks[: script.abort]),
        wait_s=script.wait_s,
        cut=script.abort is not None,
    )


def chunk_frame(event: dict[str, Any], asked: MessageContext) -> bytes:
    """Return one event of Anthropic's as Bedrock sends it; the last one has AWS's own counts."""
    if event["type"] == "message_stop":
        metrics = {"inputTokenCount": asked.input_tokens, "invocationLatency": 7}
        written, read = (asked.cached[key] for key in CACHED)
        metrics |= {"cacheReadInputTokenCount": read, "cacheWriteInputTokenCount": written}
        event = {**event, "amazon-bedrock-invocationMetrics": metrics}
    encoded = base64.b64encode(json.dumps(event, separators=(",", ":")).encode()).decode()
    return event_frame("chunk", {"bytes": encoded, "p": PADDING})
