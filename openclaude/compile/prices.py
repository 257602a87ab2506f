"""What a model's tokens cost: as the profile's `params` say, else as the catalogue does.

Knows: LiteLLM's parameters of prices. Independent of: what is done with a price. Pure.
"""

from __future__ import annotations

from typing import Any

from openclaude.contracts.routing import ModelPrices, StepPrice
from openclaude.models.catalog import Model

# LiteLLM's parameters of a model's prices, in US dollars for a token
PRICE_PARAMS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}


def find_prices(
    provider: str, region: str, model: Model, params: dict[str, Any], *, is_fallback: bool
) -> ModelPrices:
    """What a model's tokens cost: as the profile's `params` say, else as the catalogue does."""
    found = {
        "input": model.input_cost,
        "output": model.output_cost,
        "cache_read": model.cached_cost,
        "cache_write": model.cache_write_cost,
    }
    own = {
        name: float(params[key])
        for name, key in PRICE_PARAMS.items()
        if isinstance(params.get(key), int | float) and not isinstance(params[key], bool)
    }
    steps = (
        ()
        if own
        else tuple(
            StepPrice(above=step.above, input=step.input_cost, output=step.output_cost)
            for step in model.steps
        )
    )
    return ModelPrices(
        provider=provider,
        region=region,
        is_fallback=is_fallback,
        **{**found, **own},
        steps=steps,
        priced_by="profile" if own else "litellm",
    )
