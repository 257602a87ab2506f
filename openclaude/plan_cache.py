"""Finds the plan of a profile: cached if nothing has changed, else compiled.

Knows: which files a plan was made from. Independent of: what is in a plan.
The warm path reads two or three small files and imports neither pydantic nor tomlkit. Annotations
are not postponed here: `decode` reads them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude import __version__
from openclaude.contracts.decode import read, to_line
from openclaude.contracts.plan import Plan, read_plan
from openclaude.contracts.record import Record
from openclaude.files import FolderUnusable, private_folder, read_trusted, write_private
from openclaude.paths import Places
from openclaude.run.stack.folder import switch_in
from openclaude.run.stack.places import likely_folder

if TYPE_CHECKING:
    from openclaude.profile.read.loaded import Source


class CachedPlan(Record):
    """A cache entry: a plan, and everything it was made from."""

    made_by: str  # version of openclaude
    profiles: str  # the folder of the user's profiles: another XDG_CONFIG_HOME has others
    overrides: dict[str, str]  # variables
    sources: dict[str, str]  # path -> what the file said
    absent: tuple[str, ...]  # paths where there was no file
    stamps: dict[str, tuple[int, int]]  # path -> size and time of a file too large to compare
    plan: str  # JSON
    switch: str = ""  # what `openclaude switch` has changed, in TOML


OVERRIDES = ("OPENCLAUDE_AWS_PROFILE", "OPENCLAUDE_AWS_REGION", "OPENCLAUDE_LITELLM_PORT")


def find_plan(name: str, places: Places, env: Mapping[str, str]) -> Plan:
    """The plan of the profile called `name`, under the overrides set in `env`.

    Raises what loading and compiling a profile raise.
    """
    return switched_plan(name, places, env, switch_in(likely_folder(places.stacks, name)))


def switched_plan(name: str, places: Places, env: Mapping[str, str], switch: str) -> Plan:
    """The same with what `switch` changes (TOML; "" for nothing), whatever runs."""
    overrides = {key: env[key] for key in OVERRIDES if env.get(key)}
    cache = cache_file(name, places, overrides, switch)
    found = cached_plan(cache, overrides, places.profiles, switch)
    return found or compile_and_keep(name, places, overrides, cache, switch)


def cache_file(name: str, places: Places, overrides: Mapping[str, str], switch: str = "") -> Path:
    """Where a plan is kept: a file for a profile as it is, one for the last of each other form."""
    kind = "switched" if switch else "overridden" if overrides else "plain"
    return places.cache / "plans" / f"{name}.{kind}.json"


def cached_plan(
    cache: Path, overrides: Mapping[str, str], profiles: Path, switch: str = ""
) -> Plan | None:
    """The cached plan, if it was made from the profiles in that folder and nothing has changed."""
    try:
        cached = read(CachedPlan, read_trusted(cache), "cached plan")
        is_same = cached.profiles == str(profiles) and cached.switch == switch
        if is_same and is_current(cached, overrides):
            return read_plan(cached.plan)
    except (OSError, ValueError):
        return None  # no cache, or a torn or foreign one: compiled again and replaced
    return None


def is_current(cached: CachedPlan, overrides: Mapping[str, str]) -> bool:
    """Whether what a plan was made from is unchanged. Raises OSError when a file has gone."""
    return (
        cached.made_by == __version__
        and cached.overrides == dict(overrides)
        and all(Path(path).read_bytes() == text.encode() for path, text in cached.sources.items())
        and not any(Path(path).exists() for path in cached.absent)
        and all(stamp(Path(path)) == found for path, found in cached.stamps.items())
    )


def stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file too large to compare: LiteLLM's model map. Raises OSError."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def compile_and_keep(
    name: str, places: Places, overrides: Mapping[str, str], cache: Path, switch: str = ""
) -> Plan:
    """Load, compile, and keep the plan for the next launch."""
    from openclaude.compile.compiler import compile_plan
    from openclaude.litellm_version import require_litellm
    from openclaude.models.catalog import Catalog
    from openclaude.profile.library import Library
    from openclaude.program import require_otel

    require_litellm()
    catalog = Catalog.bundled()
    library = Library(places.profiles, places.shipped, catalog=catalog)
    loaded = library.load(name, env=overrides, switch=switch)
    if loaded.profile.telemetry.is_wanted:
        require_otel()
    plan = compile_plan(name, loaded.profile, catalog.find, made_by=__version__)
    sources = read_again(loaded.sources)
    if sources is None:
        return plan
    cached = CachedPlan(
        made_by=__version__,
        profiles=str(places.profiles),
        overrides=dict(overrides),
        sources=sources,
        absent=tuple(str(path) for path in loaded.absent),
        stamps={str(catalog.path): stamp(catalog.path)},
        plan=plan.to_json(),
        switch=switch,
    )
    try:
        private_folder(places.cache)
        write_private(private_folder(cache.parent) / cache.name, to_line(cached).decode())
    except FolderUnusable:
        return plan  # a cache that cannot be written costs time, nothing else
    return plan


def read_again(sources: Iterable["Source"]) -> dict[str, str] | None:
    """The texts a plan was made from, or None when one was edited since it was loaded."""
    import hashlib

    texts = {}
    for source in sources:
        found = source.path.read_bytes()
        if hashlib.sha256(found).hexdigest() != source.sha256:
            return None
        texts[str(source.path)] = found.decode("utf-8")
    return texts
