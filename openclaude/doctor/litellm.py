"""LiteLLM and what came with it: the right version, and what the lock says.

Knows: which versions are refused. Refuses to know: where packages are.
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaude.doctor.finding import NOTE, OK, STOPS, WARNS, Finding
from openclaude.doctor.world import World
from openclaude.facts import MALICIOUS_LITELLM, WrongLitellm, refuse_litellm

SHOWN = 5


def check_litellm(world: World) -> Iterator[Finding]:
    """The installed LiteLLM, then everything that is locked with it."""
    try:
        refuse_litellm(world.litellm)
    except WrongLitellm as error:
        code = "litellm-malicious" if world.litellm in MALICIOUS_LITELLM else error.code
        yield Finding(code, STOPS, error.message, "no profile is compiled for it", error.hint)
    else:
        yield Finding("litellm", OK, f"LiteLLM {world.litellm}")
    if not world.lock:
        what = "openclaude came without its lock"
        yield Finding("lock-missing", NOTE, what, "versions were not compared", "nothing to mend")
    elif world.packages:
        yield differences(world)
    else:
        yield Finding("lock", OK, "every package is the locked one")


def differences(world: World) -> Finding:
    """Packages that are not the locked ones."""
    rows = [
        f"{one.name} {one.installed or 'is missing'} (locked: {one.locked})"
        for one in world.packages
    ]
    more = f", and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    count = "1 package is" if len(rows) == 1 else f"{len(rows)} packages are"
    return Finding(
        "lock-differs",
        WARNS,
        f"{count} not the locked one: {', '.join(rows[:SHOWN])}{more}",
        "openclaude is tested with the locked versions only",
        f"run `python -m pip install --require-hashes -r {world.lock}` with openclaude's Python",
        world.lock,
    )
