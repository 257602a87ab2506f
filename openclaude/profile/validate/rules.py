"""Rules that need more than one value: other keys, the model map, AWS's regions.

Knows: what a tier needs, what a Claude tier cannot have, which keys exclude each other.
Independent of: files, types (a value of the wrong type is `shape`'s to report and passed over
here).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.contracts.references import (
    BEDROCK,
    SAME_CLAUDE,
    is_claude,
    is_own_claude,
    split_model,
)
from openclaude.diagnostics import Diagnostic
from openclaude.errors import nearest
from openclaude.models.catalog import Catalog
from openclaude.profile.mistakes import mistake
from openclaude.profile.names import shorten
from openclaude.profile.schema import STOP, TIERS
from openclaude.profile.validate.conflicts import find_conflicts
from openclaude.profile.validate.models import check_limits, check_model, is_usable
from openclaude.profile.validate.params import find_param_mistakes
from openclaude.profile.validate.search import find_search_mistakes
from openclaude.profile.validate.server import find_server_mistakes, server_of
from openclaude.providers.regions import known_regions
from openclaude.providers.table import ANTHROPIC, find_provider

ANTHROPIC_HOSTS = ("https://api.anthropic.com", "https://claude.ai", "https://platform.claude.com")
Values = Mapping[str, Any]
Key = tuple[str, ...]
# the models that a profile names outside its tiers
OF_NO_TIER = (("anthropic", "on_limit"), ("auto_mode", "classifier"), ("budget", "then"))


def find_broken_rules(profile: Values, catalog: Catalog) -> Iterator[Diagnostic]:
    """Every rule that a merged profile breaks; the map is read only for a provider's model."""
    aws = table(profile, "aws")
    on_bedrock: dict[str, bool] = {}  # what needs AWS, and whether it has a region of its own
    for name, tier in tier_tables(profile):
        model = tier.get("model")
        if isinstance(model, str):
            is_here = not server_of(profile)
            yield from check_tier(("tiers", name), tier, aws, catalog, is_here=is_here)
            on_bedrock |= bedrock_models(name, tier)
    for place, key in OF_NO_TIER:
        yield from check_model_of_no_tier((place, key), profile, catalog)
        if is_bedrock(table(profile, place).get(key)):
            on_bedrock[f"{place}.{key}"] = False
    yield from find_conflicts(profile)
    yield from find_search_mistakes(profile)
    yield from find_server_mistakes(profile)
    yield from check_region(("aws", "region"), aws.get("region"))
    if on_bedrock and not server_of(profile):
        yield from check_aws(aws, on_bedrock)


def tier_tables(profile: Values) -> Iterator[tuple[str, Values]]:
    """The tiers that are tables, in their order."""
    tiers = table(profile, "tiers")
    return ((name, tiers[name]) for name in TIERS if isinstance(tiers.get(name), Mapping))


def table(values: Values, name: str) -> Values:
    """The table of that name, empty where there is none."""
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def is_bedrock(model: object) -> bool:
    """Whether a model's name is one of Bedrock's."""
    return isinstance(model, str) and split_model(model).is_bedrock


def bedrock_models(name: str, tier: Values) -> dict[str, bool]:
    """Whether a tier needs AWS, and then whether it says in which region."""
    fallbacks = tier.get("fallbacks")
    models = [tier.get("model"), *(fallbacks if isinstance(fallbacks, list) else [])]
    models.append(tier.get("vision"))
    return (
        {name: bool(tier.keys() & {"region", "regions"})}
        if any(is_bedrock(model) for model in models)
        else {}
    )


# --- one tier


