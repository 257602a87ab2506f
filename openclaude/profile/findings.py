"""A finding: something wrong at a key of the merged profile, before it is known which file says so.

Knows: its shape. Refuses to know: files and lines, which `library` adds.
"""

from __future__ import annotations

from typing import NamedTuple

from openclaude.profile.locate import Key


class Finding(NamedTuple):
    """What is wrong at one key, and what is allowed there."""

    key: Key
    message: str
    hint: str = ""
    other: Key = ()  # the key it conflicts with, which may stand in another file
