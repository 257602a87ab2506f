"""Families: what is known of models by their make, whoever serves them; one row a family.

Knows: how a family is recognised by its ids, and how its capabilities and its provider's make the
model's. Independent of: single models, and what is done about a capability. Pure.
"""

from __future__ import annotations

import re
from functools import reduce

from openclaude.contracts.capabilities import Capabilities, ModelInfo, combine
from openclaude.contracts.record import Record
from openclaude.providers.table import THIRD_PARTY, ApiDialect, Provider, find_provider

MESSAGES = "/v1/messages"  # LiteLLM's mark of a deployment that speaks Anthropic's language
CLAUDE = "claude"


class Family(Record):
    """Models of one make: what they can take less than their provider can."""

    name: str
    pattern: str  # of the whole id, as the provider has it
    takes: Capabilities


FAMILIES = (
    # Its thinking must come back to it with the signature, which the guard removes, so that no
    # signature of one provider is ever sent to another: it is asked not to think. (Of a provider
    # that is itself a proxy nothing is known: `openrouter/anthropic/claude-...` is another id.)
    Family(
        name="Claude elsewhere",
        pattern=r"(?:.*anthropic\.)?claude.*",
        takes=Capabilities(supports_reasoning=False),
    ),
)


def known_of(provider: Provider, model_id: str) -> Capabilities:
    """What is known of a model by its provider and its family."""
    makes = [family.takes for family in FAMILIES if re.fullmatch(family.pattern, model_id)]
    takes = reduce(combine, makes, provider.takes)
    if CLAUDE in model_id:  # whoever serves it; without marks each turn is paid for in full
        takes = takes._replace(takes_cache_marks=True)
    return in_anthropics_words(takes, model_id) if is_third_party(provider) else takes


def is_third_party(provider: Provider) -> bool:
    """Whether LiteLLM asks a provider with Anthropic's own API."""
    return provider.dialect is ApiDialect.ANTHROPIC


def in_anthropics_words(takes: Capabilities, model_id: str) -> Capabilities:
    """What a model can take that is asked with Anthropic's own API; Claude knows all of it."""
    knows_format = CLAUDE in model_id or takes.supports_json_schema
    return takes._replace(speaks_anthropic=True, supports_json_schema=knows_format)


def id_at_provider(litellm_model: str) -> str:
    """Return the provider's own name of a model, from LiteLLM's."""
    provider = find_provider(litellm_model.partition("/")[0])
    return litellm_model.removeprefix(provider.litellm_prefix)


def capabilities_of(litellm_model: str, info: ModelInfo) -> Capabilities:
    """What a deployment can take: the model by LiteLLM's name for it, and what its row says."""
    provider = find_provider(litellm_model.partition("/")[0])
    model_id = id_at_provider(litellm_model)
    if MESSAGES in info.supported_endpoints and not is_third_party(provider):
        takes = combine(provider.takes, THIRD_PARTY)
        provider = provider._replace(dialect=ApiDialect.ANTHROPIC, takes=takes)
    return combine(known_of(provider, model_id), info.capabilities())
