"""One digest per unit, over all its inputs, so that a reload replaces what changed.

Knows: a unit's inputs, which of them differ. Independent of: processes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from openclaude.contracts.decode import encode
from openclaude.contracts.plan import Plan, Unit
from openclaude.contracts.record import Record
from openclaude.run.supervisor.actions import Action, Remove, Replace, Start

SHOWN = 8  # characters of a digest in the log


class UnitDigest(Record):
    """The digest of a unit, and of each of its parts by name."""

    whole: str
    parts: dict[str, str]


def digest_unit(unit: Unit, files: Mapping[str, str]) -> UnitDigest:
    """The digest of a unit: the config it reads, its application, environment and secrets."""
    parts = {
        "config": files.get(f"{unit.name}.yaml"),
        "application": [unit.application, unit.prepare],
        "environment": unit.environment,
        "inherited variables": unit.inherit,
        "secrets": unit.secrets,  # where they are, not what they are
    }
    digests = {name: sha256(part) for name, part in parts.items()}
    return UnitDigest(whole=sha256(digests), parts=digests)


def digest_units(plan: Plan) -> dict[str, UnitDigest]:
    """The digest of each unit of a plan."""
    return {unit.name: digest_unit(unit, plan.files) for unit in plan.units}


def sha256(value: object) -> str:
    """The SHA-256 of a plain value."""
    import hashlib  # 3 MB that a supervisor needs at a reload only

    text = json.dumps(encode(value), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def plan_changes(before: Plan, after: Plan) -> tuple[Action, ...]:
    """The actions that turn a stack of one plan into one of another."""
    old, new = digest_units(before), digest_units(after)
    removed = [
        Remove(unit=name, cause="the plan has no such unit now") for name in old if name not in new
    ]
    changed: list[Action] = []
    for name, digest in new.items():
        if name not in old:
            changed.append(Start(unit=name, cause="it is new in the plan"))
        elif old[name].whole != digest.whole:
            changed.append(Replace(unit=name, cause=difference(old[name], digest)))
    return (*removed, *changed)


def difference(old: UnitDigest, new: UnitDigest) -> str:
    """The differences, as a cause."""
    parts = [name for name, digest in new.parts.items() if old.parts[name] != digest]
    return f"its {' and '.join(parts)} changed (digest {old.whole[:SHOWN]} -> {new.whole[:SHOWN]})"
