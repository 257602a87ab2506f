"""Models a profile names: whether a provider serves them, and whether their limits are known.

Knows: the catalogue, LiteLLM's names. Independent of: tiers and their other keys, files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from openclaude.contracts.references import (
    NO_MODEL,
    BadReference,
    ModelRef,
    parse_second_model,
    split_model,
)
from openclaude.diagnostics import Diagnostic
from openclaude.errors import nearest
from openclaude.models.catalog import Catalog, Model
from openclaude.profile.mistakes import mistake
from openclaude.profile.names import shorten
from openclaude.providers.known import known_providers
from openclaude.providers.table import find_provider

EXAMPLE = "bedrock/qwen.qwen3-next-80b-a3b"
LIMITS = ("max_output_tokens", "context_window")
Key = tuple[str, ...]


def check_model(
    key: Key, name: str, region: str, catalog: Catalog, *, declared: Collection[str]
) -> Iterator[Diagnostic]:
    """Whether a provider has the model `name`, as far as LiteLLM's map tells.

    A model that is not in the map is accepted if the profile has `declared` both its limits:
    providers have new ones every week, and a server of one's own has what one gave it.
    """
    if not is_usable(name):
        yield from refuse_provider(key, name)
        return
    model = read_model(name, region)
    if model.is_whole and find_model(model, catalog) is None and len(declared) < 2:
        yield unknown_model(key, model, catalog)


def is_usable(name: str) -> bool:
    """Whether a name is `PROVIDER/ID` with a provider that LiteLLM knows."""
    model = split_model(name)
    is_known = model.provider in known_providers()
    return model.is_whole and is_known and not find_provider(model.provider).unusable


def read_model(name: str, region: str) -> ModelRef:
    """A provider's model with its region, the tier's where it names none; else NO_MODEL."""
    try:
        model = parse_second_model(name)
    except BadReference:
        return NO_MODEL  # reported as the value's own mistake
    return model if model.region else model._replace(region=region)


def find_model(model: ModelRef, catalog: Catalog) -> Model | None:
    """What the map has on a model."""
    return catalog.find(model.provider, model.model_id, model.region)


def refuse_provider(key: Key, name: str) -> Iterator[Diagnostic]:
    """A model without a provider that serves it."""
    named = split_model(name)
    provider, model_id = named.provider, named.model_id
    allowed = f"write `PROVIDER/MODEL`, for example `{EXAMPLE}`, or `claude`"
    known = known_providers()
    if "/" not in name:
        near = nearest(name, ["claude"])
        hint = f"did you mean `{near}`? {allowed}" if near else allowed
        yield mistake(key, f'"{shorten(name)}" has no provider', fix=hint)
    elif provider not in known:
        near = nearest(provider, known)
        meant = f"did you mean `{shorten(f'{near}/{model_id}')}`?" if near else ""
        message = f'no provider named "{shorten(provider)}"'
        yield mistake(key, message, fix=meant or "list them with `openclaude models`")
    elif unusable := find_provider(provider).unusable:
        why, _, hint = unusable.partition("; ")
        yield mistake(key, f"`{provider}/` {why}", fix=hint)
    else:
        yield mistake(key, f'"{shorten(name)}" has no model', fix=allowed)


def unknown_model(key: Key, model: ModelRef, catalog: Catalog) -> Diagnostic:
    """An id that the map does not have as a chat model of its provider."""
    provider, model_id = model.provider, model.model_id
    near = [f"`{provider}/{one}`" for one in catalog.nearest(model_id, provider=provider)]
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return mistake(
        key,
        f'no chat model named "{shorten(f"{provider}/{model_id}")}" in LiteLLM\'s map',
        fix=f"{meant}a model that is not in the map needs `context_window` and `max_output_tokens`",
    )


def check_limits(
    key: Key, tier: Mapping[str, Any], region: str, catalog: Catalog
) -> Iterator[Diagnostic]:
    """The cap is the map's or lower; where the map has no number, the profile gives one."""
    model = find_model(read_model(tier["model"], region), catalog)
    if model is None:
        return
    asked = tier.get("max_output_tokens")
    cap = model.max_output_tokens
    if cap and isinstance(asked, int) and asked > cap:
        message = f"must be at most {cap} for this model, not {asked}"
        yield mistake((*key, "max_output_tokens"), message)
    for name, known in zip(LIMITS, limits(model), strict=True):
        if not known and name not in tier:
            yield mistake(
                (*key, name),
                "is missing",
                fix="LiteLLM's map has no value for this model: set one",
            )


def limits(model: Model) -> tuple[int, int]:
    """What the map knows of a model's limits, in the order of LIMITS; 0 for unknown."""
    return model.max_output_tokens, model.max_input_tokens
