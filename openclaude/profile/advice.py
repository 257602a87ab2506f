"""Advice: what of a valid profile will probably disappoint.

Knows: what the model map says of the models a profile names. Refuses to know: today's date, which
is asked for; Bedrock's ids, which `advice_bedrock` judges. Nothing here stops a profile from being
used.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import NamedTuple

from openclaude.profile.advice_bedrock import advise_id
from openclaude.profile.catalog import Catalog, Model
from openclaude.profile.catalog_bedrock import is_arn
from openclaude.profile.catalog_ready import SMALLEST_WINDOW, end_of, ends_soon
from openclaude.profile.library import Loaded
from openclaude.profile.mistakes import Mistake
from openclaude.profile.models import split_model
from openclaude.profile.schema import Profile, Tier

# What runs on a machine of the user's has the window and the tools that the user gave it.
LOCAL = frozenset(
    {
        *("docker_model_runner", "hosted_vllm", "lemonade", "llamafile", "lm_studio"),
        *("ollama", "ollama_chat", "oobabooga", "vllm"),
    }
)
Advice = Iterator[tuple[str, str]]  # (dotted key, message)


class Named(NamedTuple):
    """A model as a profile names it, and what the map has on it."""

    provider: str
    model_id: str
    region: str
    model: Model | None
    is_local: bool


def find_warnings(loaded: Loaded, catalog: Catalog, today: datetime.date) -> tuple[Mistake, ...]:
    """Every warning about a valid profile, in the order of the lines of its files."""
    advice = advise(loaded.profile, catalog, today)
    warnings = [make_warning(loaded, key, message) for key, message in advice]
    paths = [source.path for source in loaded.sources]
    return tuple(sorted(warnings, key=lambda one: (paths.index(one.path), one.line)))


def make_warning(loaded: Loaded, key: str, message: str) -> Mistake:
    """A warning at the line of its key; of the tier's model where the key has a default."""
    origin = loaded.provenance[key]
    if not origin.path:
        origin = loaded.provenance.get(f"{key.rpartition('.')[0]}.model", origin)
    return Mistake(
        path=origin.path or loaded.sources[0].path, line=origin.line, key=key, message=message
    )


def advise(profile: Profile, catalog: Catalog, today: datetime.date) -> Advice:
    """What there is to say of a profile."""
    for name, tier in profile.tiers.items():
        region = profile.region_of(name) or ""
        if not tier.is_claude:
            for key, message in advise_tier(tier, region, catalog, today):
                yield f"tiers.{name}.{key}", message
    if profile.anthropic.on_limit:
        for message in advise_on_limit(profile.anthropic.on_limit, profile, catalog, today):
            yield "anthropic.on_limit", message


def advise_on_limit(
    name: str, profile: Profile, catalog: Catalog, today: datetime.date
) -> Iterator[str]:
    """What there is to say of the model of a reached limit; a tier with it may say more of it."""
    twin = next((tier for tier in profile.tiers.values() if tier.model == name), None)
    named = look_up(name, profile.aws.region or "", twin, catalog)
    yield from advise_model(named, catalog, today)
    yield from advise_size((twin and twin.context_window) or window_of(named))


def advise_tier(tier: Tier, region: str, catalog: Catalog, today: datetime.date) -> Advice:
    """What there is to say of one tier."""
    named = look_up(tier.model, region, tier, catalog)
    for message in advise_model(named, catalog, today):
        yield "model", message
    window = tier.context_window or window_of(named)
    for message in (*advise_size(window), *advise_excess(window, named)):
        yield "context_window", message
    if tier.vision and named.model and not named.model.vision:
        yield "vision", "LiteLLM's map says that this model cannot read images"
    for name in tier.fallbacks:
        other = look_up(name, region, tier, catalog)
        for message in advise_fallback(other, window, catalog, today):
            yield "fallbacks", f"`{name}`: {message}"


def look_up(name: str, region: str, tier: Tier | None, catalog: Catalog) -> Named:
    """What the map has on a model that a valid profile names, in a tier or for itself."""
    provider, model_id, region = split_model(name, region)
    model = catalog.find(provider, model_id, region)
    return Named(provider, model_id, region, model, is_local(provider, tier))


def is_local(provider: str, tier: Tier | None) -> bool:
    """Whether a model runs where the user decides what it can do."""
    if provider in LOCAL:
        return True
    if tier is None or tier.provider != provider:
        return False
    return "mock_response" in tier.params or bool(provider == "openai" and tier.api_base)


def advise_fallback(
    named: Named, window: int, catalog: Catalog, today: datetime.date
) -> Iterator[str]:
    """What there is to say of a model that stands in for one with this window."""
    own = 0 if named.is_local else window_of(named)
    yield from advise_model(named, catalog, today)
    yield from advise_size(own)
    if 0 < own < window:
        yield f"its window is {own} tokens, and conversations of this tier may have {window}"


def advise_model(named: Named, catalog: Catalog, today: datetime.date) -> Iterator[str]:
    """What there is to say of a model wherever it is used."""
    model = named.model
    if model is None and not named.is_local and not is_arn(named.model_id):
        yield (
            "LiteLLM's map does not have this model: whether it has tools, which claude needs, is "
            "not known"
        )
    if model and not model.tools:
        yield "LiteLLM's map knows no tool support for this model, and claude needs tools"
    if named.provider == "bedrock":
        yield from advise_id(named.model_id, named.region, catalog)
    end = end_of(model) if model and ends_soon(model, today) else None
    if end:
        said = "was to be" if end < today else "will be"
        yield f"{said} retired on {end} (LiteLLM's map)"


def window_of(named: Named) -> int:
    """What the map has for a window; 0 for unknown."""
    return named.model.max_input_tokens if named.model else 0


def advise_size(window: int) -> Iterator[str]:
    """A window too small for claude."""
    if 0 < window < SMALLEST_WINDOW:
        yield f"{window} tokens: claude's instructions and tools fill that quickly"


def advise_excess(window: int, named: Named) -> Iterator[str]:
    """A window larger than the model's, unless the user's own machine decides."""
    known = window_of(named)
    if 0 < known < window and not named.is_local:
        yield f"{window} is more than the {known} of LiteLLM's map"
