"""`openclaude aws setup`.

Knows: nothing yet. Refuses to know: everything.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from openclaude.errors import NotSupportedYet
from openclaude.output import Result
from openclaude.places import Places


def set_up(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:  # noqa: ARG001
    """Say so."""
    raise NotSupportedYet("`openclaude aws setup` is not supported yet")