def check_tier(
    key: Key, tier: Values, aws: Values, catalog: Catalog, *, is_here: bool
) -> Iterator[Diagnostic]:
    """One tier: whether its model is served, and whether its other keys fit.

    `is_here`: by the providers of this machine, which must know how to reach it.
    """
    model = tier["model"]
    if is_claude(model):
        yield from check_claude_tier(key, tier)
        return
    regions = tier.get("regions")
    yield from check_regions(key, tier)
    region = tier.get("region") or first_of(regions) or aws.get("region")
    declared = {name for name in ("max_output_tokens", "context_window") if name in tier}
    yield from check_region((*key, "region"), tier.get("region"))
    yield from check_model((*key, "model"), model, text(region), catalog, declared=declared)
    yield from check_limits(key, tier, text(region), catalog)
    if is_usable(model) and is_here:
        yield from check_address(key, tier, split_model(model).provider)
    yield from check_fallbacks(key, tier, text(region), catalog)
    vision = text(tier.get("vision"))
    if "/" in vision:
        yield from check_second_model((*key, "vision"), vision, text(region), catalog, tier)
    params = tier.get("params")
    if isinstance(params, Mapping):
        yield from find_param_mistakes((*key, "params"), params)


def text(value: object) -> str:
    """A value where it is text, else none."""
    return value if isinstance(value, str) else ""


def check_claude_tier(key: Key, tier: Values) -> Iterator[Diagnostic]:
    """Anthropic's own models are as Anthropic serves them: nothing of them can be set."""
    for name in tier:
        if name != "model":
            yield mistake((*key, name), "has no effect on a Claude tier", fix="remove it")


def check_address(key: Key, tier: Values, name: str) -> Iterator[Diagnostic]:
    """Where the provider is, and what it needs to let us in."""
    if name == BEDROCK:
        for wrong, instead in (
            ("api_key", "Bedrock uses `aws.profile`, or a Bedrock API key in `aws.api_key`"),
            ("api_base", "write `endpoint_url` in `[aws]`"),
        ):
            if wrong in tier:
                yield mistake((*key, wrong), "has no effect on a Bedrock tier", fix=instead)
        return
    provider = find_provider(name)
    for name_of_key in ("region", "regions"):
        if name_of_key in tier:
            where = (*key, name_of_key)
            yield mistake(where, "only has an effect on Bedrock tiers", fix="remove it")
    if name == ANTHROPIC:
        yield from check_third_party(key, tier)
    elif provider.needs_base and "api_base" not in tier:
        yield mistake(
            (*key, "api_base"),
            f"is missing: `{name}/` needs the address of your server",
            fix='for example `api_base = "http://127.0.0.1:8000/v1"`',
        )
    if provider.needs_key and "api_base" in tier and "api_key" not in tier:
        yield mistake(
            (*key, "api_key"),
            "is missing: your own `api_base` gets a key only if you say which one",
            fix='for example `api_key = "env:NAME"`',
        )
    params = table(tier, "params")
    for name_of_param in provider.params:
        if name_of_param not in params:
            yield mistake((*key, "params", name_of_param), f"is missing; `{name}/` needs it")


def check_third_party(key: Key, tier: Values) -> Iterator[Diagnostic]:
    """`anthropic/` is for third parties with Anthropic's API."""
    base = text(tier.get("api_base"))
    if not base or base.startswith(ANTHROPIC_HOSTS):
        yield mistake(
            (*key, "model"),
            "`anthropic/` is for third parties that serve Anthropic's API; your Claude login never "
            "goes to one",
            fix="write `claude`, or an Anthropic model id without the prefix, for example "
            "`claude-opus-5-5`; for a third party, set its `api_base`",
        )


# --- more models


def check_fallbacks(key: Key, tier: Values, region: str, catalog: Catalog) -> Iterator[Diagnostic]:
    """The fallbacks, which must not need keys that only a tier can have."""
    names = tier.get("fallbacks")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return
    model = text(tier.get("model"))
    for index, name in enumerate(names):
        place = (*key, "fallbacks", str(index))
        if name in (model, *names[:index]):
            what = "the tier's own model" if name == model else "already in the list"
            yield mistake(place, f"`{shorten(name)}` is {what}", fix="remove it")
        elif not is_claude(name):
            yield from check_second_model(place, name, region, catalog, tier)


