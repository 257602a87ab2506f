"""Models a profile names: whether somebody serves them, and whether their limits are known.

Knows: the catalogue, LiteLLM's names. Refuses to know: tiers and their other keys, files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from openclaude.errors import nearest
from openclaude.profile.catalog import Catalog, Model
from openclaude.profile.findings import Finding
from openclaude.profile.names import shorten
from openclaude.profile.providers import BEDROCK, PROVIDERS
from openclaude.profile.values import REGION, check_provider_model

EXAMPLE = "bedrock/qwen.qwen3-next-80b-a3b"
# Providers that LiteLLM knows and that cannot stand behind a tier (measured with 1.106.2), and why
LOGIN = "asks for a login in the middle of a session; use a provider with a key"
OTHER_KEYS = "is not supported: it needs more than a key and an address"
UNUSABLE = {
    "chatgpt": LOGIN,
    "github_copilot": LOGIN,
    "vllm": "runs the model inside LiteLLM; for a server of yours write `hosted_vllm/MODEL`",
    "azure_text": "is for text completion; write `azure/MODEL`",
    "text-completion-openai": "is for text completion; write `openai/MODEL`",
    "text-completion-codestral": "is for text completion; write `codestral/MODEL`",
    "watsonx": OTHER_KEYS,
    "oci": OTHER_KEYS,
    "sap": OTHER_KEYS,
    "predibase": OTHER_KEYS,
}
LIMITS = ("max_output_tokens", "context_window")
Key = tuple[str, ...]


def check_model(
    key: Key, name: str, region: str, catalog: Catalog, *, declared: Collection[str]
) -> Iterator[Finding]:
    """Whether a provider has the model `name`, as far as LiteLLM's map tells.

    A model that is not in the map is no mistake where the profile has `declared` both its limits:
    providers have new ones every week, and a server of one's own has what one gave it.
    """
    if not is_usable(name, catalog):
        yield from refuse_provider(key, name, catalog)
        return
    provider, model_id, region = split_model(name, region)
    if provider and catalog.find(provider, model_id, region) is None and len(declared) < 2:
        yield unknown_model(key, provider, model_id, catalog)


def is_usable(name: str, catalog: Catalog) -> bool:
    """Whether a name is `PROVIDER/ID` with a provider that LiteLLM knows."""
    provider, slash, model_id = name.partition("/")
    known = provider in known_providers(catalog)
    return bool(slash and model_id) and known and provider not in UNUSABLE


def known_providers(catalog: Catalog) -> tuple[str, ...]:
    """Every provider that a profile may name."""
    return tuple(sorted({*PROVIDERS, *catalog.providers()}))


def split_model(name: str, region: str) -> tuple[str, str, str]:
    """Provider, id and region of a model's name; three times "" for a value that cannot be one."""
    try:
        provider, _, model_id = check_provider_model(name).partition("/")
    except ValueError:
        return "", "", ""  # reported as the value's own mistake
    own, slash, rest = model_id.partition("/")
    if provider == BEDROCK and slash and REGION.fullmatch(own):
        return provider, rest, own
    return provider, model_id, region


def refuse_provider(key: Key, name: str, catalog: Catalog) -> Iterator[Finding]:
    """A model that nobody serves."""
    provider, slash, model_id = name.partition("/")
    allowed = f"write `PROVIDER/MODEL`, for example `{EXAMPLE}`, or `claude`"
    known = known_providers(catalog)
    if not slash:
        near = nearest(name, ["claude"])
        hint = f"did you mean `{near}`? {allowed}" if near else allowed
        yield Finding(key, f'"{shorten(name)}" names no provider', hint)
    elif provider not in known:
        near = nearest(provider, known)
        meant = f"did you mean `{shorten(f'{near}/{model_id}')}`?" if near else ""
        message = f'no provider named "{shorten(provider)}"'
        yield Finding(key, message, meant or "list them with `openclaude models`")
    elif provider in UNUSABLE:
        why, _, hint = UNUSABLE[provider].partition("; ")
        yield Finding(key, f"`{provider}/` {why}", hint)
    else:
        yield Finding(key, f'"{shorten(name)}" names no model', allowed)


def unknown_model(key: Key, provider: str, model_id: str, catalog: Catalog) -> Finding:
    """An id that the map does not have as a chat model of its provider."""
    near = [f"`{provider}/{one}`" for one in catalog.nearest(model_id, provider=provider)]
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return Finding(
        key,
        f'no chat model named "{shorten(f"{provider}/{model_id}")}" in LiteLLM\'s map',
        f"{meant}a model that is not in the map needs `context_window` and `max_output_tokens`",
    )


def check_limits(
    key: Key, tier: Mapping[str, Any], region: str, catalog: Catalog
) -> Iterator[Finding]:
    """The cap is the map's or lower; where the map has no number, the profile gives one."""
    provider, model_id, region = split_model(tier["model"], region)
    model = catalog.find(provider, model_id, region) if provider else None
    if model is None:
        return
    asked = tier.get("max_output_tokens")
    cap = model.max_output_tokens
    if cap and isinstance(asked, int) and asked > cap:
        yield Finding((*key, "max_output_tokens"), f"is at most {cap} for this model, not {asked}")
    for name, known in zip(LIMITS, limits(model), strict=True):
        if not known and name not in tier:
            yield Finding(
                (*key, name), "is missing", "LiteLLM's map has no number for this model: write one"
            )


def limits(model: Model) -> tuple[int, int]:
    """What the map knows of a model's limits, in the order of LIMITS; 0 for unknown."""
    return model.max_output_tokens, model.max_input_tokens
