"""Resolve: a profile with every name bound and every default filled.

Knows: profiles and the catalogue's models. Independent of: LiteLLM's config, claude's settings.
Pure: the same profile and models give the same resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from openclaude.compile.limit import ON_LIMIT, group_of, is_on_own_key, tiers_at_limit
from openclaude.compile.prices import find_prices
from openclaude.compile.search import WebSearch, resolve_search
from openclaude.compile.secret_variables import Secrets
from openclaude.contracts.capabilities import THINKING_OFF
from openclaude.contracts.references import (
    BEDROCK,
    CLAUDE,
    ModelRef,
    SecretRef,
    parse_second_model,
    parse_secret,
)
from openclaude.contracts.routing import REGION_MARK, ModelPrices
from openclaude.models.catalog import Model
from openclaude.profile.schema import STOP, TIERS, Profile, Tier
from openclaude.providers.families import known_of, litellm_name
from openclaude.providers.table import ANTHROPIC, find_provider, key_reference

# What claude's own aliases stand for (measured with 2.1.330)
CLAUDE_MODELS = {
    "opus": "claude-opus-5-5",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
    "fable": "claude-fable-5-2",
}
# The smallest window that claude can be told for a model it knows: `autoCompactWindow` of its
# settings (read in 2.1.330: "at least 100000")
SMALLEST_KNOWN_WINDOW = 100_000
FALLBACK = "-fallback-"
MOCKED = "mock_response"  # LiteLLM's parameter for an answer of its own
# Model groups of no tier: what answers when a budget is used up, and what judges tool calls
CLASSIFIER = "openclaude-classifier"
OVER_BUDGET = "openclaude-over-budget"
EYES = "openclaude-eyes-"  # and a tier: what describes images for it


class Deployment(NamedTuple):
    """One way to serve a slot: a model, its address, its capabilities."""

    group: str  # LiteLLM's model group: the slot id, or one of its fallbacks
    model: str  # as in the profile
    provider: str
    model_id: str  # the provider's own, as the profile has it
    litellm_model: str  # as in LiteLLM's config
    base_model: str  # the row of LiteLLM's model map
    region: str  # Bedrock's; else ""
    api_base: str
    api_key: str  # the variable of the instance that holds it, or ""
    params: dict[str, Any]  # further litellm_params
    max_input_tokens: int
    max_output_tokens: int
    vision: bool
    pdf: bool
    reasoning: bool
    thinking: str  # "off" where the profile wants no thoughts, or ""
    markup: str  # as the profile says, or ""
    prices: ModelPrices
    own_key: bool = False  # Claude at Anthropic itself, for a key of the user's


class Slot(NamedTuple):
    """A tier served by a provider, with every number known; the first deployment serves it."""

    tier: str
    slot_id: str
    label: str
    stands_for: str  # Claude's own id of the tier, or "" where claude asks by the slot's id
    deployments: tuple[Deployment, ...]
    key: SecretRef | None  # where the key of the first deployment is

    @property
    def first(self) -> Deployment:
        """The primary deployment."""
        return self.deployments[0]

    @property
    def claude(self) -> str:
        """The id at Anthropic for a request of the slot that only Anthropic can answer."""
        return CLAUDE_MODELS[self.tier]

    @property
    def asked_as(self) -> str:
        """The id by which claude asks for the slot."""
        return self.stands_for or self.slot_id


class Resolution(NamedTuple):
    """A resolved profile."""

    name: str
    profile: Profile
    claude_tiers: dict[str, str]  # tier -> "claude" or a claude-... id
    slots: tuple[Slot, ...]
    on_limit: Deployment | None
    classifier: Deployment | None
    over_budget: Deployment | None
    secrets: dict[str, SecretRef]  # of providers: variable -> where its secret is
    search: WebSearch | None = None
    eyes: dict[str, Deployment] = {}  # what describes images, by the tier  # noqa: RUF012
    same_at_limit: dict[str, Deployment] = {}  # by the family of who was asked  # noqa: RUF012

    @property
    def server(self) -> str:
        """Who serves the slots, if not this machine's own providers."""
        return self.profile.providers.url or ""

    @property
    def has_providers(self) -> bool:
        """Whether this machine needs an instance with credentials."""
        return bool(self.deployments) and not self.server

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """Everything `providers` serves."""
        served = [deployment for slot in self.slots for deployment in slot.deployments]
        further = (
            self.on_limit,
            self.classifier,
            self.over_budget,
            *self.eyes.values(),
            *self.same_at_limit.values(),
        )
        return (*served, *filter(None, further))

    @property
    def agents_by_header(self) -> dict[str, str]:
        """claude's own agents that main moves to a slot, with claude's own prompts.

        claude names the agent in a header, and only where it takes the address for Anthropic's own
        (measured with 2.1.330). A request for one Claude model does not fit every other, so those
        stay claude's to move.
        """
        moved = self.profile.agents
        slots = {slot.tier: slot.slot_id for slot in self.slots}
        chosen = (("Explore", moved.explore), ("Plan", moved.plan))
        if not self.profile.anthropic.first_party:
            return {}
        return {name: slots[tier] for name, tier in chosen if tier in slots}

    @property
    def uses_bedrock(self) -> bool:
        """Whether anything needs the AWS profile."""
        return self.has_providers and any(one.provider == BEDROCK for one in self.deployments)


