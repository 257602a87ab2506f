"""Advice on Bedrock's ids: prefixes that are missing or do not fit, and ARNs.

Knows: which id is offered in which region, as far as the map and AWS's habits tell.
Independent of: everything else of a tier. An id is only ever named, never added: a prefix decides
where data goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaude.contracts.references import BEDROCK, CLAUDE_AT_BEDROCK
from openclaude.models.catalog import Catalog
from openclaude.providers.bedrock import (
    GLOBAL,
    USUALLY_PREFIXED,
    choose_id,
    is_arn,
    prefixes_of,
    read_arn,
    split_prefix,
)
from openclaude.providers.regions import bedrock_regions, botocore_version

ANYWHERE = "may be served in any AWS region"


def advise_id(model_id: str, region: str, catalog: Catalog) -> Iterator[str]:
    """Warnings about an id, wherever it is used."""
    yield from advise_region(region)
    if is_arn(model_id):
        yield from advise_arn(model_id, region)
        return
    prefix, bare = split_prefix(model_id)
    ids = catalog.prefixed_ids(BEDROCK, bare)
    if prefix == GLOBAL:
        yield f"requests to a `global.` id {ANYWHERE}"
    elif prefix:
        yield from advise_prefix(prefix, ids, region)
    elif ids and needs_prefix(model_id, catalog):
        yield f"AWS usually offers this model only under an id with a prefix: {name(ids, region)}"


def advise_region(region: str) -> Iterator[str]:
    """A region in which Bedrock itself is unknown: none of its models is served there."""
    if region and region not in bedrock_regions():
        yield (
            f"{region} has no Bedrock, as far as botocore {botocore_version()} knows; "
            "`openclaude doctor --online` asks AWS"
        )


def needs_prefix(model_id: str, catalog: Catalog) -> bool:
    """Whether a bare id is not in the map, or is there against AWS's habit."""
    model = catalog.find(BEDROCK, model_id)
    return model_id.startswith(USUALLY_PREFIXED) or bool(model and model.prefixed)


def advise_prefix(prefix: str, ids: tuple[str, ...], region: str) -> Iterator[str]:
    """A prefix of other regions than the one it is used in."""
    allowed = prefixes_of(region)
    if allowed and prefix not in allowed:
        yield f"`{prefix}.` ids do not work in {region}: {name(ids, region)}"


def name(ids: tuple[str, ...], region: str) -> str:
    """Which of a model's cross-region ids to write in a region."""
    chosen = choose_id(ids, region)
    if not chosen:
        listed = ", ".join(f"`bedrock/{one}`" for one in ids)
        return f"{listed}, but none works in {region}"
    note = f", which {ANYWHERE}" if split_prefix(chosen)[0] == GLOBAL else ""
    return f"in {region}, use `bedrock/{chosen}`{note}"


def advise_arn(text: str, region: str) -> Iterator[str]:
    """An ARN hides its model from LiteLLM, which then makes requests as Claude takes them."""
    arn = read_arn(text)
    if arn is None:
        yield "this is not the ARN of a Bedrock model"
        return
    if not arn.model_id:
        yield "LiteLLM assumes that this ARN is a Claude model: requests to any other model fail"
    elif CLAUDE_AT_BEDROCK not in arn.model_id:
        yield f"LiteLLM assumes that an ARN is a Claude model: use `bedrock/{arn.model_id}`"
    if split_prefix(arn.model_id)[0] == GLOBAL:
        yield f"requests to a `global.` id {ANYWHERE}"
    if arn.region not in ("", region):
        yield f"the ARN is in {arn.region}, but requests go to {region}"
