"""Who answers when the plan's limit is reached, by the id that claude asks for.

Knows: `anthropic.on_limit`, and that Claude itself may answer, with an API key of the user's.
Independent of: how a model is deployed. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaude.contracts.references import CLAUDE, SAME_CLAUDE, is_own_claude
from openclaude.profile.schema import Profile, Tier

ON_LIMIT = "openclaude-on-limit"  # the model group on `providers`
KEY = "env:ANTHROPIC_API_KEY"  # where the key is by custom
DEFAULT_FAMILY = "sonnet"  # for what has no family of its own


def tiers_at_limit(
    profile: Profile, claude_tiers: Mapping[str, str], models: Mapping[str, str]
) -> dict[str, Tier]:
    """The models that answer, by their group; each as a tier would have it.

    `models`: Claude's id behind each tier, if the catalogue has it.
    """
    name = profile.anthropic.on_limit
    if not name:
        return {}
    twin = next((tier for tier in profile.tiers.values() if tier.model == name), None)
    if twin or not is_own_claude(name):
        return {ON_LIMIT: twin or Tier.model_construct(model=name)}
    if name != SAME_CLAUDE:
        return {ON_LIMIT: own_key(name, profile)}
    own = {tier: id_ for tier, id_ in claude_tiers.items() if id_ != CLAUDE}
    found = {tier: own.get(tier, models[tier]) for tier in claude_tiers if tier in models}
    same = {group_of(tier): own_key(f"anthropic/{id_}", profile) for tier, id_ in found.items()}
    return {ON_LIMIT: own_key(f"anthropic/{models[DEFAULT_FAMILY]}", profile), **same}


def group_of(family: str) -> str:
    """The group of the model that answers for a family of Claude's."""
    return f"{ON_LIMIT}-{family}"


def is_on_own_key(tier: Tier, profile: Profile) -> bool:
    """Whether Anthropic itself serves a model at the plan's limit, for a key of the user's."""
    is_tiers = any(one.model == tier.model for one in profile.tiers.values())
    return is_own_claude(tier.model) and not is_tiers


def own_key(name: str, profile: Profile) -> Tier:
    """A Claude at the profile's address of Anthropic, with the user's own key."""
    own = profile.anthropic
    return Tier.model_construct(model=name, api_base=own.base_url, api_key=own.api_key or KEY)
