"""The models that a guided start offers, the likely ones first.

Knows: LiteLLM's map, which models suit the small jobs. Independent of: how they are shown or asked.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple

from openclaude.commands.guide.found import KEYED, Surroundings
from openclaude.models.catalog import Catalog, Model
from openclaude.models.readiness import is_tier_ready
from openclaude.providers.table import find_provider

# Models of the built-in profiles, which are tried with every release
FIRST = (
    "bedrock/qwen.qwen3-next-80b-a3b",
    "bedrock/qwen.qwen3-coder-next",
    "bedrock/openai.gpt-oss-120b-1:0",
    "openai/gpt-5.4-mini",
    "gemini/gemini-3-flash-preview",
    "deepseek/deepseek-v4-flash",
)
MILLION = 1_000_000
NAME_WIDTH = 34


class ModelOffer(NamedTuple):
    """A model, and whether what it needs is there."""

    model: Model
    is_ready: bool

    @property
    def line(self) -> str:
        """One line of a list: name, prices, window, what is missing."""
        name = self.model.name
        name = name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 2] + ".."
        window = f"{self.model.max_input_tokens // 1000}k"
        cost = f"${dollars(self.model.input_cost)}/{dollars(self.model.output_cost)}"
        missing = "" if self.is_ready else "  needs " + needs(self.model.provider)
        return f"{name:<{NAME_WIDTH}} {cost:>13} {window:>6}{missing}"


def needs(provider: str) -> str:
    """What a provider has to be given."""
    return "AWS" if provider == "bedrock" else find_provider(provider).key_variable


def dollars(cost: float | None) -> str:
    """US dollars per million tokens, short."""
    return "-" if cost is None else f"{cost * MILLION:.3g}"


def offers(found: Surroundings, today: datetime.date) -> list[ModelOffer]:
    """Every model that can serve a tier: ready ones first, then by name or price."""
    catalog = Catalog.bundled()
    ready = {*found.keys, *(["bedrock"] if found.aws else [])}
    listed = [
        ModelOffer(model, model.provider in ready)
        for provider in ("bedrock", *KEYED)
        for model in catalog.models(provider)
        if is_tier_ready(model, today) and model.input_cost is not None
    ]
    return sorted(listed, key=rank)


def rank(offer: ModelOffer) -> tuple[bool, int, float, str]:
    """The place of a model among the others: the smallest comes first."""
    name = offer.model.name
    place = FIRST.index(name) if name in FIRST else len(FIRST)
    return not offer.is_ready, place, offer.model.input_cost or 0.0, name
