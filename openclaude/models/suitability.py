"""Which models suit a tier, the best first.

Knows: what claude uses a tier for. Independent of: how good a model's answers are, which no map
tells; today's date, which is asked for.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from openclaude.models.catalog import Model
from openclaude.models.readiness import is_tier_ready

SMALL_JOBS = "haiku"
TIERS = ("opus", "sonnet", SMALL_JOBS, "fable")
# A request of claude's is mostly prompt: files, instructions, what was said before
PROMPT_SHARE = 10
LONG_WINDOW = 200_000  # what claude expects of its own models
WHY = dict.fromkeys(
    TIERS,
    "those that think, see, cache and have a window of 200000 tokens first, then the cheapest",
)
WHY[SMALL_JOBS] = "the cheapest first: titles, summaries and searches are many and small"


def suitable(models: Iterable[Model], tier: str, today: datetime.date) -> list[Model]:
    """The models that can serve a tier, the best first."""
    ready = [model for model in models if is_tier_ready(model, today)]
    return sorted(ready, key=lambda model: (lacks(model, tier), *costs(model), model.name))


def lacks(model: Model, tier: str) -> int:
    """How many of the things that the main work needs a model does not have."""
    if tier == SMALL_JOBS:
        return 0
    has = (model.reasoning, model.vision, model.caching, model.max_input_tokens >= LONG_WINDOW)
    return len(has) - sum(has)


def costs(model: Model) -> tuple[bool, float]:
    """What a usual request costs; behind those, models whose price is nothing or unknown.

    In the map, 0 stands for subscriptions and trials too.
    """
    cost = (model.input_cost or 0.0) * PROMPT_SHARE + (model.output_cost or 0.0)
    return cost <= 0, cost
