"""The stand-in for Gemini: Google's generateContent on loopback.

Knows: its routes, its key, its models, its replies. Independent of: LiteLLM, profiles, and what is
refused (rules.py).
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from openclaude.standins.base.conversation import Said, script_for
from openclaude.standins.base.exchange import Chunk, Recorded, Reply, json_reply
from openclaude.standins.base.schema import example
from openclaude.standins.base.script import Block, Error, Reasoning, Script, Text, pieces
from openclaude.standins.base.standin import Standin
from openclaude.standins.bedrock.rules import ModelRules
from tests.standins.gemini.rules import broken, camel, parts
from tests.standins.judged import Judged, Refusal, judged, refused, seen
from tests.standins.openai.reply import output_tokens

EXAMPLE_KEY = "AIza-standin-0123456789abcdef0123456789"
ROUTE = re.compile(
    r"/v1(?:alpha|beta)?/models/(?P<model>[^/:]+)"
    r":(?P<operation>generateContent|streamGenerateContent)"
)
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
ANY_MODEL = ModelRules(max_output_tokens=8000)
Candidate = tuple[dict[str, Any], float]


class GeminiStandin(Standin[Judged]):
    """A loopback generativelanguage.googleapis.com."""

    name = "gemini stand-in"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        key: str = EXAMPLE_KEY,
        models: Mapping[str, ModelRules] | None = None,
        answer: Callable[[Judged], Reply | None] | None = None,
        record: Path | None = None,
        keep: int | None = None,
    ) -> None:
        """`key` is the only one admitted; `models` are those it has (None: any, text-only)."""
        super().__init__(host=host, port=port, answer=answer, record=record, keep=keep)
        self._key = key
        self._models = models

    def _inspect(self, request: Recorded) -> Judged:
        found = ROUTE.fullmatch(request.path)
        if not found or request.method != "POST":
            return refused(seen(request), Refusal(status=404, message="Requested entity not found"))
        query = parse_qs(request.target.partition("?")[2])
        parted = seen(request) | {
            "operation": found["operation"],
            "model_id": found["model"],
            "streams": found["operation"] == "streamGenerateContent",
        }
        given = request.header("x-goog-api-key") or query.get("key", [""])[0]
        if given != self._key:
            message = "API key not valid. Please pass a valid API key."
            return refused(parted, Refusal(status=400, message=message))
        rules = ANY_MODEL if self._models is None else self._models.get(found["model"])
        if rules is None:
            message = f"models/{found['model']} is not found for API version v1beta"
            return refused(parted, Refusal(status=404, message=message))
        try:
            body = camel(request.json())
        except ValueError:
            return refused(parted, Refusal(status=400, message="Invalid JSON payload received."))
        return judged(parted, broken(body, found["model"], rules), ())

    def _reply(self, request: Judged) -> Reply:
        if refusal := request.refusal:
            return error_reply(refusal.status, refusal.message)
        body = camel(request.json())
        script = script_of(body, request.model_id)
        if error := self._error_due(script):
            return scripted_error(error, wait_s=script.wait_s)
        candidates = list(candidates_of(script, input_tokens=len(request.body) // 4))
        return streamed(script, candidates) if request.streams else whole(script, candidates)


def error_reply(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """Return an error in Google's format."""
    named = STATUSES.get(status, "UNKNOWN")
    document = {"error": {"code": status, "message": message, "status": named}}
    return json_reply(status, document, headers=headers)


def scripted_error(error: Error, *, wait_s: float) -> Reply:
    """Return the HTTP error that a script asks for."""
    reply = error_reply(error.status, error.message, tuple(error.headers.items()))
    return replace(reply, wait_s=wait_s)


# Replies ------------------------------------------------------------------------------------------


def script_of(body: Mapping[str, Any], model: str) -> Script:
    """Return what to answer; a request for structured output gets it, whatever its prompt says."""
    settings = body.get("generationConfig") or {}
    if schema := settings.get("responseSchema") or settings.get("responseJsonSchema"):
        return Script(blocks=(Text(parts=pieces(json.dumps(example(schema)))),))
    turns = [said(turn) for turn in body["contents"]]
    return script_for(turns, default=f"gemini stand-in: {model}")


def said(turn: Mapping[str, Any]) -> Said:
    """Return a turn in the form that all stand-ins share."""
    answers = (part["functionResponse"]["response"] for part in parts(turn, "functionResponse"))
    return Said(
        role="user" if turn.get("role") == "user" else "assistant",
        text="\n".join(part["text"] for part in parts(turn, "text")),
        results=tuple(str(answer.get("content", answer)) for answer in answers),
    )


def candidates_of(script: Script, *, input_tokens: int) -> Iterator[Candidate]:
    """Return the candidates, piece by piece, each with the pause before it; the last ends it."""
    last = len(script.blocks) - 1
    for index, block in enumerate(script.blocks):
        for part, pause_s in parts_of(block):
            yield {"content": {"parts": [part], "role": "model"}, "index": 0}, pause_s
        if index == last:
            reason = script.stop or "STOP"
            written = output_tokens(script)
            ending = {"content": {"parts": [], "role": "model"}, "index": 0}
            usage = {"promptTokenCount": input_tokens, "candidatesTokenCount": written}
            total = {"totalTokenCount": input_tokens + written}
            yield ending | {"finishReason": reason, "usage": usage | total}, 0.0


def parts_of(block: Block) -> Iterator[tuple[dict[str, Any], float]]:
    """Return a block as Gemini's parts; a call comes in one piece, with its signature."""
    match block:
        case Text(parts=texts, pause_s=pause_s):
            yield from (({"text": text}, pause_s) for text in texts)
        case Reasoning():
            yield {"text": block.text, "thought": True}, 0.0
        case _:
            signature = base64.b64encode(secrets.token_bytes(48)).decode()
            call = {"name": block.name, "args": block.input}
            yield {"functionCall": call, "thoughtSignature": signature}, 0.0


def document_of(candidate: dict[str, Any]) -> dict[str, Any]:
    """Return a candidate with the rest of its document."""
    usage = candidate.pop("usage", None)
    around = {"usageMetadata": usage} if usage else {}
    return {"candidates": [candidate], "modelVersion": "stand-in", **around}


def streamed(script: Script, candidates: list[Candidate]) -> Reply:
    """Return the events as they are sent, up to where the script breaks them off."""
    chunks = [
        Chunk(content=sse(document_of(candidate)), pause_s=pause_s)
        for candidate, pause_s in candidates
    ]
    if script.midstream:
        error = {"code": 503, "message": script.midstream.message, "status": "UNAVAILABLE"}
        chunks = [*chunks[: script.midstream.events], Chunk(content=sse({"error": error}))]
    return Reply(
        headers=(("content-type", "text/event-stream"),),
        body=tuple(chunks[: script.abort]),
        wait_s=script.wait_s,
        cut=script.abort is not None,
    )


def whole(script: Script, candidates: list[Candidate]) -> Reply:
    """Return the same in one piece."""
    if script.midstream:
        return error_reply(503, script.midstream.message)
    ending = candidates[-1][0]
    ending["content"]["parts"] = [
        part for candidate, _ in candidates for part in candidate["content"]["parts"]
    ]
    reply = json_reply(200, document_of(ending), wait_s=script.wait_s)
    if script.abort is None:
        return reply
    return replace(reply, body=b"" if script.abort == 0 else reply.body, cut=True)


def sse(document: Mapping[str, Any]) -> bytes:
    """Write a server-sent event, with the line ends of Google's servers."""
    return b"data: " + json.dumps(document).encode() + b"\r\n\r\n"
