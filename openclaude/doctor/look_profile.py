"""Looking at the profile: what it says, what it becomes, what is wrong with it.

Knows: how a profile is loaded and compiled. Refuses to know: what its mistakes mean for a launch.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING

from openclaude import __version__
from openclaude.doctor.world import Wanted
from openclaude.errors import OpenclaudeError
from openclaude.places import Places
from openclaude.profile.names import check_name, default_profile_name

if TYPE_CHECKING:
    from openclaude.compile.resolve import Resolution


def look_at_profile(name: str | None, places: Places, env: Mapping[str, str]) -> Wanted:
    """The profile `name`, or the default; with its mistakes where it is not valid."""
    try:
        meant = check_name(name) if name is not None else default_profile_name(env, places)
    except OpenclaudeError as error:
        return Wanted(name or "", errors=tuple(error.entries()))
    try:
        return load(meant, places, env)
    except OpenclaudeError as error:
        return Wanted(meant, errors=tuple(error.entries()))


def load(name: str, places: Places, env: Mapping[str, str]) -> Wanted:
    """A valid profile, compiled. Raises what loading and compiling raise."""
    from openclaude.compile.compiler import compile_plan
    from openclaude.compile.resolve import resolve
    from openclaude.profile.advice import find_warnings
    from openclaude.profile.catalog import Catalog
    from openclaude.profile.library import Library

    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    loaded = library.load(name, env=env)
    profile = loaded.profile
    today = datetime.datetime.now(tz=datetime.UTC).date()
    warnings = find_warnings(loaded, catalog, today)
    bedrock, others = models(resolve(name, profile, catalog.find))
    return Wanted(
        name,
        warnings=tuple(warning.entry("profile-warning") for warning in warnings),
        plan=compile_plan(name, profile, catalog.find, made_by=__version__),
        auth=profile.anthropic.auth,
        description=profile.description or "",
        sources=tuple(str(source.path) for source in loaded.sources),
        bedrock=bedrock,
        others=others,
        endpoint_url=profile.aws.endpoint_url or "",
    )


def models(resolution: Resolution) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Bedrock's models with their regions, then the models of others; each once."""
    from openclaude.compile.resolve import CONVERSE
    from openclaude.profile.providers import BEDROCK

    bedrock = dict.fromkeys(
        (one.litellm_model.removeprefix(CONVERSE), one.region)
        for one in resolution.deployments
        if one.provider == BEDROCK
    )
    others = dict.fromkeys(one.model for one in resolution.deployments if one.provider != BEDROCK)
    return tuple(bedrock), tuple(others)
