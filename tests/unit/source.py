"""The source tree as data, with each module parsed once for all tests.

Knows: how to parse Python. Independent of: what is right.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


@cache
def parsed(path: Path) -> ast.Module:
    """Parse the module in that file."""
    return ast.parse(path.read_text(encoding="utf-8"))
