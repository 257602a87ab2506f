"""Warnings: what in a valid profile will probably not work as expected.

Knows: what the model map says of the models a profile names. Must not depend on today's date, which
is a parameter, nor on Bedrock's ids, which `validate/bedrock.py` knows. Nothing here stops a
profile from being used.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import NamedTuple

from openclaude.contracts.references import CLAUDE, SAME_CLAUDE, ModelRef
from openclaude.diagnostics import Diagnostic, Key, Location, Severity, dotted
from openclaude.models.catalog import Catalog, Model
from openclaude.models.readiness import SMALLEST_WINDOW, end_of, ends_soon
from openclaude.profile.read.loaded import Loaded
from openclaude.profile.schema import STOP, TIERS, Profile, Tier
from openclaude.profile.validate.bedrock import advise_id
from openclaude.profile.validate.models import find_model, read_model
from openclaude.profile.validate.validator import by_line
from openclaude.profile.values import is_on_this_machine, is_unencrypted
from openclaude.providers.bedrock import is_arn
from openclaude.providers.table import ApiDialect, find_provider

UNENCRYPTED = (
    "`http://` is not encrypted: the network between this machine and the server can read the "
    "conversation and the key; use `https://`"
)
UNENCRYPTED_SEARCH = (
    "`http://` is not encrypted: the network between this machine and the server can read what is "
    "searched for and the key; use `https://`"
)
# Where Ollama listens, and the path that takes no window
OLLAMAS = re.compile(r"https?://[^/]+:11434(?:/.*)?")
BLIND = "according to LiteLLM's map, this model cannot read images"
Advice = Iterator[tuple[Key, str]]  # (key of the profile, message)


class Named(NamedTuple):
    """A model as a profile names it, and what the map has on it."""

    name: ModelRef
    model: Model | None
    is_local: bool


def find_warnings(loaded: Loaded, catalog: Catalog, today: datetime.date) -> tuple[Diagnostic, ...]:
    """Every warning about a valid profile, in the order of the lines of its files."""
    advice = advise(loaded.profile, catalog, today)
    warnings = [make_warning(loaded, key, message) for key, message in advice]
    return tuple(by_line(warnings, [source.path for source in loaded.sources]))


def make_warning(loaded: Loaded, key: Key, message: str) -> Diagnostic:
    """A warning at the line of its key; of the tier's model where the key has a default."""
    origin = loaded.provenance[dotted(key)]
    if not origin.path:
        origin = loaded.provenance.get(dotted((*key[:-1], "model")), origin)
    path = origin.path or loaded.sources[0].path
    return Diagnostic(
        code="profile-warning",
        severity=Severity.WARNING,
        message=message,
        location=Location(path=path, line=origin.line, key=key),
    )


def advise(profile: Profile, catalog: Catalog, today: datetime.date) -> Advice:
    """Warnings about a profile."""
    if profile.providers.url:
        yield from advise_idle_aws(profile)
    for name, tier in profile.tiers.items():
        region = profile.region_of(name) or ""
        if not tier.is_claude:
            for key, message in advise_tier(tier, region, catalog, today):
                yield ("tiers", name, *key), message
        if isinstance(tier.vision, str):
            for message in advise_eyes(name, profile, catalog, today):
                yield ("tiers", name, "vision"), message
    if profile.anthropic.on_limit:
        for message in advise_on_limit(profile.anthropic.on_limit, profile, catalog, today):
            yield ("anthropic", "on_limit"), message
    if profile.search.api_base and is_unencrypted(profile.search.api_base):
        yield ("search", "api_base"), UNENCRYPTED_SEARCH
    if profile.budget.then not in (STOP, CLAUDE):
        for message in advise_on_limit(profile.budget.then, profile, catalog, today):
            yield ("budget", "then"), message
    if profile.auto_mode.classifier:
        for message in advise_classifier(profile.auto_mode.classifier, profile, catalog, today):
            yield ("auto_mode", "classifier"), message


def advise_idle_aws(profile: Profile) -> Advice:
    """Keys of `[aws]`, often a parent's, where another machine asks AWS."""
    for key in ("profile", "api_key", "region", "endpoint_url"):
        if getattr(profile.aws, key):
            message = "has no effect: `providers.url` names a server, which has its own AWS access"
            yield ("aws", key), message


def advise_on_limit(
    name: str, profile: Profile, catalog: Catalog, today: datetime.date
) -> Iterator[str]:
    """Warnings about a model for a limit; a tier with the same model describes it further."""
    if name == SAME_CLAUDE:
        return
    twin = next((tier for tier in profile.tiers.values() if tier.model == name), None)
    named = look_up(name, profile.aws.region or "", twin, catalog)
    yield from advise_model(named, catalog, today)
    yield from advise_size((twin and twin.context_window) or window_of(named))


def advise_classifier(
    name: str, profile: Profile, catalog: Catalog, today: datetime.date
) -> Iterator[str]:
    """What there is to say of the model that judges tool calls; it needs no tools itself."""
    named = look_up(name, profile.aws.region or "", None, catalog)
    if named.name.is_bedrock:
        yield from advise_id(named.name.model_id, named.name.region, catalog)
    yield from advise_end(named, today)


