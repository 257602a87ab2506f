"""AWS regions: the ones botocore knows.

Knows: their names. Independent of: which model is offered where. It reads botocore's own list as
a file, because importing botocore takes longer than everything else here together.
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
    spec = find_spec("botocore")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise RegionsMissing("botocore is not installed")
    return read_regions(Path(folders[0]) / "data" / "partitions.json")


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