# (provider, model id, region) -> the catalogue's row
FindModel = Callable[[str, str, str], Model | None]


def resolve(name: str, profile: Profile, find_model: FindModel) -> Resolution:
    """Bind every tier of the profile called `name`."""
    claude_tiers: dict[str, str] = {}
    slots: list[Slot] = []
    secrets = Secrets()
    for tier_name in TIERS:
        tier = profile.tiers.get(tier_name) or Tier(model=CLAUDE)
        if tier.is_claude:
            claude_tiers[tier_name] = tier.model
        else:
            slots.append(resolve_slot(tier_name, tier, profile, find_model, secrets))
    eyes = {
        slot.tier: resolve_eyes(slot.tier, named, profile, find_model, secrets)
        for slot in slots
        if isinstance(named := profile.tiers[slot.tier].vision, str)
    }
    then = profile.budget.then
    known = {tier: name for tier, name in CLAUDE_MODELS.items() if find_model(ANTHROPIC, name, "")}
    limits = {
        group: deploy(group, tier.model, tier, profile, find_model, secrets)._replace(
            own_key=is_on_own_key(tier, profile)
        )
        for group, tier in tiers_at_limit(profile, claude_tiers, known).items()
    }
    second = {
        CLASSIFIER: profile.auto_mode.classifier,
        OVER_BUDGET: None if then in (STOP, CLAUDE) else then,
    }
    found = {
        group: resolve_second(group, model, profile, find_model, secrets)
        for group, model in second.items()
        if model
    }
    return Resolution(
        name,
        profile,
        claude_tiers,
        tuple(slots),
        limits.get(ON_LIMIT),
        found.get(CLASSIFIER),
        found.get(OVER_BUDGET),
        secrets.variables,
        resolve_search(profile, secrets) if slots else None,
        eyes,
        {tier: limits[group_of(tier)] for tier in TIERS if group_of(tier) in limits},
    )


def resolve_slot(
    tier_name: str, tier: Tier, profile: Profile, find_model: FindModel, secrets: Secrets
) -> Slot:
    """One provider tier, with its fallbacks."""
    slot_id = f"openclaude-{tier_name}"
    names = (tier.model, *tier.fallbacks)
    if tier.regions:
        tier = tier.model_copy(update={"region": tier.regions[0]})
    first, *fallbacks = (
        deploy(group, name, tier, profile, find_model, secrets)
        for group, name in zip(groups(slot_id), names, strict=False)
    )
    further = (
        first._replace(group=f"{slot_id}{REGION_MARK}{region}", region=region)
        for region in tier.regions[1:]
    )
    deployments = (first, *further, *fallbacks)
    return Slot(
        tier=tier_name,
        slot_id=slot_id,
        label=tier.label or short_name(first.base_model),
        stands_for=stands_for(tier_name, first.max_input_tokens),
        deployments=deployments,
        key=find_key(tier.provider, tier, profile),
    )


def groups(slot_id: str) -> Iterator[str]:
    """The slot's own model group, then one for each fallback."""
    yield slot_id
    number = 0
    while True:
        number += 1
        yield f"{slot_id}{FALLBACK}{number}"


def short_name(model_id: str) -> str:
    """A model's id without the names in front of it, for claude to show."""
    return model_id.rpartition("/")[2]


