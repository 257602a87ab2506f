"""The lock for every patch release of this Python: a zipapp may meet an older one than built it.

Knows: requirements.lock's form, environment markers. Refuses to know: what is done with it.
"""

from __future__ import annotations

import platform
import sys

from packaging.markers import Marker


def for_every_patch_release(lock: str) -> str:
    """The lock without markers: what this Python's first patch release or this very one needs.

    Debian 12 has 3.11.2, for which redis needs async-timeout; from 3.11.3 on it does not.
    """
    kept: list[str] = []
    is_kept = False
    for line in lock.splitlines():
        if not line.startswith(" "):  # else a hash of the requirement before
            requirement, _, marker = line.removesuffix("\\").partition(";")
            is_kept = is_needed(marker.strip())
            line = f"{requirement.strip()} \\"
        if is_kept:
            kept.append(line)
    return "\n".join(kept) + "\n"


def is_needed(marker: str) -> bool:
    """Whether the marker holds for X.Y.0 or for this Python."""
    first = f"{sys.version_info[0]}.{sys.version_info[1]}.0"
    return not marker or any(
        Marker(marker).evaluate({"python_full_version": version})
        for version in (first, platform.python_version())
    )