def check_model_of_no_tier(key: Key, profile: Values, catalog: Catalog) -> Iterator[Diagnostic]:
    """A model that answers or judges for more than one tier."""
    model = table(profile, key[0]).get(key[1])
    if isinstance(model, str) and model != STOP and not is_claude(model):
        twin = next((tier for _, tier in tier_tables(profile) if tier.get("model") == model), {})
        region = text(table(profile, "aws").get("region"))
        if key == OF_NO_TIER[0] and is_own_claude(model) and not twin:
            # Anthropic itself, with a key of the user's; `*` for whichever was asked for
            named = [] if model == SAME_CLAUDE else [model]
            for one in named:
                yield from check_model(key, one, "", catalog, declared=())
            return
        yield from check_second_model(key, model, region, catalog, twin)


def check_second_model(
    key: Key, name: str, region: str, catalog: Catalog, tier: Values
) -> Iterator[Diagnostic]:
    """A model without a table of its own; what it needs, the tier `tier` may say."""
    own_provider = split_model(text(tier.get("model"))).provider
    own = own_provider == split_model(name).provider
    declared = {"max_output_tokens", "context_window"} & set(tier) if own else set()
    found = list(check_model(key, name, region, catalog, declared=declared))
    yield from found
    provider = find_provider(split_model(name).provider)
    if not found and not own and (provider.needs_base or provider.params):
        message = f"`{provider.name}/` needs settings that only a tier can have"
        yield mistake(key, message, fix=f"use a model of `{own_provider or 'another provider'}`")


# --- AWS


def check_region(key: Key, region: object) -> Iterator[Diagnostic]:
    """A region that AWS has."""
    if isinstance(region, str) and region not in known_regions():
        near = nearest(region, known_regions())
        hint = f"did you mean `{near}`?" if near else "for example `us-west-2`"
        yield mistake(key, f'no AWS region named "{shorten(region)}"', fix=hint)


def check_regions(key: Key, tier: Values) -> Iterator[Diagnostic]:
    """The regions that a tier's requests are spread over."""
    regions = tier.get("regions")
    if not isinstance(regions, list):
        return
    if "region" in tier:
        fix = "keep one of `region` and `regions`"
        yield mistake((*key, "regions"), "has no effect beside `region`", fix=fix)
    for index, region in enumerate(regions):
        place = (*key, "regions", str(index))
        yield from check_region(place, region)
        if region in regions[:index]:
            message = f"`{shorten(str(region))}` is already in the list"
            yield mistake(place, message, fix="remove it")


def first_of(regions: object) -> object:
    """The region that is asked first."""
    return regions[0] if isinstance(regions, list) and regions else None


def check_aws(aws: Values, on_bedrock: Mapping[str, bool]) -> Iterator[Diagnostic]:
    """What everything on Bedrock needs to know of AWS."""
    if "profile" not in aws and "api_key" not in aws:
        yield missing("profile", list(on_bedrock), "a profile of ~/.aws/config")
    homeless = [name for name, has_region in on_bedrock.items() if not has_region]
    if "region" not in aws and homeless:
        yield missing("region", homeless, "an AWS region")


def missing(key: str, who: list[str], what: str) -> Diagnostic:
    """A key of `[aws]` that Bedrock needs."""
    names = ", ".join(f"`{name}`" for name in who)
    example = {"profile": "openclaude", "region": "us-west-2"}[key]
    otherwise = {"profile": ', or a Bedrock API key, `api_key = "env:AWS_BEARER_TOKEN_BEDROCK"`'}
    return mistake(
        ("aws", key),
        f"is missing; it is needed for {names} on Bedrock",
        fix=f'set {what}, for example `{key} = "{example}"`{otherwise.get(key, "")}',
    )
