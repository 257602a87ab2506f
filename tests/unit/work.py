"""How much a function does, as a count: the same on a slow machine, a busy one and a fast one.

Knows: the calls that Python makes. Independent of: the clock.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


def count_calls(do: Callable[[], object]) -> int:
    """Return how many functions are called, including those written in C, while `do` runs."""
    calls = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        do()
    finally:
        sys.setprofile(before)
    return calls
