"""Who searches the web for slots: the engine that a profile names, its address, its key.

Knows: profiles, engines. Independent of: models, LiteLLM's config. Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from openclaude.compile.secret_variables import Secrets
from openclaude.contracts.references import parse_secret
from openclaude.profile.schema import Profile
from openclaude.providers.search import ENGINES, SearchEngine


class WebSearch(NamedTuple):
    """Who searches the web for slots."""

    engine: SearchEngine
    api_base: str  # of the profile; "" for the engine's own
    api_key: str  # the variable of `providers` that holds it, or ""

    @property
    def address(self) -> str:
        """Where the words to search for go."""
        return self.api_base or self.engine.address


def resolve_search(profile: Profile, secrets: Secrets) -> WebSearch | None:
    """The engine that searches for slots; None if Claude does, or nobody."""
    asked = profile.search
    if asked.with_ not in ENGINES:
        return None
    engine = ENGINES[asked.with_]
    own = f"env:{engine.key}" if engine.key and not asked.api_base else None
    key = asked.api_key or own
    variable = secrets.variable(parse_secret(key)) if key else ""
    return WebSearch(engine, (asked.api_base or "").rstrip("/"), variable)