def advise_tier(tier: Tier, region: str, catalog: Catalog, today: datetime.date) -> Advice:
    """Warnings about one tier."""
    named = look_up(tier.model, region, tier, catalog)
    for message in advise_model(named, catalog, today):
        yield ("model",), message
    window = tier.context_window or window_of(named)
    sizes = (*advise_size(window), *advise_excess(window, named))
    for message in (*sizes, *advise_server(tier, window, named)):
        yield ("context_window",), message
    if tier.vision is True and named.model and not named.model.vision:
        yield ("vision",), BLIND
    if tier.api_base and is_unencrypted(tier.api_base):
        yield ("api_base",), UNENCRYPTED
    for name in tier.fallbacks:
        other = look_up(name, region, tier, catalog)
        for message in advise_fallback(other, window, catalog, today):
            yield ("fallbacks",), f"`{name}`: {message}"


def advise_eyes(
    tier_name: str, profile: Profile, catalog: Catalog, today: datetime.date
) -> Iterator[str]:
    """Warnings about the model that describes images for a tier; of a tier's own it says more."""
    tier, name = profile.tiers[tier_name], str(profile.tiers[tier_name].vision)
    own = look_up(tier.model, profile.region_of(tier_name) or "", tier, catalog)
    if own.model and own.model.vision:
        yield "the tier's model reads images itself: it gets descriptions in their place"
    if name in TIERS:
        seeing = profile.tiers[name]
        named = look_up(seeing.model, profile.region_of(name) or "", seeing, catalog)
        if seeing.vision is None and named.model and not named.model.vision:
            yield f"`{name}`: {BLIND}"
        return
    named = look_up(name, profile.region_of(tier_name) or "", tier, catalog)
    if named.model and not named.model.vision:
        yield f"`{name}`: {BLIND}"
    advice = advise_id(named.name.model_id, named.name.region, catalog)
    for message in (*(advice if named.name.is_bedrock else ()), *advise_end(named, today)):
        yield f"`{name}`: {message}"


def look_up(name: str, region: str, tier: Tier | None, catalog: Catalog) -> Named:
    """What the map has on a model that a valid profile names, in a tier or for itself."""
    read = read_model(name, region)
    return Named(name=read, model=find_model(read, catalog), is_local=is_local(read.provider, tier))


def is_local(provider: str, tier: Tier | None) -> bool:
    """Whether a model runs where the user decides what it can do."""
    if find_provider(provider).is_local:
        return True
    if tier is None or tier.provider != provider:
        return False
    return "mock_response" in tier.params or bool(provider == "openai" and tier.api_base)


def advise_fallback(
    named: Named, window: int, catalog: Catalog, today: datetime.date
) -> Iterator[str]:
    """Warnings about a fallback for a model with this window."""
    own = 0 if named.is_local else window_of(named)
    yield from advise_model(named, catalog, today)
    yield from advise_size(own)
    if 0 < own < window:
        yield f"its window is {own} tokens, but conversations of this tier can have {window}"


def advise_model(named: Named, catalog: Catalog, today: datetime.date) -> Iterator[str]:
    """Warnings about a model, wherever it is used."""
    model = named.model
    if model is None and not named.is_local and not is_arn(named.name.model_id):
        yield "LiteLLM's map does not list this model: it may not support tools, which claude needs"
    if model and not model.tools:
        yield "LiteLLM's map lists no tool support for this model, but claude needs tools"
    if named.name.is_bedrock and named.name.region:  # a server has its own
        yield from advise_id(named.name.model_id, named.name.region, catalog)
    yield from advise_end(named, today)


def advise_end(named: Named, today: datetime.date) -> Iterator[str]:
    """A model that is retired, or soon will be."""
    model = named.model
    end = end_of(model) if model and ends_soon(model, today) else None
    if end:
        said = "was due to be" if end < today else "will be"
        yield f"{said} retired on {end} (LiteLLM's map)"


def window_of(named: Named) -> int:
    """What the map has for a window; 0 for unknown."""
    return named.model.max_input_tokens if named.model else 0


def advise_size(window: int) -> Iterator[str]:
    """A window too small for claude."""
    if 0 < window < SMALLEST_WINDOW:
        yield f"{window} tokens: claude's instructions and tools fill this window quickly"


def advise_excess(window: int, named: Named) -> Iterator[str]:
    """A window larger than the model's, unless the user's own machine decides."""
    known = window_of(named)
    if 0 < known < window and not named.is_local:
        yield f"{window} is more than the {known} tokens in LiteLLM's map"


def advise_server(tier: Tier, window: int, named: Named) -> Iterator[str]:
    """A window that is the server's own matter: only Ollama takes one with a request."""
    provider = find_provider(tier.provider)
    is_here = provider.is_local or is_on_this_machine(tier.api_base or "")
    if not named.is_local or not is_here or "mock_response" in tier.params:
        return
    if provider.dialect is ApiDialect.OLLAMA:
        return
    if OLLAMAS.fullmatch(tier.api_base or ""):
        yield (
            "Ollama takes no window at this address and cuts prompts at its own, often 4096 tokens,"
            " without an error; write `ollama_chat/MODEL`"
        )
    else:
        yield (
            f"openclaude cannot set the window of this server: start it with {window} tokens or "
            "more, or write its own here"
        )
