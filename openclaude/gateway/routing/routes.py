"""Chooses the route of a request by its model: to Anthropic unchanged, or to a slot.

Knows: slot ids, the families in Claude's own ids, who pays at Anthropic. Independent of: LiteLLM,
ASGI, which model serves a slot. Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from openclaude.contracts.routing import AnthropicAuth, RoutingTable

CLAUDE = "claude-"
FAMILIES = ("opus", "sonnet", "haiku", "fable")
SLOT = "openclaude-"
# claude's helpers request ids by name (its safety check: `claude-sonnet-5`, measured with 2.1.330)
DEFAULT_FAMILY = "sonnet"
CLAUDE_ID = re.compile(
    r"claude-(?P<family>opus|sonnet|haiku|fable)"
    r"-(?P<major>[0-9]{1,3})(?:-(?P<minor>[0-9]{1,3}))?(?:-[0-9]{8})?"
)
CLIENT = re.compile(rb"claude-cli/(\d{1,9})\.(\d{1,9})\.(\d{1,9})")
# The first of the versions tried whose aliases are all those of 2.1.330; of the older ones tried
# (2.1.110, 2.1.186, 2.1.236, 2.1.286) opus, sonnet and haiku stood for these (measured)
SAME_ALIASES_SINCE = (2, 1, 311)
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


def slot_of(table: RoutingTable, model: str, agent: bytes = b"") -> str:
    """Return the slot that serves a model, or "" for Anthropic and for unknown models.

    Slot ids are matched exactly and first. Without a Claude account every id of Claude's is the
    tier of its family. `agent` is the client's User-Agent.
    """
    if model in table.slots and model not in (table.on_limit, *table.same_at_limit.values()):
        return model
    if not model.startswith(CLAUDE):
        return ""
    if table.auth is AnthropicAuth.NONE:
        return SLOT + next((name for name in FAMILIES if name in model), DEFAULT_FAMILY)
    asked = version_of(model)
    for slot, route in table.slots.items():
        if route.stands_for and means(asked, version_of(route.stands_for), agent):
            return slot
    return ""


def slot_at_limit(table: RoutingTable, model: str) -> str:
    """Return the slot that answers for a Claude model when the plan's limit is reached."""
    same = (slot for family, slot in table.same_at_limit.items() if family in model)
    return next(same, table.on_limit)


class Version(NamedTuple):
    """What an id of Claude's says."""

    family: str
    number: tuple[int, int]


OLDER_ALIASES = frozenset(
    {
        *(Version("opus", number) for number in ((4, 6), (4, 8), (5, 0), (5, 5))),
        *(Version("sonnet", number) for number in ((4, 6), (5, 0), (5, 5))),
        Version("haiku", (4, 5)),
    }
)


def version_of(model: str) -> Version | None:
    """Read an id of Claude's; None if it is written in another way."""
    found = CLAUDE_ID.fullmatch(model)
    return (
        Version(found["family"], (int(found["major"]), int(found["minor"] or 0))) if found else None
    )


def means(asked: Version | None, tier: Version | None, agent: bytes) -> bool:
    """Tell whether an id is what claude's alias of a tier stands for: the tier's own, or newer.

    An older one was chosen by name, by the user or by one of claude's helpers, and stays at
    Anthropic. Of an older claude it is the alias (measured with 2.1.110 to 2.1.332).
    """
    if asked is None or tier is None or asked.family != tier.family:
        return False
    return asked.number >= tier.number or (asked in OLDER_ALIASES and is_older(agent))


def is_older(agent: bytes) -> bool:
    """Tell whether a client's aliases stand for older models than those of today."""
    found = CLIENT.match(agent)
    return found is not None and tuple(map(int, found.groups())) < SAME_ALIASES_SINCE


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
