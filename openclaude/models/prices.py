"""Prices: what a row of LiteLLM's map says of them, in both of its spellings.

Knows: the keys of prices, per token and by the size of the prompt. Independent of: everything else
of a row. US dollars; None is what the map does not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

ABOVE = "input_cost_per_token_above_"
THRESHOLD = re.compile(rf"{ABOVE}([0-9]+)k_tokens")


class PriceStep(NamedTuple):
    """What a token costs in a request whose prompt is longer than `above` tokens."""

    above: int
    input_cost: float | None
    output_cost: float | None


class Prices(NamedTuple):
    """What a token costs."""

    input: float | None
    output: float | None
    cached: float | None  # read from the cache
    cache_write: float | None
    steps: tuple[PriceStep, ...]  # where it depends on the prompt's size, the smallest first


def read_prices(row: Mapping[str, Any]) -> Prices:
    """The prices of a row of the map."""
    steps = sorted(read_steps(row))
    first = next((one for one in steps if not one.above), PriceStep(0, None, None))
    return Prices(
        input=row.get("input_cost_per_token", first.input_cost),
        output=row.get("output_cost_per_token", first.output_cost),
        cached=row.get("cache_read_input_token_cost"),
        cache_write=row.get("cache_creation_input_token_cost"),
        steps=tuple(step for step in steps if step.above),
    )


def read_steps(row: Mapping[str, Any]) -> Iterator[PriceStep]:
    """The prices of a row that depend on the prompt's size, in both of the map's spellings."""
    for key in row:
        match = THRESHOLD.fullmatch(key) if key.startswith(ABOVE) else None
        if match:
            output = row.get(key.replace("input", "output", 1))
            yield PriceStep(int(match[1]) * 1000, row[key], output)
    for tier in row.get("tiered_pricing", ()):
        above = int(tier.get("range", (0,))[0])
        yield PriceStep(above, tier.get("input_cost_per_token"), tier.get("output_cost_per_token"))
