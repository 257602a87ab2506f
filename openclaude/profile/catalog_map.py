"""LiteLLM's model map: its rows, under the names a profile writes.

Knows: where the map is and how it names providers and models. Refuses to know: what a row says.
The map is read as a file; importing LiteLLM would cost seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from openclaude.errors import OpenclaudeError

MAP_NAME = "model_prices_and_context_window_backup.json"
# Beside the map: what each provider can do, and those that need no code of their own.
ENDPOINTS_NAME = "provider_endpoints_support_backup.json"
COMPATIBLE_NAME = "llms/openai_like/providers.json"

MODES = frozenset({"chat", "responses"})  # LiteLLM turns a chat into a response where it must
ENDPOINTS = ("chat_completions", "messages", "responses")
REGIONAL = re.compile(r"bedrock/([a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})/([^/]+)")
# Azure's prices by data zone; what follows `azure/` in a profile is a deployment, never a zone.
ZONAL = re.compile(r"azure/(us|eu|apac|us-gov|global|global-standard)/([^/]+)")
# A second route to the same models, and the provider under which the map has them.
SHARED = {
    "ai21_chat": "ai21",
    "cohere": "cohere_chat",
    "ollama_chat": "ollama",
    "sagemaker_chat": "sagemaker",
    "vertex_ai_beta": "vertex_ai",
    "watsonx_text": "watsonx",
}
# Named in LiteLLM's tables, and refused by LiteLLM 1.106.2 when a request names them.
NOT_SERVED = frozenset(
    {
        *("anyscale", "coralbricks", "inferenceapis", "microsoft_365_copilot"),
        *("nanogpt", "openinfer", "scaledown", "venice"),
    }
)
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
    """Where LiteLLM's map is, without importing LiteLLM."""
    spec = find_spec("litellm")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise CatalogMissing("LiteLLM is not installed")
    return Path(folders[0]) / MAP_NAME


def read_table(path: Path) -> Mapping[str, Row]:
    """The rows of one of LiteLLM's tables by name."""
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CatalogMissing(f"{path}: {error}") from error
    if not isinstance(rows, dict):
        raise CatalogMissing(f"{path}: not a table of models")
    return {name: row for name, row in rows.items() if isinstance(row, dict)}


def index(rows: Mapping[str, Row]) -> Rows:
    """The chat models by provider and id, and their regional rows."""
    found = Rows({}, {})
    for name, row in rows.items():
        provider = own_provider(row)
        if row.get("mode") not in MODES or provider in NOT_SERVED or NO_MODELS.fullmatch(name):
            continue
        match = REGIONAL.fullmatch(name) or ZONAL.fullmatch(name)
        if match:
            found.regional.setdefault((provider, match[2]), {})[match[1]] = row
        elif model_id := own_id(name, provider):
            known = found.base.setdefault((provider, model_id), [])
            # Requests to Bedrock are made under the bare id, the others' under the full name.
            known.insert(0 if ("/" in name) != (provider == "bedrock") else len(known), row)
    return found


def own_provider(row: Row) -> str:
    """The provider of a row, as a profile names it."""
    name = str(row.get("litellm_provider", ""))
    return "vertex_ai" if name.startswith("vertex_ai-") else name.removesuffix("_converse")


def own_id(name: str, provider: str) -> str:
    """What a profile writes after `PROVIDER/`; "" for what is no id."""
    first, slash, rest = name.partition("/")
    if not slash or first.replace("-", "_") != provider.replace("-", "_"):
        return name
    # else a commitment's price, or another route than Converse
    return "" if provider == "bedrock" and "/" in rest else rest


def read_providers(folder: Path) -> Iterator[str]:
    """The providers of LiteLLM that can chat, whether or not the map has models of theirs."""
    if (folder / ENDPOINTS_NAME).exists():
        known = read_table(folder / ENDPOINTS_NAME).get("providers", {})
        yield from (name for name, row in known.items() if can_chat(row) and "/" not in name)
    if (folder / COMPATIBLE_NAME).exists():
        yield from read_table(folder / COMPATIBLE_NAME)


def can_chat(row: Row) -> bool:
    """Whether a provider has one of the endpoints that LiteLLM can make a conversation of."""
    endpoints = row.get("endpoints", {})
    return any(endpoints.get(name) for name in ENDPOINTS)
