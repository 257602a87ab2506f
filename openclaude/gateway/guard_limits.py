"""What a slot's model can take, read from the deployments of a LiteLLM router.

Knows: the keys of `model_info` and the form of a router's fallbacks. Refuses to know: LiteLLM as a
library, and what is done with a limit. Pure.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Providers that LiteLLM asks with Anthropic's own API: the body arrives as it was sent (measured)
NATIVE = frozenset(
    {"anthropic", "deepseek", "minimax", "cortecs", "edenai", "meta", "prism", "sail", "tencent"}
)
# Providers that refuse a conversation whose thoughts did not come back to them (reported for
# DeepSeek from V3.2 on), and that can be told not to think
THOUGHTS_DUE = frozenset({"deepseek"})
# Providers for which LiteLLM drops the wish for a formatted answer in silence (measured); those
# that speak Anthropic's API get it as it is, and few of them know the key
FORMATLESS = frozenset(
    {"amazon_nova", "featherless_ai", "maritalk", "morph", "snowflake", "v0", "volcengine", "zai"}
)
# Providers for which LiteLLM makes a stored copy of everything before a cache mark: two calls
# more, and a bill for every hour it is kept (measured; they find repeated beginnings themselves)
STORES = frozenset({"gemini", "vertex_ai"})
# Providers that get a PDF as one; to all others LiteLLM sends it as an image, which they refuse, in
# this turn and in every later one (measured for eleven of them)
GET_PDF = frozenset({"bedrock", "gemini", "vertex_ai", "anthropic"})
# Providers for which LiteLLM drops an image in silence, whatever the model can (measured)
BLIND = frozenset({"docker_model_runner", "heroku", "publicai", "sambanova"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a slot's model can take; the defaults are what any model can."""

    max_output_tokens: int = 4096
    vision: bool = False
    pdf: bool = False
    reasoning: bool = False
    native: bool = False  # a provider that gets Anthropic's body itself
    thoughts_due: bool = False
    formatless: bool = False
    stores_marked: bool = False
    notice: str = ""  # to be said where the model answers in place of another


def slot_limits(
    slot_id: object,
    deployments: Iterable[Mapping[str, Any]],
    fallbacks: Iterable[Mapping[str, Any]],
) -> Limits:
    """What every model behind a slot can take.

    A request is fitted once, before LiteLLM chooses, so it must suit every model it may choose.
    """
    groups = [slot_id, *fallbacks_of(slot_id, fallbacks)]
    limits = [
        read_limits(deployment.get("model_info") or {}, model_of(deployment))
        for deployment in deployments
        if deployment.get("model_name") in groups
    ]
    return functools.reduce(narrower, limits) if limits else Limits()


def fallbacks_of(slot_id: object, fallbacks: Iterable[Mapping[str, Any]]) -> list[object]:
    """The model groups that LiteLLM tries when a slot fails; they get the same request."""
    return [group for entry in fallbacks for group in entry.get(str(slot_id)) or []]


def model_of(deployment: Mapping[str, Any]) -> str:
    """A deployment's model in LiteLLM's words, provider first."""
    model = (deployment.get("litellm_params") or {}).get("model")
    return model if isinstance(model, str) else ""


def read_limits(info: Mapping[str, Any], model: str = "") -> Limits:
    """A deployment's `model_info`, as compile writes it, and what its provider is known for."""
    cap = info.get("max_output_tokens")
    provider = model.partition("/")[0]
    native = provider in NATIVE or "/v1/messages" in (info.get("supported_endpoints") or ())
    return Limits(
        max_output_tokens=cap if isinstance(cap, int) and cap > 0 else Limits().max_output_tokens,
        vision=info.get("supports_vision") is True and provider not in BLIND,
        pdf=info.get("supports_pdf_input") is True and provider in GET_PDF,
        reasoning=info.get("supports_reasoning") is True,
        native=native,
        thoughts_due=provider in THOUGHTS_DUE,
        formatless=(native and "claude" not in model) or provider in FORMATLESS,
        stores_marked=provider in STORES,
        notice=str(info.get("openclaude_notice") or ""),
    )


def narrower(one: Limits, other: Limits) -> Limits:
    """What both can take."""
    return Limits(
        max_output_tokens=min(one.max_output_tokens, other.max_output_tokens),
        vision=one.vision and other.vision,
        pdf=one.pdf and other.pdf,
        reasoning=one.reasoning and other.reasoning,
        native=one.native or other.native,
        thoughts_due=one.thoughts_due or other.thoughts_due,
        formatless=one.formatless or other.formatless,
        stores_marked=one.stores_marked or other.stores_marked,
    )
