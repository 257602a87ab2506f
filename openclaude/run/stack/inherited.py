"""What units take over from the environment of a launch, and whether another launch has the same.

Knows: which variables decide who is asked, by which way, and who pays. Independent of: processes.
Pure. A stack serves every terminal of its profile: one with another key, proxy or AWS file must
neither be served with the first one's nor change it silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from openclaude.contracts.plan import Plan, Unit
from openclaude.contracts.references import parse_secret
from openclaude.run.stack.secret_environment import for_programs, variables_needed

# These differ from terminal to terminal, and decide nothing of that
PERSONAL = frozenset({"PATH", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"})
NO_PROXY = ("NO_PROXY", "no_proxy")
LOOPBACK = frozenset({"127.0.0.1", "localhost", ""})
# What a new version of openclaude needs to take the stack over without a launch; no unit gets them
OWN_VARIABLES = (
    *("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"),
    *("OPENCLAUDE_AWS_PROFILE", "OPENCLAUDE_AWS_REGION", "OPENCLAUDE_LITELLM_PORT"),
    "OPENCLAUDE_START_METHOD",
)


def changed_variables(
    unit: Unit, before: Mapping[str, str], now: Mapping[str, str], stacks: Path
) -> tuple[str, ...]:
    """The variables of a unit whose value a new launch changes.

    `stacks` is the folder of all stacks: a launch within a session of ours has inherited a file
    of ours, which says nothing about its user.
    """
    names = {name for name in unit.inherit if name not in PERSONAL}
    changed = {
        name
        for name in names
        if not is_file_of_ours(now.get(name, ""), stacks)
        and comparable(name, before.get(name, "")) != comparable(name, now.get(name, ""))
    }
    # a launch that has no key gets along with the one that the stack has
    changed |= {
        name for name in key_variables(unit) if now.get(name, before.get(name)) != before.get(name)
    }
    return tuple(sorted(changed))


def comparable(name: str, value: str) -> object:
    """A value without what openclaude itself adds to it."""
    if name in NO_PROXY:
        return {part.strip() for part in value.split(",")} - LOOPBACK
    return value


def is_file_of_ours(value: str, stacks: Path) -> bool:
    """Whether a value is the path of a file that openclaude has written."""
    return value.startswith(f"{stacks}/")


def key_variables(unit: Unit) -> Iterator[str]:
    """The user's variables that contain secrets of a unit."""
    for reference in unit.secrets.values():
        if variable := parse_secret(reference).variable:
            yield variable


def taken_over(
    units: tuple[Unit, ...], before: Mapping[str, str], now: Mapping[str, str], stacks: Path
) -> dict[str, str]:
    """A new launch's variables, and of the one before what the new one does not have."""
    kept = {name for unit in units for name in key_variables(unit) if not now.get(name)}
    kept |= {name for name, value in now.items() if is_file_of_ours(value, stacks)}
    return {**now, **{name: before[name] for name in kept if name in before}}


def inheritable(plan: Plan | None, env: Mapping[str, str]) -> dict[str, str]:
    """The user's variables that units inherit, that contain their secrets, or are openclaude's."""
    units = plan.units if plan else ()
    found = {name: env[name] for unit in units for name in unit.inherit if name in env}
    found |= variables_needed((ref for unit in units for ref in unit.secrets.values()), env)
    if any(unit.starts_programs for unit in units):
        found |= for_programs(env)
    found |= {name: env[name] for name in OWN_VARIABLES if name in env}
    return dict(sorted(found.items()))
