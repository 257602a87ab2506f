"""The router in front of LiteLLM in `main`: Claude's own ids go to Anthropic, slots to providers.

Knows: LiteLLM's two endpoints, and what each may see. Independent of: which model goes where
(`routes`), providers, how it was started. Two routes:

* passthrough: a `claude-*` id. LiteLLM's own Anthropic pass-through does the forwarding; the
  request's bytes reach Anthropic as claude sent them, and the reply's bytes reach claude.
* slot: an id of ours. LiteLLM's /v1/messages and its model list.

A request moves from passthrough to a slot if Anthropic refuses it because the plan's limit is
reached and the profile names a model for that; and from a slot to passthrough if it is one of
claude's own helpers, which only Anthropic can answer (`helpers`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from openclaude.contracts.anthropic_error import AnthropicError
from openclaude.contracts.local_request import FOLDER_HEADER
from openclaude.contracts.routing import AnthropicAuth, RoutingTable, SlotRoute
from openclaude.gateway.http.asgi import (
    App,
    BodyTooLarge,
    Headers,
    Receive,
    Scope,
    Send,
    answer_error,
    before_the_end,
    header,
    read_body,
    send_error,
    send_json,
    without,
)
from openclaude.gateway.http.disconnect import run_while_present, wait_while_present
from openclaude.gateway.http.trail import NOTICE, announcing
from openclaude.gateway.requests.shape import countable, find_mistake, read_object, write_object
from openclaude.gateway.requests.signatures import without_marked
from openclaude.gateway.requests.turns import is_asked_by_a_person
from openclaude.gateway.routing.budget import BudgetGate, BudgetVerdict, Step
from openclaude.gateway.routing.forwarded import end_to_end, for_server, joined, passed_to, shown_of
from openclaude.gateway.routing.helpers import for_anthropic, has_server_tool, with_model
from openclaude.gateway.routing.meter import Meter, Sight, TokenCounts
from openclaude.gateway.routing.model_changes import ModelChanges
from openclaude.gateway.routing.passthrough_reply import NO_LOGIN, PassthroughReply
from openclaude.gateway.routing.plan_limit import LIMIT_STATUS, LimitWatch
from openclaude.gateway.routing.recorder import Recorder
from openclaude.gateway.routing.routes import (
    AGENT_HEADER,
    CLASS_HEADER,
    CLAUDE,
    is_anthropics,
    slot_at_limit,
    slot_of,
    slot_of_agent,
)
from openclaude.gateway.routing.slot_reply import SlotReply
from openclaude.ledger.entry import EntrySink, RequestEntry, Via
from openclaude.ledger.failures import tell_failure

BODY_LIMIT = 100 * 1024 * 1024  # Anthropic refuses more than 32 MB with its own message
COUNTED, MODELS = "/v1/messages/count_tokens", "/v1/models"
MESSAGES = frozenset({"/v1/messages", COUNTED})
FLUSH_S = 2.0  # how long the end of the process waits for the ledger
TO_ANTHROPIC, TO_PROVIDERS = "/anthropic", "/providers"  # in front of a path: who is asked
CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"cookie"})
# LiteLLM would compress replies for claude; passthrough must not change a byte
NOT_FOR_LITELLM = frozenset({b"accept-encoding"})
OURS = frozenset({FOLDER_HEADER.encode(), NOTICE})  # nobody's but main's to read or to say


class Router:
    """An ASGI application in front of LiteLLM's."""

    def __init__(
        self,
        app: App,
        table: RoutingTable,
        *,
        raw_body_key: str,
        ledger: EntrySink | None = None,
        budget: BudgetGate | None = None,
        changes: ModelChanges | None = None,
        recorder: Recorder | None = None,
        eyes: Sight | None = None,
        counts: TokenCounts | None = None,
    ) -> None:
        """`raw_body_key`: the item of a request's state whose bytes LiteLLM sends upstream."""
        self.app = app
        self.table = table
        self.raw_body_key = raw_body_key
        self.ledger = ledger
        self.budget = budget
        self.changes = changes or ModelChanges({})
        self.recorder = recorder
        self.eyes = eyes
        self.counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != MODELS:
            await self.request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look for recordings that are asked for meanwhile, and write what is noted at the end."""
        watching = asyncio.create_task(self.recorder.watch()) if self.recorder else None
        if self.ledger is not None:
            flush = partial(asyncio.to_thread, self.ledger.flush, FLUSH_S)
            send = before_the_end(send, flush)
        await self.app(scope, receive, send)
        if watching:
            watching.cancel()

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, then choose the route."""
        try:
            body = await read_body(receive, limit=BODY_LIMIT)
        except BodyTooLarge:
            await answer_error(send, 413, "request too large")
            return
        if body is None:
            return  # the client has left; nobody waits for a reply
        if scope["path"] in MESSAGES:
            await self.messages(body, scope, receive, send)
        else:
            scope = {**scope, "headers": without(scope["headers"], OURS)}
            await self.unknown(body, scope, receive, send)

    async def unknown(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a route that we do not know to Anthropic only.

        A body with a model that is not Claude's is sent nowhere, nor is one that is not JSON,
        because LiteLLM would have to parse it.
        """
        document = read_object(body) if body else {}
        model = document.get("model", CLAUDE) if document is not None else None
        if document is None or not isinstance(model, str) or not is_anthropics(self.table, model):
            route = f"{scope['method']} {scope['path']}"
            await answer_error(send, 404, f"openclaude does not serve `{route}`")
        else:
            await self.passthrough(document, body, scope, receive, send)

    async def messages(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the model, choose the route."""
        document = read_object(body)
        model = document.get("model") if document else None
        if document is None or not isinstance(model, str):
            await answer_error(send, 400, "the request body must be a JSON object with a `model`")
            return
        meter = Meter(send, self.table, model, scope["headers"])
        scope = {**scope, "headers": without(scope["headers"], OURS)}
        try:
            await self.metered(model, document, body, scope, receive, meter)
        finally:
            if scope["path"] != COUNTED:
                self.note(meter)

    def note(self, meter: Meter) -> None:
        """Write down a request that has ended."""
        if self.ledger is not None:
            self.ledger.note(partial(self.entry, meter, time.monotonic()))

    def entry(self, meter: Meter, ended: float) -> RequestEntry:
        """Return the entry of a request that has ended, and count what it has cost."""
        entry = meter.entry(ended)
        tell_failure(entry)
        return self.budget.spending.count(entry) if self.budget else entry

    async def metered(
        self,
        model: str,
        document: dict[str, Any],
        body: bytes,
        scope: Scope,
        receive: Receive,
        meter: Meter,
    ) -> None:
        """Choose the route of a request for a model."""
        if slot := self.slot_of(model, document, scope["headers"]):
            meter.is_for(slot)
            if exchanged := for_anthropic(self.table, slot, document, body):
                meter.via = Via.HELPER
                await self.anthropic(*exchanged, scope, receive, meter)
            else:
                await self.within_budget(slot, document, body, scope, receive, meter)
        elif is_anthropics(self.table, model):
            await self.anthropic(document, body, scope, receive, meter)
        else:
            # Anthropic's own message for an unknown model
            await answer_error(meter.send, 404, f"model: {model}")

    def slot_of(self, model: str, document: Mapping[str, Any], headers: Headers) -> str:
        """Return the slot for a request: by who asks, then by its model."""
        asking = header(headers, CLASS_HEADER), header(headers, AGENT_HEADER)
        moved = "" if has_server_tool(document) else slot_of_agent(self.table, *asking)
        return moved or slot_of(self.table, model, header(headers, b"user-agent"))

    async def anthropic(
        self,
        document: dict[str, Any],
        body: bytes,
        scope: Scope,
        receive: Receive,
        meter: Meter,
    ) -> None:
        """Send to Anthropic; to a slot if the plan's limit is reached and the profile says so."""
        if not self.table.on_limit or scope["path"] != "/v1/messages":
            await self.passthrough(document, body, scope, receive, meter.send)
            return
        watch = LimitWatch(meter.send)
        await self.passthrough(document, body, scope, receive, watch.send)
        if watch.is_limit:
            meter.via = Via.ON_LIMIT
            meter.tried(str(document["model"]), LIMIT_STATUS)
            slot = slot_at_limit(self.table, str(document["model"]))
            await self.within_budget(slot, document, body, scope, receive, meter)

    async def within_budget(
        self,
        slot: str,
        document: dict[str, Any],
        body: bytes,
        scope: Scope,
        receive: Receive,
        meter: Meter,
    ) -> None:
        """Send to a slot if the budgets allow it, else do what the profile says."""
        verdict = BudgetVerdict()
        if self.budget is not None and scope["path"] != COUNTED:
            verdict = await self.budget.judge(meter.tier, meter.session)
        claude = self.table.slots[slot].claude  # none where the plan's limit is reached already
        match verdict.step:
            case Step.WAIT:
                error = AnthropicError(429, verdict.sentence, str(verdict.wait_s))
                await send_error(meter.send, error)
            case Step.MODEL if self.budget is not None:
                meter.via = Via.BUDGET
                await self.slot(self.budget.budgets.slot, document, body, scope, receive, meter)
            case Step.CLAUDE if claude:
                meter.via = Via.BUDGET_CLAUDE
                model = (
                    document["model"] if is_anthropics(self.table, document["model"]) else claude
                )
                inner = {**document, "model": model}
                await self.anthropic(inner, with_model(body, model), scope, receive, meter)
            case Step.STOP | Step.CLAUDE:
                await answer_error(meter.send, 424, verdict.sentence)
            case _:
                is_count = scope["path"] == COUNTED
                changed = "" if is_count else self.changes.notice(slot, meter.session, document)
                told = announcing(changed + verdict.notice)
                scope = {**scope, "headers": [*scope["headers"], *told]}
                await self.slot(slot, document, body, scope, receive, meter)
                is_news = bool(told or self.changes.lines) and meter.is_answered
                if is_news and is_asked_by_a_person(document):
                    self.changes.told(slot, meter.session)
                    if self.budget:
                        self.budget.told(verdict)

    async def passthrough(
        self,
        document: Mapping[str, Any],
        body: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Send to Anthropic, byte for byte; without the thoughts that a slot has signed."""
        headers = scope["headers"]
        document, body = without_marked(document, body)
        if self.table.auth is AnthropicAuth.API_KEY:
            headers = without(headers, CREDENTIALS)  # LiteLLM puts the profile's key there
        elif not header(headers, b"authorization") and not header(headers, b"x-api-key"):
            await answer_error(send, 424, NO_LOGIN)  # LiteLLM would invent a 401
            return
        headers = joined(end_to_end(without(headers, NOT_FOR_LITELLM)))
        inner = passed_to(scope, TO_ANTHROPIC, headers, body, self.raw_body_key)
        shown = shown_of(document) if body else b""
        await run_while_present(self.app, inner, shown, receive, PassthroughReply(send).send)

    async def slot(
        self,
        model: str,
        document: dict[str, Any],
        body: bytes,
        scope: Scope,
        receive: Receive,
        meter: Meter,
    ) -> None:
        """Send to `providers`, without the plan's login, and with errors that claude can show."""
        slot = self.route_of(model)
        asked, original, sent = body, document, document
        if scope["path"] == COUNTED:
            sent = countable(document)
        elif self.eyes is not None:
            seeing = self.eyes.see(model, document, meter, self.note)
            seen = await wait_while_present(seeing, receive)
            if seen is None:
                return  # the client has left
            sent = seen
        if slot.server and scope["path"] != COUNTED:
            body = for_server(slot.asked_as, sent)
        elif sent is not document or document["model"] != model:
            body = write_object({**sent, "model": model})
        document = sent
        headers = without(scope["headers"], CREDENTIALS | NOT_FOR_LITELLM | {b"content-length"})
        headers = [*end_to_end(headers), (b"content-length", b"%d" % len(body))]
        reply_to = partial(SlotReply, slot=slot, request_bytes=len(body), heard=meter.heard)
        if scope["path"] == COUNTED:
            if mistake := find_mistake(document):  # of a message, `providers` looks for one
                await answer_error(meter.send, 400, mistake)
                return
            if slot.counts and self.counts is not None:
                found = await wait_while_present(self.counts.count(model, original), receive)
                if found:
                    await send_json(meter.send, 200, b'{"input_tokens":%d}' % found)
                if found or found is None:  # the client has left
                    return
            counted = {**scope, "headers": headers}
            await run_while_present(self.app, counted, body, receive, reply_to(meter.send).send)
            return
        inner = passed_to(scope, TO_PROVIDERS, headers, body, self.raw_body_key)
        shown = shown_of({**document, "model": model})
        kept = None
        if self.recorder is not None and self.recorder.is_on:  # last, so that it always ends
            said = {"session": meter.session, "tier": meter.tier, "slot": model}
            kept = self.recorder.begin(meter.send, asked, scope["headers"], said)
        reply = reply_to(kept.send if kept else meter.send)
        try:
            await run_while_present(self.app, inner, shown, receive, reply.send)
        except Exception:
            if not await reply.end_broken():
                raise
        finally:
            if kept:
                kept.end()

    def route_of(self, slot: str) -> SlotRoute:
        """Return what is known about a slot, or about the model for a used-up budget."""
        over = self.budget.budgets if self.budget else None
        return over.route if over and over.route and slot == over.slot else self.table.slots[slot]
