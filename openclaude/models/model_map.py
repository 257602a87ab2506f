"""LiteLLM's model map: its rows, under the names a profile writes.

Knows: where the map is and how it names providers and models. Independent of: what a row says.
The map is read as a file; importing LiteLLM would cost seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.contracts.references import BEDROCK
from openclaude.errors import OpenclaudeError

MAP_NAME = "model_prices_and_context_window_backup.json"

MODES = frozenset({"chat", "responses"})  # LiteLLM turns a chat into a response where it must
REGIONAL = re.compile(r"bedrock/([a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})/([^/]+)")
# Azure's prices by data zone; what follows `azure/` in a profile is a deployment, never a zone.
ZONAL = re.compile(r"azure/(us|eu|apac|us-gov|global|global-standard)/([^/]+)")
# Rows of mode `chat` that price something else: a sandbox, a class of sizes.
NO_MODELS = re.compile(r"(?:openai|azure)/container|together-ai-.*")

Row = Mapping[str, Any]
Key = tuple[str, str]  # (provider, id)


class Rows(NamedTuple):
    """The chat models of the map; of several rows of one model, the deciding one is first."""

    base: dict[Key, list[Row]]
    regional: dict[Key, dict[str, Row]]  # then by region


class CatalogMissing(OpenclaudeError):
    """LiteLLM's model map is not where it belongs."""

    code = "catalog-missing"

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot read LiteLLM's model map: {why}", hint="reinstall openclaude")


def find_map() -> Path:
    """Where LiteLLM's map is, without importing LiteLLM. Raises CatalogMissing."""
    spec = find_spec("litellm")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise CatalogMissing("LiteLLM is not installed")
    return Path(folders[0]) / MAP_NAME


def read_table(path: Path) -> Mapping[str, Row]:
    """The rows of one of LiteLLM's tables by name. Raises CatalogMissing."""
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CatalogMissing(f"{path}: {error}") from error
    if not isinstance(rows, dict):
        raise CatalogMissing(f"{path}: not a table of models")
    return {name: row for name, row in rows.items() if isinstance(row, dict)}


def index(rows: Mapping[str, Row], served: Collection[str]) -> Rows:
    """The chat models of the providers that are served, by provider and id; their regional rows."""
    found = Rows({}, {})
    for name, row in rows.items():
        provider = own_provider(row)
        if row.get("mode") not in MODES or provider not in served or NO_MODELS.fullmatch(name):
            continue
        match = REGIONAL.fullmatch(name) or ZONAL.fullmatch(name)
        if match:
            found.regional.setdefault((provider, match[2]), {})[match[1]] = row
        elif model_id := own_id(name, provider):
            known = found.base.setdefault((provider, model_id), [])
            # Requests to Bedrock are made under the bare id, the others' under the full name.
            known.insert(0 if ("/" in name) != (provider == BEDROCK) else len(known), row)
    return found


def own_provider(row: Row) -> str:
    """The provider of a row, as a profile names it."""
    name = str(row.get("litellm_provider", ""))
    return "vertex_ai" if name.startswith("vertex_ai-") else name.removesuffix("_converse")


def own_id(name: str, provider: str) -> str:
    """What a profile writes after `PROVIDER/`; "" if it is not an id."""
    first, slash, rest = name.partition("/")
    if not slash or first.replace("-", "_") != provider.replace("-", "_"):
        return name
    # else a commitment's price, or another route than Converse
    return "" if provider == BEDROCK and "/" in rest else rest
