"""How many steps a regular expression can take at one character, computed from its parts.

Knows: which parts of Python's expressions backtrack. Independent of: which expressions there are.
"""

from __future__ import annotations

import re
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ENDLESS = 1 << 30
LEAVES = {sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY, sre.AT, sre.CATEGORY, sre.GROUPREF}


def steps(pattern: re.Pattern[str]) -> int:
    """Return the maximum number of ways to match a prefix; ENDLESS if it depends on the length."""
    return ways(list(parser.parse(pattern.pattern, pattern.flags)), can_fail=False)


def ways(items: list[tuple[Any, Any]], *, can_fail: bool) -> int:
    """Return the ways through a sequence; `can_fail` if something after it may not match."""
    total = 1
    for place, (kind, value) in enumerate(items):
        fails = can_fail or any(needs_something(item) for item in items[place + 1 :])
        total *= ways_of(kind, value, fails)
    return total


def ways_of(kind: Any, value: Any, fails: bool) -> int:
    """Return the ways through one part."""
    if kind in LEAVES:
        return 1
    if kind is sre.SUBPATTERN:
        return ways(list(value[-1]), can_fail=fails)
    if kind is sre.ATOMIC_GROUP:
        return ways(list(value), can_fail=fails)
    if kind is sre.BRANCH:
        return sum(ways(list(branch), can_fail=fails) for branch in value[1])
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        return ways(list(value[1]), can_fail=False)
    least, most, part = value
    inside = ways(list(part), can_fail=fails)
    if kind is sre.POSSESSIVE_REPEAT:
        # it does not backtrack, but from each character it would read on to the same end
        return ENDLESS if most is sre.MAXREPEAT and fails else inside
    if most is sre.MAXREPEAT:
        return ENDLESS if fails or inside > 1 else 1
    return int(inside ** min(most, 30) * (most - least + 1))


def needs_something(item: tuple[Any, Any]) -> bool:
    """Tell whether a part can fail: all except those that may match nothing."""
    kind, value = item
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return bool(value[0] > 0)
    return True
