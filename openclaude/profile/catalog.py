"""The catalogue: what is known of a model, from the map bundled with LiteLLM.

Knows: windows, caps, abilities, prices. Refuses to know: profiles. The map is a third party's
table, not the provider's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from openclaude.profile.catalog_bedrock import is_arn, read_arn, split_prefix
from openclaude.profile.catalog_map import (
    NOT_SERVED,
    SHARED,
    Row,
    Rows,
    find_map,
    index,
    read_providers,
    read_table,
)
from openclaude.profile.catalog_nearest import find_nearest

ABOVE = "input_cost_per_token_above_"
THRESHOLD = re.compile(rf"{ABOVE}([0-9]+)k_tokens")
CACHING = ("supports_prompt_caching", "cache_read_input_token_cost")
STRUCTURED = ("supports_response_schema", "supports_native_structured_output")


class Step(NamedTuple):
    """What a request costs whose prompt is longer than `above` tokens."""

    above: int
    input_cost: float | None
    output_cost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of one provider, as the map describes it in one region."""

    provider: str
    id: str
    max_input_tokens: int
    max_output_tokens: int
    vision: bool = False
    pdf: bool = False
    tools: bool = False
    reasoning: bool = False
    caching: bool = False
    structured: bool = False  # answers that follow a schema
    input_cost: float | None = None  # US dollars per token
    output_cost: float | None = None
    cached_cost: float | None = None  # of a token read from the cache
    steps: tuple[Step, ...] = ()  # prices that depend on the prompt's size
    deprecation_date: str = ""  # ISO, or "" where none is announced
    regions: tuple[str, ...] = ()  # those with a row of their own; absence says nothing
    prefixed: tuple[str, ...] = ()  # the only ids listed, where the bare one is not

    @property
    def name(self) -> str:
        """The model as a profile writes it; Anthropic's own have no provider."""
        own = self.provider == "anthropic" and self.id.startswith("claude-")
        return self.id if own else f"{self.provider}/{self.id}"


