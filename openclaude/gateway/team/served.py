"""The models that a server has, asked for by the names that profiles use.

Knows: which group of LiteLLM's serves which model. Independent of: who asks, LiteLLM.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

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


class AskedModel(NamedTuple):
    """The model of a request, and how long its body is."""

    model: str
    size: int  # bytes


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
        scope[ASKED] = AskedModel(str(model), len(body))
        asked = json.dumps({**document, "model": group}).encode()
        await ask_with(self.app, with_length(scope, len(asked)), asked, receive, send)
