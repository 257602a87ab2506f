"""Resolve: a profile with every name bound and every default filled.

Knows: profiles and the catalogue's models. Refuses to know: LiteLLM's config, claude's settings.
Pure: the same profile and models give the same resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from openclaude.profile.catalog import Model
from openclaude.profile.schema import TIERS, Profile, Tier

# The smallest window claude can be told about with `behavesAs` (measured with Claude Code 2.1.330:
# every id that behaves as an older haiku is given 200k, whatever else is set).
SMALLEST_BEHAVES_AS_WINDOW = 200_000
# what claude asks for an id that behaves as claude-3-5-haiku (measured with 2.1.330)
SMALL_OUTPUT = 8192
CONVERSE = "bedrock/converse/"


class Slot(NamedTuple):
    """A tier served by a provider, with every number known."""

    tier: str
    slot_id: str
    label: str
    model: str  # as in the profile
    litellm_model: str  # as in LiteLLM's config
    base_model: str  # the row of LiteLLM's model map
    region: str
    max_input_tokens: int
    max_output_tokens: int
    vision: bool
    pdf: bool
    reasoning: bool
    behaves_as: str


class Resolution(NamedTuple):
    """What a profile means."""

    name: str
    profile: Profile
    claude_tiers: dict[str, str]  # tier -> "claude" or a claude-... id
    slots: tuple[Slot, ...]


# (provider, model id, region) -> the catalogue's row
FindModel = Callable[[str, str, str], Model | None]


def resolve(name: str, profile: Profile, find_model: FindModel) -> Resolution:
    """Bind every tier of the profile called `name`."""
    claude_tiers: dict[str, str] = {}
    slots: list[Slot] = []
    for tier_name in TIERS:
        tier = profile.tiers.get(tier_name) or Tier(model="claude")
        if tier.is_claude:
            claude_tiers[tier_name] = tier.model
        else:
            slots.append(resolve_slot(tier_name, tier, profile, find_model))
    return Resolution(name, profile, claude_tiers, tuple(slots))


def resolve_slot(tier_name: str, tier: Tier, profile: Profile, find_model: FindModel) -> Slot:
    """One provider tier with its limits: the profile's where given, else the catalogue's."""
    region = tier.region or profile.aws.region or ""
    model = find_model(tier.provider, tier.model_id, region)
    if model is None:  # the profile was validated against the same catalogue
        raise LookupError(f"no row for {tier.model} in the catalogue")
    window = tier.context_window or model.max_input_tokens
    output = tier.max_output_tokens or model.max_output_tokens
    return Slot(
        tier=tier_name,
        slot_id=f"openclaude-{tier_name}",
        label=tier.label or model.id,
        model=tier.model,
        litellm_model=CONVERSE + model.id,
        base_model=model.id,
        region=region,
        max_input_tokens=window,
        max_output_tokens=output,
        vision=model.vision if tier.vision is None else tier.vision,
        pdf=model.pdf,
        reasoning=model.reasoning,
        behaves_as=choose_behaves_as(window, output),
    )


def choose_behaves_as(window: int, output: int) -> str:
    """The Claude model that claude should take a slot for, or "" where none fits.

    It decides what claude sends (measured with Claude Code 2.1.330): `claude-3-5-haiku` asks for
    8192 output tokens and neither thinking nor effort; `claude-haiku-4-5` asks for 32000, which
    the guard clamps. Both fix the window at 200k, so a smaller one goes without.
    """
    if window < SMALLEST_BEHAVES_AS_WINDOW:
        return ""
    return "claude-3-5-haiku" if output <= SMALL_OUTPUT else "claude-haiku-4-5"
