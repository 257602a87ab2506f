"""The stand-in for Ollama: its chat API on loopback.

Knows: its one route, its models, what it refuses, its replies. Independent of: LiteLLM, profiles.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from openclaude.standins.base.conversation import Said, script_for
from openclaude.standins.base.exchange import Chunk, Recorded, Reply, json_reply
from openclaude.standins.base.schema import example
from openclaude.standins.base.script import Error, Reasoning, Script, Text, pieces
from openclaude.standins.base.standin import Standin
from openclaude.standins.bedrock.rules import ModelRules
from tests.standins.judged import Judged, Refusal, judged, refused, seen
from tests.standins.openai.reply import output_tokens

KEYS = frozenset(
    {"model", "messages", "tools", "stream", "options", "format", "think", "keep_alive"}
)
ROLES = frozenset({"system", "user", "assistant", "tool"})
ANY_MODEL = ModelRules(max_output_tokens=8000)
Line = tuple[dict[str, Any], float]


class OllamaStandin(Standin[Judged]):
    """A loopback Ollama. It needs no key."""

    name = "ollama stand-in"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        models: Mapping[str, ModelRules] | None = None,
        answer: Callable[[Judged], Reply | None] | None = None,
        record: Path | None = None,
        keep: int | None = None,
    ) -> None:
        """`models` are those it has (None: any, text-only)."""
        super().__init__(host=host, port=port, answer=answer, record=record, keep=keep)
        self._models = models

    def _inspect(self, request: Recorded) -> Judged:
        parts = seen(request)
        if (request.method, request.path) != ("POST", "/api/chat"):
            return refused(parts, Refusal(status=404, message="404 page not found"))
        try:
            body = request.json()
        except ValueError:
            return refused(parts, Refusal(status=400, message="invalid character in JSON"))
        model = str(body.get("model"))
        parts |= {"operation": "chat", "model_id": model}
        parts["streams"] = body.get("stream") is not False
        rules = ANY_MODEL if self._models is None else self._models.get(model)
        if rules is None:
            message = f"model '{model}' not found"
            return refused(parts, Refusal(status=404, message=message))
        return judged(parts, tuple(problems(body, rules)), ())

    def _reply(self, request: Judged) -> Reply:
        if refusal := request.refusal:
            return json_reply(refusal.status, {"error": refusal.message})
        body = request.json()
        script = script_of(body)
        if error := self._error_due(script):
            return scripted_error(error, wait_s=script.wait_s)
        lines = list(lines_of(script, request.model_id, input_tokens=len(request.body) // 4))
        return streamed(script, lines) if request.streams else whole(script, lines)


def problems(body: Mapping[str, Any], rules: ModelRules) -> Iterator[str]:
    """Yield what Ollama refuses, or would ignore silently with bad results."""
    yield from (f"{key}: unknown key" for key in body if key not in KEYS)
    if (body.get("options") or {}).get("num_predict", 0) > rules.max_output_tokens:
        yield "options.num_predict: more than the model can write"
    called = 0
    for place, message in enumerate(body.get("messages") or ()):
        if message.get("role") not in ROLES:
            yield f"messages.{place}: invalid role"
        if not isinstance(message.get("content", ""), str):
            yield f"json: cannot unmarshal array into Go struct field messages.{place}.content"
        if message.get("images") and not rules.vision:
            yield f"messages.{place}: this model is missing data required for image input"
        if message.get("role") == "tool":
            called -= 1
        elif called:
            yield f"messages.{place}: {called} tool calls without an answer"
            called = 0
        called += len(message.get("tool_calls") or ())


def scripted_error(error: Error, *, wait_s: float) -> Reply:
    """Return the HTTP error that a script asks for."""
    headers = tuple(error.headers.items())
    return json_reply(error.status, {"error": error.message}, headers=headers, wait_s=wait_s)


def script_of(body: Mapping[str, Any]) -> Script:
    """Return what to answer; a request for structured output gets it, whatever its prompt says."""
    if isinstance(schema := body.get("format"), dict):
        return Script(blocks=(Text(parts=pieces(json.dumps(example(schema)))),))
    turns = [said(message) for message in body.get("messages") or ()]
    return script_for(turns, default=f"ollama stand-in: {body['model']}")


def said(message: Mapping[str, Any]) -> Said:
    """Return a message in the form that all stand-ins share."""
    if message["role"] == "tool":
        return Said(role="user", text="", results=(message["content"],))
    return Said(role=message["role"], text=message.get("content") or "")


def lines_of(script: Script, model: str, *, input_tokens: int) -> Iterator[Line]:
    """Return the lines, each with the pause before it; the last line ends it."""
    base = {"model": model, "created_at": "2026-11-22T00:00:00Z", "done": False}
    for part, pause_s in parts_of(script):
        yield base | {"message": {"role": "assistant", "content": "", **part}}, pause_s
    counts = {"prompt_eval_count": input_tokens, "eval_count": output_tokens(script)}
    ending = {"done": True, "done_reason": script.stop or "stop", **counts}
    yield base | ending | {"message": {"role": "assistant", "content": ""}}, 0.0


def parts_of(script: Script) -> Iterator[tuple[dict[str, Any], float]]:
    """Return what each line adds; a tool call comes in one piece."""
    for block in script.blocks:
        match block:
            case Text(parts=texts, pause_s=pause_s):
                yield from (({"content": text}, pause_s) for text in texts)
            case Reasoning():
                yield from (({"thinking": text}, 0.0) for text in pieces(block.text))
            case _:
                function = {"name": block.name, "arguments": block.input}
                yield {"tool_calls": [{"function": function}]}, 0.0


def streamed(script: Script, lines: list[Line]) -> Reply:
    """Return the lines as they are sent, up to where the script breaks them off."""
    chunks = [
        Chunk(content=json.dumps(line).encode() + b"\n", pause_s=pause_s) for line, pause_s in lines
    ]
    if script.midstream:
        failure = json.dumps({"error": script.midstream.message}).encode() + b"\n"
        chunks = [*chunks[: script.midstream.events], Chunk(content=failure)]
    return Reply(
        headers=(("content-type", "application/x-ndjson"),),
        body=tuple(chunks[: script.abort]),
        wait_s=script.wait_s,
        cut=script.abort is not None,
    )


def whole(script: Script, lines: list[Line]) -> Reply:
    """Return the same in one piece."""
    if script.midstream:
        return json_reply(500, {"error": script.midstream.message})
    messages = [line["message"] for line, _ in lines]
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    joined: dict[str, Any] = {
        key: "".join(message.get(key, "") for message in messages)
        for key in ("content", "thinking")
    }
    message = {"role": "assistant", **joined, **({"tool_calls": calls} if calls else {})}
    reply = json_reply(200, lines[-1][0] | {"message": message}, wait_s=script.wait_s)
    if script.abort is None:
        return reply
    return replace(reply, body=b"" if script.abort == 0 else reply.body, cut=True)
