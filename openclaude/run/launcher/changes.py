"""Notes which models are exchanged under open sessions, for `main` to say in front of an answer.

Knows: the file, and what is said. Independent of: who reads it (`gateway/routing/model_changes`),
why a model is exchanged. A note never stops a reload.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

from openclaude.contracts.plan import Plan, TierPlan
from openclaude.errors import OpenclaudeError
from openclaude.files import write_private
from openclaude.run.stack.folder import CHANGES, read_folder_plan


def note_exchanged(folder: Path, after: Plan) -> None:
    """Note what `after` exchanges of the plan that is still in the stack's folder."""
    with contextlib.suppress(OSError, ValueError, OpenclaudeError):
        found = exchanged(read_folder_plan(folder), after)
        if found:
            write_private(folder / CHANGES, json.dumps(found) + "\n")


def exchanged(before: Plan, after: Plan, now: float | None = None) -> dict[str, tuple[str, float]]:
    """What is said of each slot that has another model now, and when that was, in Unix seconds.

    The sentence has the time: it stays true in a session that began later.
    """
    at = time.time() if now is None else now
    old = {tier.tier: tier for tier in before.tiers}
    clock = time.strftime("%H:%M", time.localtime(at))
    return {
        tier.slot: (
            f"[{tier.tier} is answered by {named(tier)} since {clock}, before that by "
            f"{named(old[tier.tier])}]\n\n",
            at,
        )
        for tier in after.slots
        if tier.tier in old and tier.model != old[tier.tier].model
    }


def named(tier: TierPlan) -> str:
    """How a person knows the model of a tier."""
    return tier.label if tier.slot and tier.label else "Claude"
