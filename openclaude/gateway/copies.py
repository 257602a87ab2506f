"""Makes Python's `copy.deepcopy` faster for what JSON consists of; its results stay the same.

Knows: the table of functions by type that the `copy` module has in every Python so far. Independent
of: who copies what. LiteLLM copies the tools and the messages of each request, several times, and
nine of ten of these calls were for a text or a number, which is its own copy: a seventh of the
calls of Python's that `providers` makes for a request of 50 KB. Python 3.14 does the same.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

TABLE = "_deepcopy_dispatch"  # of the module; not public
# what is its own copy; exactly these types, because a subclass may say otherwise
ITSELF = frozenset({type(None), bool, int, float, str, bytes})


def copy_faster() -> None:
    """Replace the functions that copy a dict and a list; once per process.

    A Python without the table keeps its own.
    """
    table = getattr(copy, TABLE, None)
    if isinstance(table, dict) and {dict, list} <= table.keys():
        table[dict] = copy_dict
        table[list] = copy_list


def copy_dict(
    found: dict[Any, Any], memo: dict[int, Any], deepcopy: Callable[..., Any] = copy.deepcopy
) -> dict[Any, Any]:
    """Return a copy with copies of its keys and values. `memo` has what was copied before."""
    made: dict[Any, Any] = {}
    memo[id(found)] = made  # first, because it may contain itself
    for key, value in found.items():
        made[key if type(key) in ITSELF else deepcopy(key, memo)] = (
            value if type(value) in ITSELF else deepcopy(value, memo)
        )
    return made


def copy_list(
    found: list[Any], memo: dict[int, Any], deepcopy: Callable[..., Any] = copy.deepcopy
) -> list[Any]:
    """Return a copy with copies of its items."""
    made: list[Any] = []
    memo[id(found)] = made
    for item in found:
        made.append(item if type(item) in ITSELF else deepcopy(item, memo))
    return made
