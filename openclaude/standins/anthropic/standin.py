"""The stand-in for Anthropic: api.anthropic.com as Claude Code sees it, on loopback.

Knows: its routes, which credentials are admitted, which requests the real API refuses. Independent
of: LiteLLM, profiles, and how a reply is written (reply.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from openclaude.standins.anthropic.reply import (
    Headers,
    MessageContext,
    answer,
    error_reply,
    quota_headers,
    request_headers,
    scripted_error,
)
from openclaude.standins.base.conversation import Said, script_for
from openclaude.standins.base.exchange import Recorded, Reply, json_reply
from openclaude.standins.base.schema import example
from openclaude.standins.base.script import Script, Text, pieces
from openclaude.standins.base.standin import Standin

COUNTED_TOKENS = 4242  # what count_tokens always returns: clearly not an estimate
OAUTH_PREFIX = "sk-ant-oat"
OAUTH_BETA = "oauth-2025-04-20"
REQUIRED = ("model", "messages", "max_tokens")


class AnthropicStandin(Standin[Recorded]):
    """A loopback api.anthropic.com."""

    name = "anthropic stand-in"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        credentials: frozenset[str] | None = None,
        api_key: str | None = None,
        thinks: bool = False,
        utilization: float = 0.17,
        answer: Callable[[Recorded], Reply | None] | None = None,
        record: Path | None = None,
        keep: int | None = None,
    ) -> None:
        """Set up who is admitted, and how models and the plan behave.

        `credentials` are the tokens that are admitted (None: any). `api_key` makes it a third party
        with Anthropic's API: any path prefix, models of its own, and only this key is admitted;
        with `thinks` its models think unless told not to, and require their thinking back.
        `utilization` is the used part of the plan's five hours; from 0.75 on the header is sent
        that makes claude warn.
        """
        super().__init__(host=host, port=port, answer=answer, record=record, keep=keep)
        self._credentials = credentials
        self._api_key = api_key
        self._thinks = thinks
        self._utilization = utilization

    def _inspect(self, request: Recorded) -> Recorded:
        return request

    def _reply(self, request: Recorded) -> Reply:
        headers = request_headers()
        if self._api_key is not None:
            return self._third_party(request, headers)
        match request.method, request.path:
            case "HEAD", "/api/hello":
                return Reply(headers=headers)
            case "POST", "/v1/messages" | "/v1/messages/count_tokens":
                return self._admit(request, headers) or self._message(request, headers)
            case _:
                return error_reply(404, "Not found", headers)

    def _third_party(self, request: Recorded, headers: Headers) -> Reply:
        """Answer as a provider with Anthropic's API but without its plans."""
        if request.method != "POST" or not request.path.endswith("/v1/messages"):
            return error_reply(404, "Not found", headers)
        if strange := request.header("authorization"):
            # reported loudly, because it may be the login of a user's plan
            return error_reply(418, f"AUTHORIZATION HEADER LEAKED: {strange[:12]}...", headers)
        if request.header("x-api-key") != self._api_key:
            return error_reply(401, "invalid x-api-key", headers)
        return self._message(request, headers)

    def _admit(self, request: Recorded, headers: Headers) -> Reply | None:
        """Return a refusal if the credential is missing, unknown or not allowed here."""
        bearer = (request.header("authorization") or "").removeprefix("Bearer ")
        tokens = {token for token in (bearer, request.header("x-api-key")) if token}
        if not tokens:
            return error_reply(401, "x-api-key header is required", headers)
        if self._credentials is not None and not tokens & self._credentials:
            named = "invalid x-api-key" if request.header("x-api-key") else "Invalid bearer token"
            return error_reply(401, named, headers)
        betas = (request.header("anthropic-beta") or "").replace(" ", "").split(",")
        if bearer.startswith(OAUTH_PREFIX) and OAUTH_BETA not in betas:
            # A plan's token is only valid with this beta: a proxy that drops it breaks the login.
            return error_reply(401, "OAuth authentication is currently not supported.", headers)
        if request.header("anthropic-version") is None:
            return error_reply(400, "anthropic-version: header is required", headers)
        return None

    def _message(self, request: Recorded, headers: Headers) -> Reply:
        if self._api_key is None:
            headers = (*headers, *quota_headers(utilization=self._utilization, now=time.time()))
        try:
            body = request.json()
        except ValueError:
            return error_reply(400, "The request body is not valid JSON", headers)
        is_count = request.path.endswith("/count_tokens")
        found = problems(body, is_count=is_count)
        if self._api_key is not None:
            found = chain(found, strangeness(body), forgotten(body, thinks=self._thinks))
        if problem := next(found, None):
            return error_reply(400, problem, headers)
        model = body["model"]
        if self._api_key is None and not model.startswith("claude-"):
            return error_reply(404, f"model: {model}", headers)
        if is_count:
            return json_reply(200, {"input_tokens": COUNTED_TOKENS}, headers=headers)
        script = _script(body)
        if error := self._error_due(script):
            return scripted_error(error, headers, now=time.time(), wait_s=script.wait_s)
        asked = MessageContext(
            model=model,
            input_tokens=len(request.body) // 4,
            wants_stream=bool(body.get("stream")),
            wants_verdict=bool(body.get("safeguards")),
        )
        return answer(script, asked, headers)


