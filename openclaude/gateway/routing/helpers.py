"""claude's own helpers on a slot: the requests that only Anthropic can answer.

Knows: how to recognise such a request, and how to replace its model without changing any other
byte. Independent of: LiteLLM, ASGI, which model serves a slot. Pure. Two kinds (measured with
Claude Code 2.1.330):

* WebSearch asks a model with one server tool: the session's own or, if Anthropic switches that on,
  the haiku model, which may be a slot although the session is on Claude.
* The quota probe at the start of a session asks the haiku model, to get the plan's quota headers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openclaude.contracts.routing import AnthropicAuth, RoutingTable
from openclaude.gateway.requests.server_tools import is_server_tool
from openclaude.gateway.requests.signatures import ENCODING, ERRORS, members
from openclaude.gateway.routing.routes import CLAUDE

QUOTA_PROBE = [{"role": "user", "content": "quota"}]
MODEL = "model"


def helper_model(table: RoutingTable, slot: str, document: Mapping[str, Any]) -> str:
    """Return the id under which Anthropic answers a slot's request, or "" if the slot answers it.

    Only with a plan's login: a user who pays Anthropic by the token, or has no account there, did
    not ask for this.
    """
    if table.auth is not AnthropicAuth.PLAN:
        return ""
    is_search = table.searches_at_anthropic and has_server_tool(document)
    if not is_search and not is_quota_probe(document):
        return ""
    asked = str(document.get(MODEL))
    return asked if asked.startswith(CLAUDE) else table.slots[slot].claude


def for_anthropic(
    table: RoutingTable, slot: str, document: Mapping[str, Any], body: bytes
) -> tuple[dict[str, Any], bytes] | None:
    """Return a slot's helper request as Anthropic gets it, parsed and as bytes; else None."""
    model = helper_model(table, slot, document)
    if not model:
        return None
    try:
        return {**document, MODEL: model}, with_model(body, model)
    except ValueError:
        return None  # the slot will refuse it with a message


def has_server_tool(document: Mapping[str, Any]) -> bool:
    """Tell whether a request has a tool that Anthropic runs."""
    tools = document.get("tools")
    return isinstance(tools, list) and any(is_server_tool(tool) for tool in tools)


def is_quota_probe(document: Mapping[str, Any]) -> bool:
    """Tell whether a request only wants the headers of its reply.

    The check of a model that was typed after `/model` also asks for one token; it has a different
    text, and the slot answers it.
    """
    return (
        document.get("max_tokens") == 1
        and document.get("messages") == QUOTA_PROBE
        and not document.get("tools")
    )


def with_model(body: bytes, model: str) -> bytes:
    """Return the body with another model, and every other byte unchanged.

    Raises ValueError if no model is found, which can happen if the encoding is not UTF-8.
    """
    text = body.decode(ENCODING, ERRORS)
    spans = [span for key, span in members(text) if key == MODEL]
    if not spans:
        raise ValueError("the body names no model")
    for start, end in reversed(spans):  # if a key is repeated, none may name the slot
        text = text[:start] + json.dumps(model) + text[end:]
    return text.encode(ENCODING, ERRORS)
