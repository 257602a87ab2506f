"""Chooses the route of a request by its model: to Anthropic unchanged, or to a slot.

Knows: slot ids, the families in Claude's own ids, who pays at Anthropic. Independent of: LiteLLM,
ASGI, which model serves a slot. Pure.
"""

from __future__ import annotations

import re

from openclaude.contracts.routing import AnthropicAuth, RoutingTable

CLAUDE = "claude-"
FAMILIES = ("opus", "sonnet", "haiku", "fable")
SLOT = "openclaude-"
# claude's helpers request ids by name (its safety check: `claude-sonnet-5`, measured with 2.1.330)
DEFAULT_FAMILY = "sonnet"
# How claude tells Anthropic who asks (measured with 2.1.330); a user's own agent is `custom`
CLASS_HEADER, AGENT_HEADER = b"x-claude-code-request-class", b"x-claude-code-agent-type"
SUBAGENT = b"subagent"
# A path of Anthropic's API that none of our routes matches, without characters to be decoded
API_PATH = re.compile(r"/v1(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+")
LONGEST_PATH = 256
API_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


def may_be_anthropics(table: RoutingTable, method: str, path: str) -> bool:
    """Tell whether an unknown route may be one of Anthropic's: only with a plan's login.

    claude uses more of them with each release (`/v1/messages/cache_touch`, measured with 2.1.330).
    """
    is_path = len(path) <= LONGEST_PATH and API_PATH.fullmatch(path) is not None
    return table.auth is AnthropicAuth.PLAN and method in API_METHODS and is_path


def slot_of(table: RoutingTable, model: str) -> str:
    """Return the slot that serves a model, or "" for Anthropic and for unknown models.

    Slot ids are matched exactly and first. Without a Claude account every id of Claude's is the
    tier of its family.
    """
    if model in table.slots and model != table.on_limit:
        return model
    if table.auth is not AnthropicAuth.NONE or not model.startswith(CLAUDE):
        return ""
    family = next((name for name in FAMILIES if name in model), DEFAULT_FAMILY)
    return SLOT + family


def slot_of_agent(table: RoutingTable, request_class: bytes, agent: bytes) -> str:
    """Return the slot that one of claude's own subagents is moved to, or "".

    What such an agent asks of another model, as for a web search, has a different class.
    """
    if request_class != SUBAGENT:
        return ""
    return table.agents.get(agent.decode("latin-1"), "")


def is_anthropics(table: RoutingTable, model: str) -> bool:
    """Tell whether Anthropic serves a model."""
    return table.auth is not AnthropicAuth.NONE and model.startswith(CLAUDE)
