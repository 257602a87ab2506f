"""A profile that was loaded, and where each of its values comes from.

Knows: what a loaded profile consists of. Independent of: how it is found, read and validated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from openclaude.profile.read.provenance import Origin
from openclaude.profile.schema import Profile


class Source(NamedTuple):
    """A file that a profile was made from."""

    name: str
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A valid profile, and everything it was made from."""

    name: str
    profile: Profile
    sources: tuple[Source, ...]  # the profile's own file, its parent's, and so on
    absent: tuple[Path, ...]  # looked for and not found: if one appears, it is read instead
    provenance: Mapping[str, Origin]
