"""Who searches the web: which of the keys of `[search]` fit together.

Knows: what each engine needs. Independent of: tiers, files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.contracts.references import CLAUDE
from openclaude.diagnostics import Diagnostic
from openclaude.profile.mistakes import mistake
from openclaude.providers.search import ENGINES

WITH = ("search", "with")


def find_search_mistakes(profile: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Every key of `[search]` that its engine lacks or has no use for."""
    search = profile.get("search")
    if not isinstance(search, Mapping):
        return
    name = search.get("with", CLAUDE)
    engine = ENGINES.get(name) if isinstance(name, str) else None
    if engine is None:
        for key in ("api_base", "api_key"):
            if key in search:
                yield mistake(
                    ("search", key),
                    f'has no effect with `with = "{name}"`',
                    fix=f"name an engine ({', '.join(ENGINES)}), or remove it",
                    related=WITH,
                )
        return
    if not engine.address and "api_base" not in search:
        yield mistake(
            ("search", "api_base"),
            f"is missing: `{engine.name}` needs the address of your server",
            fix='for example `api_base = "http://127.0.0.1:8080"`',
        )
    if not engine.key and engine.address and "api_key" in search:
        yield mistake(
            ("search", "api_key"), f"has no effect: {engine.title} takes no key", fix="remove it"
        )
    if engine.key and "api_base" in search and "api_key" not in search:
        yield mistake(
            ("search", "api_key"),
            "is missing: your own `api_base` gets a key only if you say which one",
            fix='for example `api_key = "env:NAME"`',
        )
