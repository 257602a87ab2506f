"""Resolve: a profile with every name bound and every default filled.

Knows: profiles and the catalogue's models. Refuses to know: LiteLLM's config, claude's settings.
Pure: the same profile and models give the same resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from openclaude.compile.references import Secrets
from openclaude.profile.catalog import Model
from openclaude.profile.providers import ANTHROPIC, BEDROCK, find_provider, key_reference
from openclaude.profile.schema import CLAUDE, TIERS, Profile, Tier
from openclaude.profile.values import REGION

# The smallest window claude can be told about with `behavesAs` (measured with Claude Code 2.1.330:
# every id that behaves as an older haiku is given 200k, whatever else is set).
SMALLEST_BEHAVES_AS_WINDOW = 200_000
# what claude asks for an id that behaves as claude-3-5-haiku (measured with 2.1.330)
SMALL_OUTPUT = 8192
CONVERSE = "bedrock/converse/"
# where Bedrock's own Claude models have this in their ids
BEDROCK_CLAUDE = "anthropic.claude"
LITELLM_NAMES = {"ollama": "ollama_chat", "openai_like": "openai"}
MOCKED = "mock_response"  # LiteLLM's parameter for an answer of its own
ON_LIMIT = "openclaude-on-limit"  # the model group that answers when the plan's limit is reached


class Deployment(NamedTuple):
    """One way to serve a slot: a model, where it is, what it can take."""

    group: str  # LiteLLM's model group: the slot id, or one of its fallbacks
    model: str  # as in the profile
    provider: str
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


class Slot(NamedTuple):
    """A tier served by a provider, with every number known; the first deployment serves it."""

    tier: str
    slot_id: str
    label: str
    behaves_as: str
    deployments: tuple[Deployment, ...]
    key_reference: str  # where the key of the first deployment is, or ""

    @property
    def first(self) -> Deployment:
        """What serves the slot unless it fails."""
        return self.deployments[0]


class Resolution(NamedTuple):
    """What a profile means."""

    name: str
    profile: Profile
    claude_tiers: dict[str, str]  # tier -> "claude" or a claude-... id
    slots: tuple[Slot, ...]
    on_limit: Deployment | None
    secrets: dict[str, str]  # of providers: variable -> where its secret is

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """Everything `providers` serves."""
        served = [deployment for slot in self.slots for deployment in slot.deployments]
        return (*served, *([self.on_limit] if self.on_limit else []))

    @property
    def uses_bedrock(self) -> bool:
        """Whether anything needs the AWS profile."""
        return any(deployment.provider == BEDROCK for deployment in self.deployments)


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
    on_limit = profile.anthropic.on_limit
    return Resolution(
        name,
        profile,
        claude_tiers,
        tuple(slots),
        resolve_on_limit(on_limit, profile, find_model, secrets) if on_limit else None,
        secrets.variables,
    )


def resolve_slot(
    tier_name: str, tier: Tier, profile: Profile, find_model: FindModel, secrets: Secrets
) -> Slot:
    """One provider tier, with the models that stand in for its own."""
    slot_id = f"openclaude-{tier_name}"
    names = (tier.model, *tier.fallbacks)
    deployments = tuple(
        deploy(group, name, tier, profile, find_model, secrets)
        for group, name in zip(groups(slot_id), names, strict=False)
    )
    first = deployments[0]
    return Slot(
        tier=tier_name,
        slot_id=slot_id,
        label=tier.label or short_name(first.base_model),
        behaves_as=choose_behaves_as(first.max_input_tokens, first.max_output_tokens),
        deployments=deployments,
        key_reference=find_key(tier.provider, tier),
    )


def groups(slot_id: str) -> Iterator[str]:
    """The slot's own model group, then one for each fallback."""
    yield slot_id
    number = 0
    while True:
        number += 1
        yield f"{slot_id}-fallback-{number}"


def short_name(model_id: str) -> str:
    """A model's id without the names in front of it, for claude to show."""
    return model_id.rpartition("/")[2]


