"""The supervisor's log, which is its standard error.

Knows: one line. Refuses to know: what happened.
"""

from __future__ import annotations

import sys


def note(text: str) -> None:
    """One entry."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
