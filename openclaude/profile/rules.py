"""Rules that need more than one value: other keys, the model map, AWS's regions.

Knows: what a Bedrock tier needs, what a Claude tier cannot have. Refuses to know: files, types (a
value of the wrong type is `shape`'s to report and passed over here).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.errors import nearest
from openclaude.profile.catalog import Catalog, Model
from openclaude.profile.findings import Finding
from openclaude.profile.names import shorten
from openclaude.profile.regions import known_regions
from openclaude.profile.schema import TIERS
from openclaude.profile.support import NOT_YET, PROVIDERS
from openclaude.profile.values import check_model_name, is_claude

EXAMPLE = "bedrock/qwen.qwen3-next-80b-a3b"
Values = Mapping[str, Any]


def find_broken_rules(profile: Values, catalog: Catalog) -> Iterator[Finding]:
    """Every rule that a merged profile breaks; the map is read only for a Bedrock tier."""
    on_bedrock = []
    for name, tier in tier_tables(profile):
        model = tier.get("model")
        if not isinstance(model, str):
            continue
        yield from check_tier(("tiers", name), tier, profile, catalog)
        if model.startswith("bedrock/"):
            on_bedrock.append((name, tier))
    yield from check_region(("aws", "region"), table(profile, "aws").get("region"))
    if on_bedrock:
        yield from check_aws(table(profile, "aws"), on_bedrock)


def tier_tables(profile: Values) -> Iterator[tuple[str, Values]]:
    """The tiers that are tables, in their order."""
    tiers = table(profile, "tiers")
    return ((name, tiers[name]) for name in TIERS if isinstance(tiers.get(name), Mapping))


def table(values: Values, name: str) -> Values:
    """The table of that name, empty where there is none."""
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def check_tier(
    key: tuple[str, str], tier: Values, profile: Values, catalog: Catalog
) -> Iterator[Finding]:
    """One tier: does anybody serve its model, and do its other keys fit."""
    model = tier["model"]
    if is_claude(model):
        yield from check_claude_tier(key, tier)
        return
    yield from check_region((*key, "region"), tier.get("region"))
    if model.startswith("bedrock/"):
        yield from check_bedrock_tier(key, tier, profile, catalog)
    else:
        yield refuse_provider((*key, "model"), model)


def check_claude_tier(key: tuple[str, str], tier: Values) -> Iterator[Finding]:
    """Anthropic's own models are as Anthropic serves them: nothing of them can be set."""
    for name in tier:
        if name != "model":
            yield Finding((*key, name), "has no effect on a Claude tier", "remove it")


def refuse_provider(key: tuple[str, ...], model: str) -> Finding:
    """A model that nobody serves, or that only a later version will reach."""
    provider, slash, model_id = model.partition("/")
    today = f"supported today: `bedrock/ID`, for example `{EXAMPLE}`, and `claude`"
    if not slash:
        near = nearest(model, ["claude"])
        hint = f"did you mean `{near}`? {today}" if near else today
        return Finding(key, f'"{shorten(model)}" names no provider', hint)
    near = nearest(provider, PROVIDERS)
    if near:
        return Finding(
            key,
            f'no provider named "{provider}"',
            f"did you mean `{shorten(f'{near}/{model_id}')}`?",
        )
    return Finding(key, f"`{shorten(provider)}/` is {NOT_YET}", today)


def check_bedrock_tier(
    key: tuple[str, str], tier: Values, profile: Values, catalog: Catalog
) -> Iterator[Finding]:
    """The model is in the map, and no limit is beyond it."""
    try:
        name = check_model_name(tier["model"]).removeprefix("bedrock/")
    except ValueError:
        return  # reported as the value's own mistake
    region = tier.get("region") or table(profile, "aws").get("region")
    model = catalog.find("bedrock", name, region if isinstance(region, str) else None)
    if model is None:
        yield unknown_model((*key, "model"), name, catalog)
    else:
        yield from check_limits(key, tier, model)


def unknown_model(key: tuple[str, ...], model_id: str, catalog: Catalog) -> Finding:
    """A Bedrock id that the map does not have as a chat model."""
    near = [f"`bedrock/{one}`" for one in catalog.nearest(model_id)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"for example `{EXAMPLE}`"
    message = f'no chat model named "bedrock/{shorten(model_id)}" in LiteLLM\'s map'
    return Finding(key, message, hint)


def check_limits(key: tuple[str, str], tier: Values, model: Model) -> Iterator[Finding]:
    """The cap is the map's or lower; where the map has no number, the profile gives one."""
    asked = tier.get("max_output_tokens")
    cap = model.max_output_tokens
    if cap and isinstance(asked, int) and asked > cap:
        yield Finding((*key, "max_output_tokens"), f"is at most {cap} for this model, not {asked}")
    for name, known in (("max_output_tokens", cap), ("context_window", model.max_input_tokens)):
        if not known and name not in tier:
            yield Finding(
                (*key, name), "is missing", "LiteLLM's map has no number for this model: write one"
            )


def check_region(key: tuple[str, ...], region: object) -> Iterator[Finding]:
    """A region that AWS has."""
    if isinstance(region, str) and region not in known_regions():
        near = nearest(region, known_regions())
        hint = f"did you mean `{near}`?" if near else "for example `us-west-2`"
        yield Finding(key, f'no AWS region named "{shorten(region)}"', hint)


def check_aws(aws: Values, on_bedrock: list[tuple[str, Values]]) -> Iterator[Finding]:
    """What every Bedrock tier needs to know of AWS."""
    if "profile" not in aws:
        yield missing("profile", [name for name, _ in on_bedrock], "a profile of ~/.aws/config")
    homeless = [name for name, tier in on_bedrock if "region" not in tier]
    if "region" not in aws and homeless:
        yield missing("region", homeless, "an AWS region")


def missing(key: str, tiers: list[str], what: str) -> Finding:
    """A key of `[aws]` that Bedrock tiers need."""
    names = ", ".join(f"`{name}`" for name in tiers)
    example = {"profile": "openclaude", "region": "us-west-2"}[key]
    return Finding(
        ("aws", key),
        f"is missing, and needed for {names} on Bedrock",
        f'name {what}, for example `{key} = "{example}"`',
    )
