"""From a profile's name to its plan: out of the cache where nothing changed, else compiled.

Knows: which files a plan was made from. Refuses to know: what is in a plan.
The warm path reads two or three small files and imports neither pydantic nor tomlkit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaude import __version__
from openclaude.compile.plan import Plan, read_plan
from openclaude.places import Places
from openclaude.run.files import FolderUnusable, private_folder, write_private

if TYPE_CHECKING:
    from openclaude.profile.library import Source

OVERRIDES = ("OPENCLAUDE_AWS_PROFILE", "OPENCLAUDE_AWS_REGION", "OPENCLAUDE_LITELLM_PORT")


def find_plan(name: str, places: Places, env: Mapping[str, str]) -> Plan:
    """The plan of the profile called `name`, under the overrides set in `env`.

    Raises what loading and compiling a profile raise.
    """
    overrides = {key: env[key] for key in OVERRIDES if env.get(key)}
    cache = cache_file(name, places, overrides)
    return cached_plan(cache, overrides) or compile_and_keep(name, places, overrides, cache)


def cache_file(name: str, places: Places, overrides: Mapping[str, str]) -> Path:
    """Where a plan is kept: one file for a profile as it is, one for the last overridden form."""
    kind = "overridden" if overrides else "plain"
    return places.cache / "plans" / f"{name}.{kind}.json"


def cached_plan(cache: Path, overrides: Mapping[str, str]) -> Plan | None:
    """The cached plan, if every file it was made from still says the same; else None."""
    try:
        kept = json.loads(cache.read_text("utf-8"))
        if is_current(kept, overrides):
            return read_plan(kept["plan"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # no cache, or a torn or foreign one: compiled again and replaced
    return None


def is_current(kept: dict[str, Any], overrides: Mapping[str, str]) -> bool:
    """Whether what a plan was made from is unchanged."""
    return (
        kept["made_by"] == __version__
        and kept["overrides"] == dict(overrides)
        and all(Path(path).read_bytes() == text.encode() for path, text in kept["sources"].items())
        and not any(Path(path).exists() for path in kept["absent"])
        and all(stamp(Path(path)) == found for path, found in kept["stamps"].items())
    )


def stamp(path: Path) -> list[int]:
    """Size and time of a file too large to compare: LiteLLM's model map."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def compile_and_keep(name: str, places: Places, overrides: Mapping[str, str], cache: Path) -> Plan:
    """Load, compile, and keep the plan for the next launch."""
    from openclaude.compile.compiler import compile_plan
    from openclaude.facts import check_litellm
    from openclaude.profile.catalog import Catalog
    from openclaude.profile.library import Library

    check_litellm()
    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    loaded = library.load(name, env=overrides)
    plan = compile_plan(name, loaded.profile, catalog.find, made_by=__version__)
    sources = read_again(loaded.sources)
    if sources is None:
        return plan
    kept = {
        "made_by": __version__,
        "overrides": dict(overrides),
        "sources": sources,
        "absent": [str(path) for path in loaded.absent],
        "stamps": {str(catalog.path): stamp(catalog.path)},
        "plan": plan.to_json(),
    }
    try:
        private_folder(places.cache)
        write_private(private_folder(cache.parent) / cache.name, json.dumps(kept))
    except FolderUnusable:
        return plan  # a cache that cannot be written costs time, nothing else
    return plan


def read_again(sources: Iterable[Source]) -> dict[str, str] | None:
    """The texts a plan was made from, or None when one was edited since it was loaded."""
    import hashlib

    texts = {}
    for source in sources:
        found = source.path.read_bytes()
        if hashlib.sha256(found).hexdigest() != source.sha256:
            return None
        texts[str(source.path)] = found.decode("utf-8")
    return texts
