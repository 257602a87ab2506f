"""The stand-in for OpenAI and OpenAI-like providers, on loopback.

Knows: its routes, its key, its models, and how providers differ (by the path). Independent of:
LiteLLM, profiles, and how a reply is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from openclaude.standins.base.conversation import Said, script_for
from openclaude.standins.base.exchange import Recorded, Reply, json_reply
from openclaude.standins.base.schema import example
from openclaude.standins.base.script import Script, Text, Tool, pieces
from openclaude.standins.base.standin import Standin
from openclaude.standins.bedrock.rules import ModelRules
from tests.standins.judged import Judged, Refusal, judged, refused, seen
from tests.standins.openai.reply import CompletionContext, answer, error_reply, scripted_error
from tests.standins.openai.responses import respond
from tests.standins.openai.rules import NOTES, REFUSALS, broken
from tests.standins.openai.shape import violations
from tests.standins.openai.thoughts import Thoughts

EXAMPLE_KEY = "sk-openai-standin-0123456789abcdef"
ANY_MODEL = ModelRules(max_output_tokens=8000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One provider's variant of OpenAI's API."""

    path: str  # before /chat/completions
    more: frozenset[str] = frozenset()  # keys of a request that OpenAI does not have
    thinks_in: str = "reasoning_content"
    key_header: str = "authorization"


DIALECTS: Mapping[str, Dialect] = {
    "openrouter": Dialect(
        path=r"/api/v1", more=frozenset({"usage", "provider", "reasoning"}), thinks_in="reasoning"
    ),
    "azure": Dialect(path=r"/openai/deployments/(?P<deployment>[^/]+)", key_header="api-key"),
    "groq": Dialect(path=r"/openai/v1", thinks_in="reasoning"),
    "zai": Dialect(path=r"/api/paas/v4", more=frozenset({"thinking"})),
    "openai": Dialect(path=r"(/v1)?", more=frozenset({"thinking"})),
}
CHAT = "chat.completions"


class OpenAIStandin(Standin[Judged]):
    """A loopback server with OpenAI's API."""

    name = "openai stand-in"

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
        self.thoughts = Thoughts()

    def _inspect(self, request: Recorded) -> Judged:
        parts = seen(request)
        if request.method == "GET" and request.path in ("/v1/models", "/models"):
            return self._admit(request, "authorization", parts) or Judged(
                **parts, operation="models"
            )
        operation, dialect = route(request.path)
        if not operation or request.method != "POST":
            target = f"{request.method} {request.path}"
            return refused(parts, Refusal(status=404, message=f"Invalid URL ({target})"))
        parts["operation"] = operation
        if turned_away := self._admit(request, DIALECTS[dialect].key_header, parts):
            return turned_away
        if dialect == "azure" and "api-version=" not in request.target:
            return refused(parts, Refusal(status=404, message="Resource not found"))
        return self._judge(request, parts, dialect)

    def _admit(self, request: Recorded, header: str, parts: dict[str, Any]) -> Judged | None:
        """Return a refusal if the key is missing, wrong or not where this provider expects it."""
        given = (request.header(header) or "").removeprefix("Bearer ")
        if given == self._key:
            return None
        message = f"Incorrect API key provided: {given[:6]}***."
        return refused(parts, Refusal(status=401, message=message, code="invalid_api_key"))

    def _judge(self, request: Recorded, parts: dict[str, Any], dialect: str) -> Judged:
        """Check an admitted request against the types, its model and the rules."""
        try:
            body = request.json()
        except ValueError:
            message = "We could not parse the JSON body of your request."
            return refused(parts, Refusal(status=400, message=message))
        kind = "responses" if parts["operation"] == "responses" else CHAT
        if misfits := tuple(violations(kind, body, DIALECTS[dialect].more)):
            return judged(parts, misfits, ())
        model = str(body.get("model"))
        parts |= {"model_id": model, "streams": body.get("stream") is True}
        rules = ANY_MODEL if self._models is None else self._models.get(model)
        if rules is None:
            message = f"The model `{model}` does not exist or you do not have access to it."
            return refused(parts, Refusal(status=404, message=message, code="model_not_found"))
        refusals = (*broken(REFUSALS, body, rules), *self.thoughts.mistakes(body))
        return judged(parts, refusals, broken(NOTES, body, rules))

    def _reply(self, request: Judged) -> Reply:
        if refusal := request.refusal:
            return error_reply(refusal.status, refusal.message, code=refusal.code)
        if request.operation == "models":
            names = sorted(self._models or ())
            listed = [{"id": name, "object": "model"} for name in names]
            return json_reply(200, {"object": "list", "data": listed})
        body = request.json()
        script = script_of(body, request.model_id)
        if error := self._error_due(script):
            return scripted_error(error, wait_s=script.wait_s)
        asked = CompletionContext(
            model=request.model_id,
            input_tokens=len(request.body) // 4,
            streams=request.streams,
            wants_usage=(body.get("stream_options") or {}).get("include_usage") is True,
            thinks_in=DIALECTS[route(request.path)[1]].thinks_in,
        )
        if request.operation == "responses":
            return respond(script, asked, partial(self.thoughts.seal, asked=body))
        return answer(script, asked)


def route(path: str) -> tuple[str, str]:
    """Return the operation and the dialect for a path; two empty strings for an unknown path."""
    if re.fullmatch(r"(/v1)?/responses", path):
        return "responses", "openai"
    for name, dialect in DIALECTS.items():
        if re.fullmatch(f"{dialect.path}/chat/completions", path):
            return CHAT, name
    return "", ""


# Replies ------------------------------------------------------------------------------------------


def script_of(body: Mapping[str, Any], model: str) -> Script:
    """Return what to answer; a request for structured output gets it, whatever its prompt says."""
    formatted = (body.get("response_format") or {}).get("json_schema") or (
        (body.get("text") or {}).get("format") or {}
    )
    if schema := formatted.get("schema"):
        return Script(blocks=(Text(parts=pieces(json.dumps(example(schema)))),))
    if forced := forced_tool(body):
        return Script(blocks=(forced,))
    return script_for(list(conversation(body)), default=f"openai stand-in: {model}")


def forced_tool(body: Mapping[str, Any]) -> Tool | None:
    """Return a call of the one tool the request forces."""
    choice = body.get("tool_choice")
    chosen = (choice.get("function") or choice).get("name") if isinstance(choice, dict) else None
    for tool in body.get("tools") or ():
        described = tool.get("function") or tool
        if chosen and described.get("name") == chosen:
            return Tool(name=chosen, input=example(described.get("parameters") or {}))
    return None


def conversation(body: Mapping[str, Any]) -> Iterator[Said]:
    """Return the turns, in whichever API they are written."""
    for message in body.get("messages") or ():
        content = text_of(message.get("content"))
        if message["role"] == "tool":
            yield Said(role="user", text="", results=(content,))
        else:
            yield Said(role=message["role"], text=content)
    items = body.get("input") or ()
    for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
        if item.get("type") == "function_call_output":
            yield Said(role="user", text="", results=(text_of(item.get("output")),))
        elif item.get("type") == "function_call":
            yield Said(role="assistant", text="")
        elif "role" in item:
            yield Said(role=item["role"], text=text_of(item.get("content")))


def text_of(content: Any) -> str:
    """Return a content as text; anything else shows its type."""
    if isinstance(content, str) or not content:
        return content or ""
    return "\n".join(str(part.get("text", f"[{part.get('type')}]")) for part in content)
