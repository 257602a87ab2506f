"""The router: in front of LiteLLM in `main`. Claude's own ids go to Anthropic, slots to providers.

Knows: LiteLLM's two routes, and what each may be shown. Refuses to know: which model goes where
(`lanes`), providers, how it was started. Two lanes:

* raw: a `claude-*` id. LiteLLM's own Anthropic pass-through does the forwarding; the request's
  bytes reach Anthropic as claude sent them, and the reply's bytes reach claude.
* slot: an id of ours. LiteLLM's /v1/messages and its model list.

From the first to the second: a request that Anthropic refuses because the plan's limit is reached,
in a profile that names a model for that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from openclaude.gateway.asgi import (
    App,
    BodyTooLarge,
    Headers,
    Receive,
    Scope,
    Send,
    answer_error,
    header,
    read_body,
    without,
)
from openclaude.gateway.lanes import API_KEY, Lanes
from openclaude.gateway.plan_limit import LimitWatch
from openclaude.gateway.presence import run_while_present
from openclaude.gateway.raw_reply import RawReply
from openclaude.gateway.slot_lane import SlotReply

BODY_LIMIT = 100 * 1024 * 1024  # Anthropic refuses above 32 MB with its own words
MESSAGES = frozenset({"/v1/messages", "/v1/messages/count_tokens"})
CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"cookie"})
# LiteLLM would compress replies for claude; the raw lane must not change a byte
NOT_FOR_LITELLM = frozenset({b"accept-encoding"})
# All that LiteLLM is shown of a raw request: it obeys names of its own in a body (`api_base`,
# `timeout`, `num_retries`: a 500, measured), and what it does not read it need not parse.
FOR_LITELLM = ("model", "stream")
# 400 on main for any model LiteLLM does not know (measured with LiteLLM 1.106.2): fast mode
NOT_ON_A_SLOT = ("speed",)
NO_LOGIN = "claude sent no login for Anthropic: run `claude` and `/login`, then try again"


class Router:
    """An ASGI application in front of LiteLLM's."""

    def __init__(self, app: App, lanes: Lanes, *, raw_body_key: str) -> None:
        """`raw_body_key` names the item of a request's state whose bytes LiteLLM sends upstream."""
        self.app = app
        self.lanes = lanes
        self.raw_body_key = raw_body_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in MESSAGES:
            await self.messages(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def messages(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, find the model, choose the lane."""
        try:
            body = await read_body(receive, limit=BODY_LIMIT)
        except BodyTooLarge:
            await answer_error(send, 413, "request too large")
            return
        if body is None:
            return  # the client left; there is nobody to answer
        document = parse(body)
        model = document.get("model") if document else None
        if document is None or not isinstance(model, str):
            await answer_error(send, 400, "the body is no JSON object with a `model`")
        elif slot := self.lanes.slot_of(model):
            await self.slot(slot, document, body, scope, receive, send)
        elif self.lanes.is_raw(model):
            await self.claude(document, body, scope, receive, send)
        else:
            # what Anthropic itself says of a model it does not have
            await answer_error(send, 404, f"model: {model}")

    async def claude(
        self,
        document: dict[str, Any],
        body: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """To Anthropic; and on to a slot where the plan's limit is reached and the user said so."""
        if not self.lanes.on_limit or scope["path"] != "/v1/messages":
            await self.raw(document, body, scope, receive, send)
            return
        watch = LimitWatch(send)
        await self.raw(document, body, scope, receive, watch.send)
        if watch.is_limit:
            await self.slot(self.lanes.on_limit, document, body, scope, receive, send)

    async def raw(
        self,
        document: Mapping[str, Any],
        body: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """To Anthropic, byte for byte."""
        headers = scope["headers"]
        if self.lanes.auth == API_KEY:
            headers = without(headers, CREDENTIALS)  # LiteLLM puts the profile's key there
        elif not header(headers, b"authorization") and not header(headers, b"x-api-key"):
            await answer_error(send, 424, NO_LOGIN)  # LiteLLM would invent a 401
            return
        path = "/anthropic" + scope["path"]
        inner = {
            **scope,
            "path": path,
            "raw_path": path.encode(),
            "headers": joined(without(headers, NOT_FOR_LITELLM)),
            # LiteLLM sends these bytes upstream in place of the body it parsed and re-serialised
            "state": {**scope.get("state", {}), self.raw_body_key: body},
        }
        shown = orjson.dumps({key: document[key] for key in FOR_LITELLM if key in document})
        await run_while_present(self.app, inner, shown, receive, RawReply(send).send)

    async def slot(
        self,
        model: str,
        document: dict[str, Any],
        body: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """To `providers`, without the plan's login, and with errors claude can show."""
        slot = self.lanes.slots[model]
        if document["model"] != model or any(name in document for name in NOT_ON_A_SLOT):
            kept = {key: value for key, value in document.items() if key not in NOT_ON_A_SLOT}
            body = orjson.dumps({**kept, "model": model})
        headers = without(scope["headers"], CREDENTIALS | NOT_FOR_LITELLM | {b"content-length"})
        inner = {**scope, "headers": [*headers, (b"content-length", b"%d" % len(body))]}
        reply = SlotReply(send, slot, request_bytes=len(body))
        await run_while_present(self.app, inner, body, receive, reply.send)


def parse(body: bytes) -> dict[str, Any] | None:
    """The body as a JSON object, or None."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = parse_leniently(body)
    return document if isinstance(document, dict) else None


def parse_leniently(body: bytes) -> object:
    """What orjson refuses and Anthropic shall judge: half of a surrogate pair, as in cut text."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def joined(headers: Headers) -> Headers:
    """Each name once, its values in one line: of a repeated name LiteLLM keeps the first only."""
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        values[name] = values[name] + b", " + value if name in values else value
    return list(values.items())
