"""Whether a launch that failed is a user's first one, who is better led than refused.

Knows: what a first launch looks like. Independent of: why it failed, how a user is led.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from openclaude.commands.split import Split
from openclaude.paths import Places
from openclaude.profile.names import PROFILE_VARIABLE, used_profile_name


def is_first_start(split: Split, places: Places, env: Mapping[str, str]) -> bool:
    """Whether a user who has never chosen a profile types `openclaude` alone, on a terminal."""
    is_attended = all(one.isatty() for one in (sys.stdin, sys.stdout, sys.stderr))
    is_chosen = split.profile or env.get(PROFILE_VARIABLE) or used_profile_name(places)
    return is_attended and not split.arguments and not is_chosen
