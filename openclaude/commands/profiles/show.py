"""`openclaude profiles show`: one profile with everything merged in, and where each value is from.

Knows: how values and their origins look. Independent of: the rules of a profile.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from openclaude.output import Result
from openclaude.terminal.screen import find_screen
from openclaude.terminal.tables import table

if TYPE_CHECKING:
    from openclaude.models.catalog import Model
    from openclaude.profile.library import Library
    from openclaude.profile.read.loaded import Loaded


def show_profile(library: Library, name: str, env: Mapping[str, str]) -> Result:
    """A profile with everything merged in, and where each value comes from."""
    loaded = library.load(name, env=env)
    values = loaded.profile.model_dump(mode="json", by_alias=True)
    known = map_values(library, loaded)
    rows = [
        (
            key,
            json.dumps(known.get(key, value), ensure_ascii=False),
            origin_text(loaded, key, known),
        )
        for key, value in flat(values)
        if key in known or value not in (None, "", [], {})
    ]
    data = {
        "name": name,
        "values": values,
        "from_map": known,
        "origins": {key: origin.as_data() for key, origin in loaded.provenance.items()},
        "sources": [
            {"name": source.name, "path": str(source.path), "sha256": source.sha256}
            for source in loaded.sources
        ],
    }
    return Result(
        text=table(("KEY", "VALUE", "FROM"), rows, find_screen(sys.stdout, env)), data=data
    )


def flat(values: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Every value of nested tables with its dotted key."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def map_values(library: Library, loaded: Loaded) -> Mapping[str, object]:
    """The limits that come from LiteLLM's map."""
    known: dict[str, object] = {}
    for name, tier in loaded.profile.tiers.items():
        if tier.is_claude:
            continue
        model = find_model(library, tier.model, loaded.profile.region_of(name))
        if model is None:
            continue  # the profile says all there is to know of it
        for key, own, found in (
            ("max_output_tokens", tier.max_output_tokens, model.max_output_tokens),
            ("context_window", tier.context_window, model.max_input_tokens),
            ("vision", tier.vision, model.vision),
        ):
            if own is None:
                known[f"tiers.{name}.{key}"] = found
    return known


def find_model(library: Library, name: str, region: str | None) -> Model | None:
    """LiteLLM's entry for a model, if there is one."""
    try:
        return library.catalog.find_model(name, region)
    except LookupError:
        return None


def origin_text(loaded: Loaded, key: str, known: Mapping[str, object]) -> str:
    """Where a value comes from, for the table."""
    return "LiteLLM's map" if key in known else str(loaded.provenance[key])
