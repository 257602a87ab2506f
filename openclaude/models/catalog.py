"""The catalogue: what is known of a model, from the map bundled with LiteLLM.

Knows: windows, caps, abilities, prices. Independent of: profiles. The map is third-party data, not
from the provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from openclaude.contracts.references import BEDROCK, split_model
from openclaude.models.model_map import (
    Row,
    Rows,
    find_map,
    index,
    read_table,
)
from openclaude.models.nearest import find_nearest
from openclaude.models.prices import PriceStep, read_prices
from openclaude.providers.bedrock import is_arn, read_arn, split_prefix
from openclaude.providers.known import known_providers
from openclaude.providers.table import find_provider

CACHING = ("supports_prompt_caching", "cache_read_input_token_cost")
STRUCTURED = ("supports_response_schema", "supports_native_structured_output")


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
    cache_write_cost: float | None = None
    steps: tuple[PriceStep, ...] = ()  # prices that depend on the prompt's size
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
        return index(read_table(self.path), known_providers())

    def models(self, provider: str = "") -> Iterator[Model]:
        """Every model, or every model of one provider, by provider and id."""
        owner = find_provider(provider).models_of
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
        if provider == BEDROCK and is_arn(model_id):
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
        """The model that a valid profile calls `PROVIDER/ID`. Raises LookupError."""
        named = split_model(name)
        model = self.find(named.provider, named.model_id, named.region or region)
        if model is None:
            raise LookupError(f"no chat model named {name!r} in {self.path}")
        return model

    def _base(self, provider: str, model_id: str) -> list[Row]:
        return self._rows.base.get((find_provider(provider).models_of, model_id), [])

    def _regional(self, provider: str, model_id: str) -> dict[str, Row]:
        return self._rows.regional.get((find_provider(provider).models_of, model_id), {})

    def _rows_of(self, provider: str, model_id: str, region: str | None) -> list[Row]:
        """The rows that describe the model, the deciding one first."""
        by_region = self._regional(provider, model_id)
        own = [by_region[region]] if region and region in by_region else []
        own += self._base(provider, model_id)
        if not own:
            return [by_region[name] for name in sorted(by_region)]
        prefix, bare = split_prefix(model_id)
        # `us.MODEL` is MODEL too, and its row may know a smaller cap
        return own + (self._base(provider, bare) if prefix and provider == BEDROCK else [])

    def prefixed_ids(self, provider: str, model_id: str) -> tuple[str, ...]:
        """The ids of the cross-region profiles of a model."""
        return self._prefixed.get(model_id, ()) if provider == BEDROCK else ()

    @cached_property
    def _prefixed(self) -> dict[str, tuple[str, ...]]:
        """The ids of Bedrock's cross-region profiles, by the model's own id."""
        ids: dict[str, tuple[str, ...]] = {}
        for provider, model_id in sorted(self._rows.base):
            prefix, bare = split_prefix(model_id)
            if prefix and provider == BEDROCK:
                ids[bare] = (*ids.get(bare, ()), model_id)
        return ids

    def _model(
        self, provider: str, model_id: str, rows: list[Row], prefixed: tuple[str, ...] = ()
    ) -> Model:
        row = rows[0]
        prices = read_prices(row)
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
            input_cost=prices.input,
            output_cost=prices.output,
            cached_cost=prices.cached,
            cache_write_cost=prices.cache_write,
            steps=prices.steps,
            deprecation_date=str(row.get("deprecation_date", "")),
            regions=tuple(sorted(self._regional(provider, model_id))),
            prefixed=prefixed,
        )

    def nearest(self, name: str, *, provider: str = BEDROCK) -> tuple[str, ...]:
        """Up to three ids that `name` was probably meant to be, the likeliest first."""
        owner = find_provider(provider).models_of
        keys = {*self._rows.base, *self._rows.regional}
        return find_nearest(name, (model_id for one, model_id in keys if one == owner))


def smallest(rows: list[Row], key: str) -> int:
    """The smallest number the rows give for `key`; 0 where none does."""
    numbers = [row.get(key) or row.get("max_tokens") for row in rows]
    return min((number for number in numbers if isinstance(number, int)), default=0)
