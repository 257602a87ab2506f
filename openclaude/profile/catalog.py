"""The catalogue: what is known of a model, from the map bundled with LiteLLM.

Knows: windows, caps, abilities, prices. Refuses to know: profiles. It reads the map as a file;
importing LiteLLM would cost seconds. The map is a third party's table, not the provider's word.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from openclaude.errors import OpenclaudeError

MAP_NAME = "model_prices_and_context_window_backup.json"
CHAT = "chat"
REGIONAL = re.compile(r"bedrock/([a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})/([^/]+)")
# A cross-region inference profile: `us.MODEL` is MODEL, served from several regions.
PREFIXED = re.compile(r"(global|us|us-gov|eu|apac|jp|au|in|ca|sa|me|af)\.(.+)")

Row = Mapping[str, Any]
Base = dict[tuple[str, str], Row]  # (provider, id)
Regional = dict[tuple[str, str], dict[str, Row]]  # (provider, id), then region


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
    input_cost: float | None = None  # US dollars per token
    output_cost: float | None = None
    deprecation_date: str = ""  # ISO, or "" where none is announced
    regions: tuple[str, ...] = ()  # those with a row of their own; absence says nothing
    prefixed: tuple[str, ...] = ()  # the only ids listed, where the bare one is not


class CatalogMissing(OpenclaudeError):
    """LiteLLM's model map is not where it belongs."""

    code = "catalog-missing"

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot read LiteLLM's model map: {why}", hint="reinstall openclaude")


class Catalog:
    """The map at `path`, looked up by provider, id and region; it is read at the first look-up."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def load(cls, path: Path) -> Catalog:
        """The catalogue of the map at `path`, read now."""
        catalog = cls(path)
        catalog._base  # noqa: B018 - reads the map, or says why it cannot
        return catalog

    @classmethod
    def bundled(cls) -> Catalog:
        """The catalogue of the installed LiteLLM."""
        return cls(find_map())

    @cached_property
    def _rows_by_name(self) -> tuple[Base, Regional]:
        return index(read_map(self.path))

    @property
    def _base(self) -> Base:
        return self._rows_by_name[0]

    @property
    def _regional(self) -> Regional:
        return self._rows_by_name[1]

    def find(self, provider: str, model_id: str, region: str | None = None) -> Model | None:
        """The model, or None if the map has no chat model of that id.

        Its row is the region's, else the base one. Where rows disagree about the window or the
        cap, the smaller number holds: a request that is too large fails, a smaller one works.
        """
        rows = self._rows(provider, model_id, region)
        if rows:
            return self._model(provider, model_id, rows)
        prefixed = self.prefixed_ids(provider, model_id)
        rows = [self._base[(provider, name)] for name in prefixed]
        return self._model(provider, model_id, rows, prefixed) if rows else None

    def find_model(self, name: str, region: str | None = None) -> Model:
        """The model that a valid profile calls `PROVIDER/ID`."""
        provider, _, model_id = name.partition("/")
        model = self.find(provider, model_id, region)
        if model is None:
            raise LookupError(f"no chat model named {name!r} in {self.path}")
        return model

    def _rows(self, provider: str, model_id: str, region: str | None) -> list[Row]:
        """The rows that describe the model, the deciding one first."""
        by_region = self._regional.get((provider, model_id), {})
        cross_region = PREFIXED.fullmatch(model_id)
        own = [
            by_region.get(region or ""),
            self._base.get((provider, model_id)),
            # `us.MODEL` is MODEL too, and its row may know a smaller cap
            self._base.get((provider, cross_region[2])) if cross_region else None,
        ]
        if own[0] or own[1]:
            return [row for row in own if row]
        return [by_region[name] for name in sorted(by_region)]

    def prefixed_ids(self, provider: str, model_id: str) -> tuple[str, ...]:
        """The ids of the cross-region profiles of a model."""
        known = (name for owner, name in self._base if owner == provider)
        matches = ((name, PREFIXED.fullmatch(name)) for name in known)
        return tuple(sorted(name for name, match in matches if match and match[2] == model_id))

    def _model(
        self, provider: str, model_id: str, rows: list[Row], prefixed: tuple[str, ...] = ()
    ) -> Model:
        row = rows[0]
        return Model(
            provider=provider,
            id=model_id,
            max_input_tokens=smallest(rows, "max_input_tokens"),
            max_output_tokens=smallest(rows, "max_output_tokens"),
            vision=bool(row.get("supports_vision")),
            pdf=bool(row.get("supports_pdf_input")),
            tools=bool(row.get("supports_function_calling")),
            reasoning=bool(row.get("supports_reasoning")),
            caching=bool(row.get("supports_prompt_caching")),
            input_cost=row.get("input_cost_per_token"),
            output_cost=row.get("output_cost_per_token"),
            deprecation_date=str(row.get("deprecation_date", "")),
            regions=tuple(sorted(self._regional.get((provider, model_id), ()))),
            prefixed=prefixed,
        )

    def nearest(self, name: str, *, provider: str = "bedrock") -> tuple[str, ...]:
        """Up to three ids that `name` was probably meant to be, the likeliest first."""
        known = [model_id for owner, model_id in self._base if owner == provider]
        close = difflib.get_close_matches(name, known, 3, 0.6)
        holding = sorted((one for one in known if name and name in one), key=len)
        return tuple(dict.fromkeys([*close, *holding]))[:3]


def read_map(path: Path) -> Mapping[str, Row]:
    """The rows of the map by name."""
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CatalogMissing(f"{path}: {error}") from error
    if not isinstance(rows, dict):
        raise CatalogMissing(f"{path}: not a table of models")
    return {name: row for name, row in rows.items() if isinstance(row, dict)}


def index(rows: Mapping[str, Row]) -> tuple[Base, Regional]:
    """The chat models by provider and id, and their regional rows."""
    base: Base = {}
    regional: Regional = {}
    for name, row in rows.items():
        if row.get("mode") != CHAT:
            continue
        provider = str(row.get("litellm_provider", "")).removesuffix("_converse")
        match = REGIONAL.fullmatch(name)
        if match:
            regional.setdefault((provider, match[2]), {})[match[1]] = row
        elif not name.startswith("bedrock/"):  # else a commitment's or another route's price
            base[(provider, name.removeprefix(f"{provider}/"))] = row
    return base, regional


def smallest(rows: list[Row], key: str) -> int:
    """The smallest number the rows give for `key`; 0 where none does."""
    numbers = [row.get(key) or row.get("max_tokens") for row in rows]
    return min((number for number in numbers if isinstance(number, int)), default=0)


def find_map() -> Path:
    """Where LiteLLM's map is, without importing LiteLLM."""
    spec = find_spec("litellm")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise CatalogMissing("LiteLLM is not installed")
    return Path(folders[0]) / MAP_NAME
