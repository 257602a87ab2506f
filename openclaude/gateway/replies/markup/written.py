"""A call as a model wrote it.

Knows: what every form of a call has. Independent of: how it was written. Pure.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Written(NamedTuple):
    """A call as it was written; `input` is a value or a JSON text."""

    name: str
    input: Any
