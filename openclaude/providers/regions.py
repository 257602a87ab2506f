"""AWS regions: the ones botocore knows.

Knows: their names, and which have Bedrock. Independent of: which model is offered where. It reads
botocore's own lists as files, because importing botocore takes longer than everything else here
together.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from openclaude.errors import OpenclaudeError


class RegionsMissing(OpenclaudeError):
    """botocore's list of regions is not where it belongs."""

    code = "regions-missing"

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot read botocore's regions: {why}", hint="reinstall openclaude")


@cache
def known_regions() -> tuple[str, ...]:
    """Every region of every AWS partition. Raises RegionsMissing."""
    return read_regions(data_folder() / "partitions.json")


@cache
def bedrock_regions() -> frozenset[str]:
    """The regions in which Bedrock answers, as of botocore's version. Raises RegionsMissing."""
    return read_bedrock_regions(data_folder() / "endpoints.json")


@cache
def botocore_version() -> str:
    """How old those lists are."""
    from importlib.metadata import version  # late: only a warning needs it

    return version("botocore")


def data_folder() -> Path:
    """Where botocore keeps its lists. Raises RegionsMissing."""
    spec = find_spec("botocore")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise RegionsMissing("botocore is not installed")
    return Path(folders[0]) / "data"


def read_regions(path: Path) -> tuple[str, ...]:
    """The regions in botocore's `partitions.json`, without its `...-global` pseudo regions.

    Raises RegionsMissing.
    """
    try:
        partitions = json.loads(path.read_bytes())["partitions"]
        names = {name for partition in partitions for name in partition["regions"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegionsMissing(f"{path}: {error}") from error
    return tuple(sorted(name for name in names if not name.endswith("-global")))


def read_bedrock_regions(path: Path) -> frozenset[str]:
    """The regions with an address of Bedrock in botocore's `endpoints.json`.

    It also names addresses (`bedrock-runtime-us-west-2`), which are left out.
    Raises RegionsMissing.
    """
    try:
        partitions = json.loads(path.read_bytes())["partitions"]
        services = [partition["services"].get("bedrock") or {} for partition in partitions]
        names = {name for service in services for name in service.get("endpoints") or {}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegionsMissing(f"{path}: {error}") from error
    return frozenset(name for name in names if not name.startswith("bedrock"))
