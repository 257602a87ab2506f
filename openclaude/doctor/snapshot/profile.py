"""The snapshot of the profile: its content, its plan, its mistakes.

Knows: how a profile is loaded and compiled. Independent of: what its mistakes mean for a launch.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING

from openclaude import __version__
from openclaude.doctor.snapshot.world import ProfileSeen
from openclaude.errors import OpenclaudeError
from openclaude.paths import Places
from openclaude.profile.names import check_name, default_profile_name

if TYPE_CHECKING:
    from openclaude.compile.resolve import Resolution


def look_at_profile(name: str | None, places: Places, env: Mapping[str, str]) -> ProfileSeen:
    """The profile `name`, or the default; with its mistakes where it is not valid."""
    try:
        meant = check_name(name) if name is not None else default_profile_name(env, places)
    except OpenclaudeError as error:
        return ProfileSeen(name or "", errors=error.diagnostics)
    try:
        return load(meant, places, env)
    except OpenclaudeError as error:
        return ProfileSeen(meant, errors=error.diagnostics)


def load(name: str, places: Places, env: Mapping[str, str]) -> ProfileSeen:
    """A valid profile, compiled. Raises what loading and compiling raise."""
    from openclaude.compile.compiler import compile_plan
    from openclaude.compile.disclosure import disclose
    from openclaude.compile.resolve import resolve
    from openclaude.models.catalog import Catalog
    from openclaude.profile.library import Library
    from openclaude.profile.validate.warnings import find_warnings

    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    loaded = library.load(name, env=env)
    profile = loaded.profile
    today = datetime.datetime.now(tz=datetime.UTC).date()
    warnings = find_warnings(loaded, catalog, today)
    resolution = resolve(name, profile, catalog.find)
    bedrock, others = models(resolution)
    return ProfileSeen(
        name,
        warnings=warnings,
        plan=compile_plan(name, profile, catalog.find, made_by=__version__),
        auth=profile.anthropic.auth,
        description=profile.description or "",
        sources=tuple(str(source.path) for source in loaded.sources),
        bedrock=bedrock,
        bedrock_key=profile.aws.api_key or "",
        others=others,
        endpoint_url=profile.aws.endpoint_url or "",
        search=resolution.search.address if resolution.search else "",
        addresses={one.model: one.api_base for one in resolution.deployments if one.api_base},
        disclosures=tuple(one.sentence for one in disclose(resolution)),
    )


def models(resolution: Resolution) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Bedrock's models with their regions, then the models of others; each once."""
    from openclaude.contracts.references import BEDROCK

    asked = resolution.deployments if resolution.has_providers else ()
    bedrock = dict.fromkeys((one.model_id, one.region) for one in asked if one.provider == BEDROCK)
    others = dict.fromkeys(one.model for one in asked if one.provider != BEDROCK)
    return tuple(bedrock), tuple(others)
