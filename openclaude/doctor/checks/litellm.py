"""LiteLLM and its dependencies: the installed versions, and those of the lock.

Knows: which versions are refused. Independent of: where packages are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openclaude.diagnostics import Diagnostic, Location, Severity
from openclaude.doctor.snapshot.world import World
from openclaude.litellm_version import WrongLitellm, refuse_litellm

SHOWN = 5


def check_litellm(world: World) -> Iterator[Diagnostic]:
    """The installed LiteLLM, then everything that is locked with it."""
    try:
        refuse_litellm(world.litellm)
    except WrongLitellm as error:
        (found,) = error.diagnostics
        yield found._replace(
            why="openclaude cannot compile a profile for this version",
            fix=f"{error.hint}: `{world.restore}`",
        )
    else:
        yield Diagnostic(code="litellm", severity=Severity.OK, message=f"LiteLLM {world.litellm}")
    if not world.lock:
        what = "this copy of openclaude has no lock file"
        yield Diagnostic(
            code="lock-missing",
            severity=Severity.NOTE,
            message=what,
            why="the installed versions cannot be compared with the tested ones",
            fix="nothing to do",
        )
    elif world.packages:
        yield differences(world)
    else:
        yield Diagnostic(
            code="lock", severity=Severity.OK, message="all packages have the tested versions"
        )


def differences(world: World) -> Diagnostic:
    """Packages that differ from the locked ones."""
    rows = [
        f"{one.name} {one.installed or 'is missing'} (tested: {one.locked})"
        for one in world.packages
    ]
    more = f", and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    count = "1 package differs" if len(rows) == 1 else f"{len(rows)} packages differ"
    return Diagnostic(
        code="lock-differs",
        severity=Severity.WARNING,
        message=f"{count} from the tested versions: {', '.join(rows[:SHOWN])}{more}",
        why="openclaude is only tested with the versions of its lock file",
        fix=f"run `{world.restore}`",
        location=Location(path=Path(world.lock)),
    )
