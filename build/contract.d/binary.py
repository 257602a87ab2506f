"""Names in a client's program: feature switches, betas, endpoints, models, variables, used or not.

Knows: how they appear in the program's text. A name that is unused today may be used tomorrow.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

KINDS = {
    "gates": rb'"(tengu_[a-z0-9_]+)",!1\b',
    "betas": rb'"([a-z][a-z0-9]*(?:-[a-z0-9]+)+-20\d\d-\d\d-\d\d)"',
    "endpoints": rb'["`](/v1/[a-z_]+(?:/[a-z_]+)*)["`?]',
    "models": rb'"(claude-(?:opus|sonnet|haiku|fable|[0-9])[a-z0-9.-]*)"',
    "variables": rb"\benv\.(_?(?:CLAUDE_CODE|ANTHROPIC)_[A-Z0-9_]+)\b",
}


def names_in(claude: Path) -> dict[str, list[str]]:
    """Return every name of each kind."""
    with claude.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return {
            kind: sorted({found.decode() for found in re.findall(pattern, text)})
            for kind, pattern in KINDS.items()
        }
