"""A finding: one thing the doctor has looked at, in words a person can act on.

Knows: its shape and how grave it can be. Refuses to know: what was looked at.
"""

from __future__ import annotations

from typing import NamedTuple

STOPS = "stops"  # a launch ends with an error, or cannot answer at all
WARNS = "warns"  # it starts, and something will disappoint
NOTE = "note"  # good to know
OK = "ok"


class Finding(NamedTuple):
    """What, why it matters, and what mends it."""

    code: str
    severity: str
    what: str
    why: str = ""
    mend: str = ""
    where: str = ""  # file:line:key, as far as there is one
