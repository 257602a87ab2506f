"""The models that a server has, asked for by the names that profiles use.

Knows: which group of LiteLLM's serves which model. Independent of: who asks, LiteLLM.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from openclaude.contracts.routing import RoutingTable
from openclaude.gateway.http.asgi import (
    App,
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    answer_error,
    read_body,
)
from openclaude.gateway.routing.fallbacks import ask_with, parse_request, with_length

BODY_LIMIT = 100 * 1024 * 1024  # as of main
ASKED = "openclaude.asked"  # the item of a request's scope that says which model is asked
BYTES_A_TOKEN = 4
# An image is about so many tokens, whatever its file's size: claude makes it as large as Claude
# sees at most, and its documentation names that number. A document has about a page for each of
# these pieces of its file.
FILE_TOKENS = 1600
PAGE_BYTES = 100_000
LARGEST_PROMPT = 1_000_000  # tokens: hardly a model reads more, and a provider refuses the rest


class AskedModel(NamedTuple):
    """The model of a request, and about how long its prompt is."""

    model: str
    tokens: int


class ServedModels:
    """An application that asks another one for the group behind a model."""

    def __init__(self, app: App, groups: Mapping[str, str], *, paths: frozenset[str]) -> None:
        """`groups` by model; `paths` have a model in the body."""
        self.app = app
        self.groups = groups
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self.paths:
            await self.app(scope, receive, send)
            return
        try:
            body = await read_body(receive, limit=BODY_LIMIT)
        except BodyTooLarge:
            await answer_error(send, 413, "request too large")
            return
        if body is None:
            return  # the client has left
        document = parse_request(body)
        model = document.get("model")
        group = self.groups.get(model) if isinstance(model, str) else None
        if group is None:
            known = ", ".join(f"`{name}`" for name in self.groups)
            await answer_error(send, 404, f"this server has no such model; it has {known}")
            return
        scope[ASKED] = AskedModel(str(model), prompt_tokens(document, len(body)))
        asked = json.dumps({**document, "model": group}).encode()
        await ask_with(self.app, with_length(scope, len(asked)), asked, receive, send)


def unpriced(groups: Mapping[str, str], table: RoutingTable) -> list[str]:
    """The models that can answer, fallbacks too, of which not both prices are known."""
    known = {
        name
        for name, prices in table.models.items()
        if prices.input is not None and prices.output is not None
    }
    return [name for name in dict.fromkeys((*groups, *table.models)) if name not in known]


def prompt_tokens(document: Mapping[str, Any], size: int) -> int:
    """About how many tokens a request of `size` bytes asks with, as nobody has counted them.

    What is a file in base64 is not text: one screenshot would be a million tokens.
    """
    tokens = 0
    for kind, length in files_in(document):
        size -= length
        tokens += FILE_TOKENS * (1 + length // PAGE_BYTES if kind == "document" else 1)
    return min(tokens + max(size, 0) // BYTES_A_TOKEN, LARGEST_PROMPT)


def files_in(document: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The files in a request's messages and in results of tools: kind, length of the base64."""
    messages = document.get("messages")
    pending: list[Any] = [messages] if isinstance(messages, list) else []
    while pending:
        for part in pending.pop():
            if not isinstance(part, dict):
                continue
            if isinstance(part.get("content"), list):
                pending.append(part["content"])
            source = part.get("source")
            if not isinstance(source, dict) or source.get("type") != "base64":
                continue
            if isinstance(data := source.get("data"), str):
                yield str(part.get("type")), len(data)