def resolve_on_limit(
    name: str, profile: Profile, find_model: FindModel, secrets: Secrets
) -> Deployment:
    """What answers when the plan's limit is reached; as a tier has it, if one has that model."""
    same = (tier for tier in profile.tiers.values() if tier.model == name)
    tier = next(same, Tier.model_construct(model=name))  # it may name a region of its own
    return deploy(ON_LIMIT, name, tier, profile, find_model, secrets)


def deploy(
    group: str, name: str, tier: Tier, profile: Profile, find_model: FindModel, secrets: Secrets
) -> Deployment:
    """One model with its limits: the profile's where given, else the catalogue's.

    A fallback has no table of its own: of the tier's keys, those that say how to reach a provider
    hold for a model of the same provider.
    """
    provider, _, model_id = name.partition("/")
    is_own = provider == tier.provider
    bare = Tier.model_construct(model=name)  # checked as a fallback, which may name a region
    own = tier if is_own else bare
    declared = tier if name == tier.model else bare
    region = (tier.region or profile.aws.region or "") if provider == BEDROCK else ""
    before, slash, rest = model_id.partition("/")
    if provider == BEDROCK and slash and REGION.fullmatch(before):
        region, model_id = before, rest
    model = find_model(provider, model_id, region) or declared_model(provider, model_id, tier)
    reference = find_key(provider, own)
    return Deployment(
        group=group,
        model=name,
        provider=provider,
        litellm_model=litellm_prefix(provider) + model_id,
        base_model=model.id,  # an ARN names it
        region=region,
        # with a slash at its end, LiteLLM would write two into some providers' paths (measured)
        api_base=(own.api_base or find_provider(provider).base).rstrip("/"),
        api_key=secrets.variable(reference) if reference else "",
        params=secrets.hide(own.params),
        max_input_tokens=declared.context_window or model.max_input_tokens,
        max_output_tokens=declared.max_output_tokens or model.max_output_tokens,
        vision=model.vision if declared.vision is None else declared.vision,
        pdf=model.pdf,
        reasoning=model.reasoning and not is_claude_elsewhere(provider, model_id),
    )


def find_key(provider: str, tier: Tier) -> str:
    """Where the key of a tier's provider is; "" where nobody is asked, for LiteLLM answers."""
    return "" if MOCKED in tier.params else key_reference(provider, tier.api_key, tier.api_base)


def litellm_prefix(provider: str) -> str:
    """What LiteLLM calls the way to a provider's models (measured with 1.106.2).

    `ollama/` would describe the tools in the prompt; `openai_like/` knows no /v1/messages.
    """
    return CONVERSE if provider == BEDROCK else f"{LITELLM_NAMES.get(provider, provider)}/"


def declared_model(provider: str, model_id: str, tier: Tier) -> Model:
    """A model that is not in the catalogue, from what its tier says of it."""
    if not tier.context_window or not tier.max_output_tokens:
        # the profile was validated against the same catalogue
        raise LookupError(f"no row for {provider}/{model_id} in the catalogue")
    return Model(
        provider=provider,
        id=model_id,
        max_input_tokens=tier.context_window,
        max_output_tokens=tier.max_output_tokens,
        tools=True,
    )


def is_claude_elsewhere(provider: str, model_id: str) -> bool:
    """Whether a model is Claude, served by somebody else.

    Its thinking must come back to it with the signature, which the guard removes, so that no
    signature of one provider is ever sent to another: it is asked not to think.
    """
    return provider == ANTHROPIC or BEDROCK_CLAUDE in model_id or model_id.startswith("claude")


def choose_behaves_as(window: int, output: int) -> str:
    """The Claude model that claude should take a slot for, or "" where none fits.

    It decides what claude sends (measured with Claude Code 2.1.330): `claude-3-5-haiku` asks for
    8192 output tokens and neither thinking nor effort; `claude-haiku-4-5` asks for 32000, which
    the guard clamps. Both fix the window at 200k, so a smaller one goes without.
    """
    if window < SMALLEST_BEHAVES_AS_WINDOW:
        return ""
    return "claude-3-5-haiku" if output <= SMALL_OUTPUT else "claude-haiku-4-5"
