"""`openclaude usage --managed-settings`: claude's `modelPricing`, with the prices of slots.

Knows: the setting's form (from claude's own schema), and that claude prices a reply by the id it
asked for, not by the model that the reply names (measured with 2.1.330).
Independent of: where prices come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.contracts.plan import Plan
from openclaude.contracts.routing import ModelPrices, RoutingTable, routing_in
from openclaude.errors import UsageError

MILLION = 1_000_000
MOST = 10_000  # dollars for a million tokens, which claude takes
KEY = "modelPricing"


def managed_settings(plan: Plan) -> dict[str, Any]:
    """The setting for an administrator's file. Raises UsageError if no price is known."""
    main = next(unit for unit in plan.units if unit.name == "main")
    table = routing_in(main.environment)
    overrides = {
        tier.behaves_as or tier.slot: rates(prices)
        for tier in plan.tiers
        if tier.slot and (prices := known_prices(tier.model, table)) is not None
    }
    if not overrides:
        raise UsageError(
            f"no slot of the profile `{plan.profile}` has a known price",
            hint="write `input_cost_per_token` and `output_cost_per_token` into the tier's "
            f"`params`, or name another profile: `openclaude usage NAME --{'managed-settings'}`",
        )
    return {KEY: {"overrides": overrides}}


def known_prices(model: str, table: RoutingTable) -> ModelPrices | None:
    """The prices of a tier's own model; None if they are not known, or are Claude's own anyway."""
    found = table.models.get(model)
    return found if found and found.input is not None and found.output is not None else None


def rates(prices: ModelPrices) -> Mapping[str, float]:
    """Dollars for a million tokens; without a price of their own, those of a cache cost as others.

    claude knows no steps: a model that costs more for a large prompt has the price of a small one.
    """
    read = prices.input if prices.cache_read is None else prices.cache_read
    write = prices.input if prices.cache_write is None else prices.cache_write
    each = {
        "input": prices.input,
        "output": prices.output,
        "cacheRead": read,
        "cacheWrite": write,
    }
    return {name: min(round((price or 0.0) * MILLION, 6), MOST) for name, price in each.items()}
