"""One model in several regions: which region is asked first, and which are left alone for a while.

Knows: that a region which throttles goes on doing so for a time, and that a prompt cache belongs to
a region. Independent of: AWS, how a region is asked, what a failure looks like.

A session stays in one region, because the provider has cached its prompt there; different sessions
begin in different ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openclaude.contracts.routing import REGION_MARK

COOL_DOWN_S = (
    30.0  # how long a region is not asked that has throttled and has not said for how long
)
LONGEST_S = 300.0  # a region is tried again after this, whatever it has said
THROTTLED = 429


class Regions:
    """Which groups of one model to ask in which order."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: a clock that never goes back, in seconds."""
        self._now = now
        self._until: dict[str, float] = {}

    def order(self, groups: Sequence[str], document: Mapping[str, Any]) -> list[str]:
        """Return the groups of a slot, the model's own regions first and the cool ones of them.

        The slot's own group is first in `groups`; its other regions carry a mark, and what has none
        is another model.
        """
        own = [*groups[:1], *(group for group in groups[1:] if REGION_MARK in group)]
        others = [group for group in groups if group not in own]
        if len(own) == 1:
            return list(groups)
        start = place_of(document) % len(own)
        turned = [*own[start:], *own[:start]]
        now = self._now()
        hot = [group for group in turned if self._until.get(group, 0.0) > now]
        return [*(group for group in turned if group not in hot), *hot, *others]

    def failed(self, group: str, status: int, retry_after: str) -> None:
        """Note that a group has failed; one that throttles is asked last for a while."""
        if status == THROTTLED:
            wait = float(retry_after) if retry_after.isdecimal() else COOL_DOWN_S
            self._until[group] = self._now() + min(wait, LONGEST_S)


def place_of(document: Mapping[str, Any]) -> int:
    """Return a number that a session keeps; 0 where a request names none."""
    metadata = document.get("metadata")
    session = metadata.get("user_id") if isinstance(metadata, Mapping) else None
    return zlib.crc32(session.encode(errors="replace")) if isinstance(session, str) else 0
