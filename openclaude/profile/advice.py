"""Advice: what of a valid profile will probably disappoint.

Knows: what the model map says of a tier's model. Refuses to know: today's date, which is asked for.
Nothing here stops a profile from being used.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from openclaude.profile.catalog import Catalog, Model
from openclaude.profile.library import Loaded
from openclaude.profile.mistakes import Mistake
from openclaude.profile.schema import Tier

SMALLEST_WINDOW = 64_000
NOTICE_DAYS = 180
# By AWS's usual rule these are offered through cross-region inference profiles only, although the
# map lists their bare ids too. Not verified with an account.
USUALLY_PREFIXED = (
    "amazon.nova-2",
    "amazon.nova-premier",
    "anthropic.claude",
    "deepseek.r1",
    "meta.llama4",
)


def find_warnings(loaded: Loaded, catalog: Catalog, today: datetime.date) -> tuple[Mistake, ...]:
    """Every warning about a valid profile, in the order of the lines of its files."""
    warnings = [
        make_warning(loaded, f"tiers.{name}.{key}", message)
        for name, tier in loaded.profile.tiers.items()
        if not tier.is_claude
        for key, message in advise(tier, loaded.profile.region_of(name), catalog, today)
    ]
    paths = [source.path for source in loaded.sources]
    return tuple(sorted(warnings, key=lambda one: (paths.index(one.path), one.line)))


def make_warning(loaded: Loaded, key: str, message: str) -> Mistake:
    """A warning at the line of its key; of the tier's model where the key has a default."""
    model = loaded.provenance[f"{key.rpartition('.')[0]}.model"]
    origin = loaded.provenance[key]
    written = origin if origin.path else model
    return Mistake(
        path=written.path or loaded.sources[0].path, line=written.line, key=key, message=message
    )


def advise(
    tier: Tier, region: str | None, catalog: Catalog, today: datetime.date
) -> Iterator[tuple[str, str]]:
    """What there is to say of one tier: (key, message)."""
    model = catalog.find_model(tier.model, region)
    if not model.tools:
        yield "model", "LiteLLM's map knows no tool support for this model, and claude needs tools"
    yield from advise_window(tier, model)
    if tier.vision and not model.vision:
        yield "vision", "LiteLLM's map says that this model cannot read images"
    yield from advise_id(model, catalog.prefixed_ids(model.provider, model.id))
    yield from advise_date(model, today)


def advise_window(tier: Tier, model: Model) -> Iterator[tuple[str, str]]:
    """A window too small for claude, or larger than the model's."""
    window = tier.context_window or model.max_input_tokens
    if window < SMALLEST_WINDOW:
        yield (
            "context_window",
            f"{window} tokens: claude's instructions and tools fill that quickly",
        )
    if model.max_input_tokens and window > model.max_input_tokens:
        known = model.max_input_tokens
        yield "context_window", f"{window} is more than the {known} of LiteLLM's map"


def advise_id(model: Model, cross_region: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """A bare id where AWS probably wants one with a region's prefix."""
    if model.prefixed or (cross_region and model.id.startswith(USUALLY_PREFIXED)):
        known = ", ".join(f"`bedrock/{name}`" for name in cross_region)
        yield "model", f"AWS usually offers this model only under an id with a prefix: {known}"


def advise_date(model: Model, today: datetime.date) -> Iterator[tuple[str, str]]:
    """The provider stops serving the model soon, or has stopped."""
    if not model.deprecation_date:
        return
    ends = datetime.date.fromisoformat(model.deprecation_date)
    if ends < today:
        yield "model", f"was to be retired on {ends} (LiteLLM's map)"
    elif ends - today <= datetime.timedelta(days=NOTICE_DAYS):
        yield "model", f"will be retired on {ends} (LiteLLM's map)"
