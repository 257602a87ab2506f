"""Families: what is known of models by their make, whoever serves them; one row a family.

Knows: how a family is recognised by its ids, and how its capabilities and its provider's make the
model's. Independent of: single models, and what is done about a capability. Pure.
"""

from __future__ import annotations

import re
from functools import reduce

from openclaude.contracts.capabilities import (
    THINKING_OFF,
    Capabilities,
    ModelInfo,
    combine,
)
from openclaude.contracts.record import Record
from openclaude.contracts.references import CLAUDE_AT_BEDROCK
from openclaude.providers.table import THIRD_PARTY, ApiDialect, Provider, find_provider
from openclaude.providers.thinking import thinking_of

MESSAGES = "/v1/messages"  # LiteLLM's mark of a deployment that speaks Anthropic's language
CLAUDE = "claude"
# Claude before it thought adaptively (the map's `supports_adaptive_thinking`)
BUDGETED = r"claude-(?:[23v]|instant|(?:opus|sonnet|haiku)-4-(?:[0-5]\b|\d{8})|mythos-preview)"


class Family(Record):
    """Models of one make: what they can take less than their provider can."""

    name: str
    pattern: str  # of the whole id, as the provider has it
    takes: Capabilities


FAMILIES = (
    # Its thinking must come back to it with the signature, which the guard removes, so that no
    # signature of one provider is ever sent to another: it is asked not to think. (Of a provider
    # that is itself a proxy nothing is known: `openrouter/anthropic/claude-...` is another id. A
    # provider with a `claude_prefix` gets its signatures back, and this row is not used.)
    Family(
        name="Claude elsewhere",
        pattern=r"(?:.*anthropic\.)?claude.*",
        takes=Capabilities(supports_reasoning=False),
    ),
)


def known_of(provider: Provider, model_id: str) -> Capabilities:
    """What is known of a model by its provider and its family."""
    if is_claudes_own(provider, model_id):
        return in_own_words(provider.takes, provider.name, model_id)
    makes = [family.takes for family in FAMILIES if re.fullmatch(family.pattern, model_id)]
    takes = reduce(combine, makes, provider.takes)
    if CLAUDE in model_id:  # whoever serves it; without marks each turn is paid for in full
        takes = takes._replace(takes_cache_marks=True)
    return in_anthropics_words(takes, model_id) if is_third_party(provider) else takes


def in_own_words(takes: Capabilities, signer: str, model_id: str) -> Capabilities:
    """What a Claude can take that gets Anthropic's own body."""
    is_older = re.search(BUDGETED, model_id) is not None
    return takes._replace(claude_signer=signer, thinks_by_budget=is_older)


def is_claudes_own(provider: Provider, model_id: str) -> bool:
    """Whether a model is Claude, and LiteLLM asks the provider for it with Anthropic's own body."""
    return bool(provider.claude_prefix) and CLAUDE_AT_BEDROCK in model_id


def litellm_name(provider: Provider, model_id: str) -> str:
    """LiteLLM's name of a model, from the provider's own."""
    is_own = is_claudes_own(provider, model_id)
    return (provider.claude_prefix if is_own else provider.litellm_prefix) + model_id


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
    if provider.claude_prefix and litellm_model.startswith(provider.claude_prefix):
        return litellm_model.removeprefix(provider.claude_prefix)
    return litellm_model.removeprefix(provider.litellm_prefix)


def capabilities_of(litellm_model: str, info: ModelInfo) -> Capabilities:
    """What a deployment can take: the model by LiteLLM's name for it, and what its row says."""
    provider = find_provider(litellm_model.partition("/")[0])
    model_id = id_at_provider(litellm_model)
    if MESSAGES in info.supported_endpoints and not is_third_party(provider):
        takes = combine(provider.takes, THIRD_PARTY)
        provider = provider._replace(dialect=ApiDialect.ANTHROPIC, takes=takes)
    if info.openclaude_signer:
        takes = in_own_words(Capabilities(), info.openclaude_signer, model_id)
    else:
        takes = known_of(provider, model_id)
    takes = takes._replace(
        thinking=thinking_of(provider, model_id),
        # off where the profile says so; it is the model's own thoughts that it gets back
        thoughts=None if info.openclaude_thinking == THINKING_OFF else litellm_model,
    )
    return combine(takes, info.capabilities())