def resolve_second(
    group: str, name: str, profile: Profile, find_model: FindModel, secrets: Secrets
) -> Deployment:
    """A model of no tier, in a group of its own; as a tier has it, if one has that model."""
    same = (tier for tier in profile.tiers.values() if tier.model == name)
    tier = next(same, Tier.model_construct(model=name))  # it may name a region of its own
    return deploy(group, name, tier, profile, find_model, secrets)


def resolve_eyes(
    tier_name: str, named: str, profile: Profile, find_model: FindModel, secrets: Secrets
) -> Deployment:
    """The model that describes images for a tier: another tier's, or one that it names itself.

    It is asked alone: a fallback of that tier's might see nothing either.
    """
    tier = profile.tiers[tier_name]
    if named in TIERS:
        tier = profile.tiers[named]
        named = tier.model
        if tier.regions:
            tier = tier.model_copy(update={"region": tier.regions[0]})
    found = deploy(f"{EYES}{tier_name}", named, tier, profile, find_model, secrets)
    return found._replace(vision=True)  # the profile says so by naming it


def deploy(
    group: str, name: str, tier: Tier, profile: Profile, find_model: FindModel, secrets: Secrets
) -> Deployment:
    """One model with its limits: the profile's where given, else the catalogue's.

    A fallback has no table of its own: of the tier's keys, those that say how to reach a provider
    hold for a model of the same provider.
    """
    named = parse_second_model(name)
    provider = find_provider(named.provider)
    is_own = named.provider == tier.provider
    bare = Tier.model_construct(model=name)  # checked as a fallback, which may name a region
    own = tier if is_own else bare
    declared = tier if name == tier.model else bare
    region = (named.region or tier.region or profile.aws.region or "") if named.is_bedrock else ""
    model = find_model(named.provider, named.model_id, region) or declared_model(named, tier)
    key = find_key(named.provider, own, profile)
    return Deployment(
        group=group,
        model=name,
        provider=provider.name,
        model_id=named.model_id,
        litellm_model=litellm_name(provider, named.model_id),
        base_model=model.id,  # an ARN names it
        region=region,
        # with a slash at its end, LiteLLM would write two into some providers' paths (measured)
        api_base=(own.api_base or provider.base).rstrip("/"),
        api_key=secrets.variable(key) if key else "",
        params=secrets.hide(own.params),
        max_input_tokens=declared.context_window or model.max_input_tokens,
        max_output_tokens=declared.max_output_tokens or model.max_output_tokens,
        # a tier that names another model for it cannot see
        vision=model.vision if declared.vision is None else declared.vision is True,
        pdf=model.pdf and not isinstance(declared.vision, str),
        reasoning=bool(model.reasoning if declared.thinking is None else declared.thinking)
        and known_of(provider, named.model_id).supports_reasoning,
        thinking=THINKING_OFF if declared.thinking is False else "",
        markup=declared.markup or "",
        prices=find_prices(provider.name, region, model, own.params, is_fallback=FALLBACK in group),
    )


def find_key(provider: str, tier: Tier, profile: Profile) -> SecretRef | None:
    """Where the key of a tier's provider is; None if LiteLLM itself answers."""
    if profile.providers.url:
        return None  # that server has it
    if provider == BEDROCK:
        return parse_secret(profile.aws.api_key) if profile.aws.api_key else None
    return None if MOCKED in tier.params else key_reference(provider, tier.api_key, tier.api_base)


def declared_model(named: ModelRef, tier: Tier) -> Model:
    """A model that is not in the catalogue, described by its tier. Raises LookupError."""
    if not tier.context_window or not tier.max_output_tokens:
        # the profile was validated against the same catalogue
        raise LookupError(f"no row for {named} in the catalogue")
    return Model(
        provider=named.provider,
        id=named.model_id,
        max_input_tokens=tier.context_window,
        max_output_tokens=tier.max_output_tokens,
        tools=True,
    )


def stands_for(tier: str, window: int) -> str:
    """Claude's own id of a tier for a slot with this window in tokens, or "" where none fits.

    With claude's own id nothing of ours outlives a session: transcripts, saved models and nested
    shells keep an id that Anthropic knows, and claude resumes a session with its model, which it
    does not do if an alias is bound by a variable (measured with 2.1.330; docs/architecture.md). A
    window that claude cannot be told for a model it knows needs an id it does not know.
    """
    return CLAUDE_MODELS[tier] if window >= SMALLEST_KNOWN_WINDOW else ""
