"""Print the names of LiteLLM's that openclaude uses and this LiteLLM lacks, as JSON.

Knows: openclaude's own lists. Runs with the Python in which that LiteLLM is installed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping

from openclaude.gateway.litellm import names


def missing() -> Iterator[dict[str, str]]:
    """Return each name that is gone, with our module that uses it."""
    lists: Mapping[str, names.Names] = {
        **names.USED,
        "names": {**dict.fromkeys(names.IMPORTED_LATE, ()), **names.READERS, **names.BUILT_LATE},
    }
    for user, used in lists.items():
        for module, wanted in used.items():
            yield from ({"user": user, "name": name} for name in look(module, wanted))


def look(module: str, wanted: tuple[str, ...]) -> Iterator[str]:
    """Return what a module lacks, including a package that LiteLLM itself lacks."""
    try:
        yield from names.missing_of(module, wanted)
    except ImportError as error:
        yield f"{module} ({error})"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(list(missing())))