class Catalog:
    """The map at `path`, looked up by provider, id and region; it is read at the first look-up."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def load(cls, path: Path) -> Catalog:
        """The catalogue of the map at `path`, read now."""
        catalog = cls(path)
        catalog._rows  # noqa: B018 - reads the map, or says why it cannot
        return catalog

    @classmethod
    def bundled(cls) -> Catalog:
        """The catalogue of the installed LiteLLM."""
        return cls(find_map())

    @cached_property
    def _rows(self) -> Rows:
        return index(read_table(self.path))

    @cached_property
    def _providers(self) -> tuple[str, ...]:
        listed = {provider for provider, _ in (*self._rows.base, *self._rows.regional)}
        second = {name for name, first in SHARED.items() if first in listed}
        return tuple(sorted({*listed, *second, *read_providers(self.path.parent)} - NOT_SERVED))

    def providers(self) -> tuple[str, ...]:
        """Every provider that a profile may name: those that LiteLLM can hold a chat with."""
        return self._providers

    def models(self, provider: str = "") -> Iterator[Model]:
        """Every model, or every model of one provider, by provider and id."""
        owner = SHARED.get(provider, provider)
        for key in sorted({*self._rows.base, *self._rows.regional}):
            model = self.find(provider or key[0], key[1]) if owner in ("", key[0]) else None
            if model:
                yield model

    def find(self, provider: str, model_id: str, region: str | None = None) -> Model | None:
        """The model, or None if the map has no chat model of that id.

        Its row is the region's, else the base one. Where rows disagree about the window or the
        cap, the smaller number holds: a request that is too large fails, a smaller one works.
        An ARN that names a model is that model.
        """
        if provider == "bedrock" and is_arn(model_id):
            arn = read_arn(model_id)
            return self.find(provider, arn.model_id, region or arn.region) if arn else None
        rows = self._rows_of(provider, model_id, region)
        if rows:
            return self._model(provider, model_id, rows)
        prefixed = self.prefixed_ids(provider, model_id)
        rows = [row for name in prefixed for row in self._base(provider, name)]
        return self._model(provider, model_id, rows, prefixed) if rows else None

    def regional(self, model: Model) -> Iterator[tuple[str, Model]]:
        """The same model in each region that has a row of its own."""
        for region in model.regions:
            found = self.find(model.provider, model.id, region)
            if found:
                yield region, found

    def find_model(self, name: str, region: str | None = None) -> Model:
        """The model that a valid profile calls `PROVIDER/ID`."""
        provider, _, model_id = name.partition("/")
        model = self.find(provider, model_id, region)
        if model is None:
            raise LookupError(f"no chat model named {name!r} in {self.path}")
        return model

    def _base(self, provider: str, model_id: str) -> list[Row]:
        return self._rows.base.get((SHARED.get(provider, provider), model_id), [])

    def _regional(self, provider: str, model_id: str) -> dict[str, Row]:
        return self._rows.regional.get((SHARED.get(provider, provider), model_id), {})

    def _rows_of(self, provider: str, model_id: str, region: str | None) -> list[Row]:
        """The rows that describe the model, the deciding one first."""
        by_region = self._regional(provider, model_id)
        own = [by_region[region]] if region and region in by_region else []
        own += self._base(provider, model_id)
        if not own:
            return [by_region[name] for name in sorted(by_region)]
        prefix, bare = split_prefix(model_id)
        # `us.MODEL` is MODEL too, and its row may know a smaller cap
        return own + (self._base(provider, bare) if prefix and provider == "bedrock" else [])

    def prefixed_ids(self, provider: str, model_id: str) -> tuple[str, ...]:
        """The ids of the cross-region profiles of a model."""
        return self._prefixed.get(model_id, ()) if provider == "bedrock" else ()

    @cached_property
    def _prefixed(self) -> dict[str, tuple[str, ...]]:
        """The ids of Bedrock's cross-region profiles, by the model's own id."""
        ids: dict[str, tuple[str, ...]] = {}
        for provider, model_id in sorted(self._rows.base):
            prefix, bare = split_prefix(model_id)
            if prefix and provider == "bedrock":
                ids[bare] = (*ids.get(bare, ()), model_id)
        return ids

    def _model(
        self, provider: str, model_id: str, rows: list[Row], prefixed: tuple[str, ...] = ()
    ) -> Model:
        row = rows[0]
        steps = tuple(sorted(read_steps(row)))
        first = next((step for step in steps if not step.above), Step(0, None, None))
        return Model(
            provider=provider,
            id=model_id,
            max_input_tokens=smallest(rows, "max_input_tokens"),
            max_output_tokens=smallest(rows, "max_output_tokens"),
            vision=bool(row.get("supports_vision")),
            pdf=bool(row.get("supports_pdf_input")),
            tools=bool(row.get("supports_function_calling")),
            reasoning=bool(row.get("supports_reasoning")),
            caching=any(row.get(key) for key in CACHING),
            structured=any(row.get(key) for key in STRUCTURED),
            input_cost=row.get("input_cost_per_token", first.input_cost),
            output_cost=row.get("output_cost_per_token", first.output_cost),
            cached_cost=row.get("cache_read_input_token_cost"),
            steps=tuple(step for step in steps if step.above),
            deprecation_date=str(row.get("deprecation_date", "")),
            regions=tuple(sorted(self._regional(provider, model_id))),
            prefixed=prefixed,
        )

    def nearest(self, name: str, *, provider: str = "bedrock") -> tuple[str, ...]:
        """Up to three ids that `name` was probably meant to be, the likeliest first."""
        owner = SHARED.get(provider, provider)
        keys = {*self._rows.base, *self._rows.regional}
        return find_nearest(name, (model_id for one, model_id in keys if one == owner))


def smallest(rows: list[Row], key: str) -> int:
    """The smallest number the rows give for `key`; 0 where none does."""
    numbers = [row.get(key) or row.get("max_tokens") for row in rows]
    return min((number for number in numbers if isinstance(number, int)), default=0)


def read_steps(row: Row) -> Iterator[Step]:
    """The prices of a row that depend on the prompt's size, in both of the map's spellings."""
    for key in row:
        match = THRESHOLD.fullmatch(key) if key.startswith(ABOVE) else None
        if match:
            output = row.get(key.replace("input", "output", 1))
            yield Step(int(match[1]) * 1000, row[key], output)
    for tier in row.get("tiered_pricing", ()):
        above = int(tier.get("range", (0,))[0])
        yield Step(above, tier.get("input_cost_per_token"), tier.get("output_cost_per_token"))
