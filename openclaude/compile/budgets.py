"""What main must know of a profile's budgets, and of the models behind its slots.

Knows: the routes of slots and of what sees for them, the variable of the budgets. Independent of:
LiteLLM's config, how spending is counted. Pure.
"""

from __future__ import annotations

from openclaude.compile.deployments import is_aws
from openclaude.compile.resolve import OVER_BUDGET, Deployment, Resolution
from openclaude.contracts.budget import VARIABLE, Budget, Budgets, Period, Then
from openclaude.contracts.references import SecretRef
from openclaude.contracts.routing import EyesRoute, SlotRoute
from openclaude.providers.families import is_claudes_own, known_of
from openclaude.providers.table import find_provider


def slot_route(
    one: Deployment,
    key: SecretRef | None,
    resolution: Resolution,
    *,
    claude: str = "",
    stands_for: str = "",
) -> SlotRoute:
    """What main knows about the model behind a slot."""
    return SlotRoute(
        model=one.base_model,
        context_window=one.max_input_tokens,
        aws_profile=(resolution.profile.aws.profile or "")
        if is_aws(one) and not one.api_key and not resolution.server
        else "",
        key=str(key) if key else "",
        address=one.api_base,
        profile=resolution.name,
        server=resolution.server,
        asked_as=one.model if resolution.server else "",
        claude=claude,
        stands_for=stands_for,
        provider=one.provider,
        counts=not resolution.server
        and is_aws(one)
        and is_claudes_own(find_provider(one.provider), one.model_id),
    )


def key_of_model(one: Deployment, resolution: Resolution) -> SecretRef | None:
    """Where the key of a model of no tier is: a tier's with the same model, else its own."""
    found = (slot.key for slot in resolution.slots if slot.first.model == one.model)
    return next(found, resolution.secrets.get(one.api_key))


def eyes_route(one: Deployment, resolution: Resolution) -> EyesRoute:
    """What main knows about a model that describes images."""
    provider = find_provider(one.provider)
    return EyesRoute(
        group=one.group,
        model=one.model,
        route=slot_route(one, key_of_model(one, resolution), resolution),
        reads_pdf=one.pdf and known_of(provider, one.model_id).supports_pdf_input,
    )


def budget(resolution: Resolution) -> dict[str, str]:
    """What slots may cost, if the profile says so."""
    given = resolution.profile.budget
    of_all = [(Period(name), getattr(given, name), "") for name in Period]
    of_tiers = [
        (Period(name), getattr(resolution.profile.tiers[slot.tier], f"budget_{name}"), slot.tier)
        for slot in resolution.slots
        for name in Period
    ]
    budgets = tuple(
        Budget(period=period, dollars=float(dollars), tier=tier)
        for period, dollars, tier in (*of_all, *of_tiers)
        if dollars
    )
    if not budgets and not given.requests_per_minute:
        return {}
    over = resolution.over_budget
    found = Budgets(
        budgets=budgets,
        then=Then.MODEL if over else Then(given.then),
        slot=OVER_BUDGET if over else "",
        route=slot_route(over, key_of_model(over, resolution), resolution) if over else None,
        requests_per_minute=given.requests_per_minute or 0,
    )
    return {VARIABLE: found.to_json()}
