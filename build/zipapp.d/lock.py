"""The lock for every patch release of this Python: a zipapp may run on an older one.

Knows: the format of requirements.lock, environment markers. Independent of: how it is used.
"""

from __future__ import annotations

import platform
import sys

from packaging.markers import Marker


def for_every_patch_release(lock: str) -> str:
    """Return the lock without markers: what this Python's first or present patch release needs.

    Debian 12 has 3.11.2, for which redis needs async-timeout; from 3.11.3 on it does not.
    """
    kept: list[str] = []
    is_kept = False
    for line in lock.splitlines():
        if not line.startswith(" "):  # otherwise a hash of the requirement before
            requirement, _, marker = line.removesuffix("\\").partition(";")
            is_kept = is_needed(marker.strip())
            line = f"{requirement.strip()} \\"
        if is_kept:
            kept.append(line)
    return "\n".join(kept) + "\n"


def is_needed(marker: str) -> bool:
    """Tell whether the marker is true for X.Y.0 or for this Python."""
    first = f"{sys.version_info[0]}.{sys.version_info[1]}.0"
    return not marker or any(
        Marker(marker).evaluate({"python_full_version": version})
        for version in (first, platform.python_version())
    )
