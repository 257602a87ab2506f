"""What an edited profile changes for a stack that runs already.

Knows: what of two plans a user has an eye for. Independent of: how a plan is applied. Pure.
"""

from __future__ import annotations

from openclaude.contracts.plan import Plan, TierPlan


def changes_between(before: Plan | None, after: Plan) -> list[str]:
    """What is different, a sentence each; nothing for the same plan, or where none ran."""
    if before is None or before.digest == after.digest:
        return []
    old = {tier.tier: tier for tier in before.tiers}
    new = {tier.tier: tier for tier in after.tiers}
    found = [
        f"{name}: now {shown(new.get(name))}, was {shown(old.get(name))}"
        for name in dict.fromkeys([*new, *old])
        if shown(new.get(name)) != shown(old.get(name))
    ]
    return found or ["other settings have changed"]


def shown(tier: TierPlan | None) -> str:
    """The model behind a tier, as the profile names it, with its region."""
    if tier is None:
        return "no model"
    return f"{tier.model} in {tier.region}" if tier.region else tier.model
