"""The way out that a launch would give the instances, and which of its files are not there.

Knows: that claude's settings decide it, as at a launch. Independent of: what is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from openclaude.aws.files import AwsFacts
from openclaude.claude.network import AUTHORITIES, environment_for_instances
from openclaude.claude.settings import look_at_launch
from openclaude.contracts.plan import Plan


def look_at_network(
    plan: Plan | None, env: Mapping[str, str], home: Path, cwd: Path, aws: AwsFacts
) -> dict[str, str]:
    """The environment that a launch would give the instances."""
    found = environment_for_instances(look_at_launch((), "", env, home, cwd))
    named = aws.merged(plan.aws_profile).get("ca_bundle") if plan and plan.aws_profile else None
    return {"AWS_CA_BUNDLE": named, **found} if named else found


def lost_authorities(network: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables that name a file of certificates which cannot be read."""
    for name in AUTHORITIES:
        for path in filter(None, network.get(name, "").split(os.pathsep)):
            if not os.access(path, os.R_OK):
                yield name, path