def problems(body: Any, *, is_count: bool) -> Iterator[str]:
    """Yield what the real API refuses in a body, as far as a proxy can cause it."""
    if not isinstance(body, dict):
        yield "Input should be a valid dictionary"
        return
    required = REQUIRED[:2] if is_count else REQUIRED
    yield from (f"{key}: Field required" for key in required if key not in body)
    if not isinstance(body.get("model"), str):
        yield "model: Input should be a valid string"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "messages: at least one message is required"
        return
    for turn, message in enumerate(messages):
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(content, str | list):
            yield f"messages.{turn}.content: Field required"
            continue
        for place, block in enumerate(content if isinstance(content, list) else ()):
            yield from _block_problems(f"messages.{turn}.content.{place}", block)


# The keys of a third party's body; reports differ about any others, so they must not arrive
PORTABLE = frozenset(
    {"model", "messages", "max_tokens", "system", "tools", "tool_choice", "stream", "metadata"}
    | {"stop_sequences", "temperature", "top_p", "top_k", "thinking", "output_config"}
)
TOOL_KEYS = frozenset({"type", "name", "description", "input_schema", "cache_control"})


def strangeness(body: Any) -> Iterator[str]:
    """Yield what only Anthropic's own models understand."""
    yield from (f"{key}: Extra inputs are not permitted" for key in body.keys() - PORTABLE)
    for place, tool in enumerate(body.get("tools") or ()):
        for key in tool.keys() - TOOL_KEYS:
            yield f"tools.{place}.{key}: Extra inputs are not permitted"
    for turn, message in enumerate(body["messages"]):
        if message["role"] not in ("user", "assistant"):
            yield f'messages.{turn}: Unexpected role "{message["role"]}"'
        for key in message.keys() - {"role", "content"}:
            yield f"messages.{turn}.{key}: Extra inputs are not permitted"
    if '"ttl"' in json.dumps(body):
        yield "cache_control.ttl: Extra inputs are not permitted"


def forgotten(body: Any, *, thinks: bool) -> Iterator[str]:
    """Yield the calls of a thinking model that come without the thinking that led to them."""
    asked = (body.get("thinking") or {}).get("type")
    if asked == "disabled" or not (asked or thinks):
        return
    for turn, message in enumerate(body["messages"]):
        kinds = [block.get("type") for block in _blocks(message.get("content"))]
        if message["role"] == "assistant" and "tool_use" in kinds and "thinking" not in kinds:
            yield f"messages.{turn}: the thoughts of the thinking mode must be passed back"


def _block_problems(where: str, block: Any) -> Iterator[str]:
    match block:
        case {"type": "thinking", "signature": str(signature)} if signature:
            return
        case {"type": "thinking"}:
            # What would happen to a slot's unsigned reasoning in the conversation's history.
            yield f"{where}: Invalid `signature` in `thinking` block"
        case {"type": "text", "text": str(text)}:
            if not text:
                yield f"{where}: text content blocks must be non-empty"
        case {"type": "text"}:
            yield f"{where}.text: Input should be a valid string"
        case {"type": "tool_result", "content": list(parts)}:
            if not all(isinstance(part, dict) for part in parts):
                yield f"{where}.content: Input should be a list of dictionaries"
        case {"type": "tool_result", "content": content} if not isinstance(content, str | None):
            yield f"{where}.content: Input should be a valid string or list"
        case dict():
            return
        case _:
            yield f"{where}: Input should be a valid dictionary"


def _script(body: Mapping[str, Any]) -> Script:
    """Return what to answer; a request for structured output gets it, whatever its prompt says."""
    match body.get("output_config"):
        case {"format": {"type": "json_schema", "schema": dict(schema)}}:
            text = json.dumps(example(schema))
            return Script(blocks=(Text(parts=pieces(text)),))
    conversation = [_said(message) for message in body["messages"]]
    return script_for(conversation, default=f"anthropic stand-in: {body['model']}")


def _said(message: Mapping[str, Any]) -> Said:
    blocks = _blocks(message.get("content"))
    return Said(
        role=str(message.get("role")),
        text="\n".join(block["text"] for block in blocks if block.get("type") == "text"),
        results=tuple(_result(b) for b in blocks if b.get("type") == "tool_result"),
    )


def _result(block: Mapping[str, Any]) -> str:
    parts = _blocks(block.get("content"))
    return "\n".join(str(part.get("text") or f"[{part.get('type')}]") for part in parts)


def _blocks(content: Any) -> list[Any]:
    """Return a content as a list of blocks; a string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content or []
