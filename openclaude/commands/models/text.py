"""How models look: a table of many, one in full, JSON.

Knows: columns, units, what a dash means. Independent of: which models were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from openclaude.litellm_version import LITELLM_VERSION
from openclaude.models.catalog import Catalog, Model
from openclaude.providers.bedrock import split_prefix
from openclaude.terminal.screen import FILE, Screen
from openclaude.terminal.tables import Column, paragraph, table

MILLION = 1_000_000
UNKNOWN = "-"
HEADER = ("MODEL", "IN", "OUT", "WINDOW", "OUTPUT", "TOOLS", "VISION", "CACHE", "RETIRES")
COLUMNS = (Column(HEADER[0]), *(Column(title, right=True) for title in HEADER[1:]))
SOURCE = f"from the map of LiteLLM {LITELLM_VERSION}, not from the provider"


def table_text(models: Sequence[Model], notes: Sequence[str] = (), screen: Screen = FILE) -> str:
    """One line for each model, and what the numbers are."""
    lines = table(COLUMNS, (cells(model) for model in models), screen)
    more = " (+: more for long prompts)" if any(model.steps for model in models) else ""
    note = f"{len(models)} models; US$ per million tokens{more}, {SOURCE}"
    said = "".join(f"{paragraph(one, screen)}\n" for one in (*notes, note))
    return f"{lines}\n{said}"


def cells(model: Model) -> tuple[str, ...]:
    """A model's line."""
    return (
        model.name,
        *prices(model),
        *limits(model),
        *("yes" if able else UNKNOWN for able in (model.tools, model.vision, model.caching)),
        model.deprecation_date or UNKNOWN,
    )


def prices(model: Model) -> tuple[str, str]:
    """Input and output, with a `+` where they depend on the prompt's size."""
    mark = "+" if model.steps else ""
    return price(model.input_cost, mark), price(model.output_cost, mark)


def limits(model: Model) -> tuple[str, str]:
    """Window and output cap."""
    return (str(model.max_input_tokens or UNKNOWN), str(model.max_output_tokens or UNKNOWN))


def price(cost: float | None, mark: str = "") -> str:
    """US dollars per million tokens, to four digits: some rows are converted ones."""
    if cost is None:
        return UNKNOWN
    digits = f"{float(f'{cost * MILLION:.4g}'):.6f}"
    return digits.rstrip("0").rstrip(".") + mark


def per_million(cost: float) -> float:
    """A token's price times a million, without what floating point adds."""
    return round(cost * MILLION, 6)


# --- one model


def detail_text(model: Model, catalog: Catalog, screen: Screen = FILE) -> str:
    """Everything in the map about one model, and the line for a profile."""
    blocks = [
        f"{model.name}\n",
        "".join(f"  {what:<20} {said}\n" for what, said in abilities(model)),
        variants_text("REGION", catalog.regional(model), screen),
        variants_text("OTHER ID", ((one.name, one) for one in siblings(model, catalog)), screen),
        f'In a profile:\n\n  [tiers]\n  haiku = "{model.name}"\n{still_missing(model)}',
        f"{paragraph(f'US$ per million tokens, {SOURCE}; a dash means unknown', screen)}\n",
    ]
    return "\n".join(block for block in blocks if block)


def abilities(model: Model) -> Iterator[tuple[str, str]]:
    """Name and value of each property."""
    yield "input", price(model.input_cost)
    yield "output", price(model.output_cost)
    yield "input from cache", price(model.cached_cost)
    for step in model.steps:
        said = f"input {price(step.input_cost)}, output {price(step.output_cost)}"
        yield f"prompts > {step.above}", said
    yield from zip(("window", "output cap"), limits(model), strict=True)
    for what, able in abilities_of(model).items():
        yield what.replace("_", " "), "yes" if able else UNKNOWN
    yield "retires", model.deprecation_date or UNKNOWN


def abilities_of(model: Model) -> dict[str, bool]:
    """What a model can do."""
    return {
        "tools": model.tools,
        "vision": model.vision,
        "pdf": model.pdf,
        "reasoning": model.reasoning,
        "caching": model.caching,
        "structured_output": model.structured,
    }


def still_missing(model: Model) -> str:
    """The keys that a tier must set, because the map has no numbers for them."""
    known = {"context_window": model.max_input_tokens, "max_output_tokens": model.max_output_tokens}
    keys = " or ".join(f"`{key}`" for key, number in known.items() if not number)
    return f"  # the map has no {keys}: set it under [tiers.haiku]\n" if keys else ""


def variants_text(title: str, variants: Iterable[tuple[str, Model]], screen: Screen) -> str:
    """Prices and limits of the same model elsewhere; "" if there is none."""
    rows = [(name, *prices(model), *limits(model)) for name, model in variants]
    return table((title, *HEADER[1:5]), rows, screen) if rows else ""


def siblings(model: Model, catalog: Catalog) -> Iterator[Model]:
    """The other ids of a model on Bedrock: the bare one and those with a prefix."""
    bare = split_prefix(model.id)[1]
    prefixed = catalog.prefixed_ids(model.provider, bare)
    for model_id in (bare, *prefixed):
        found = catalog.find(model.provider, model_id)
        if found and not found.prefixed and model_id != model.id:
            yield found


# --- JSON


def as_data(model: Model, catalog: Catalog) -> dict[str, object]:
    """A model as JSON; null means that the map has no value."""
    return {
        "name": model.name,
        "provider": model.provider,
        "id": model.id,
        **numbers(model),
        "cached_input_usd_per_million": in_dollars(model.cached_cost),
        "long_prompts": [
            {
                "above_tokens": step.above,
                "input_usd_per_million": in_dollars(step.input_cost),
                "output_usd_per_million": in_dollars(step.output_cost),
            }
            for step in model.steps
        ],
        **abilities_of(model),
        "retires": model.deprecation_date or None,
        "regions": {region: numbers(found) for region, found in catalog.regional(model)},
        "other_ids": [found.name for found in siblings(model, catalog)],
    }


def numbers(model: Model) -> dict[str, object]:
    """Prices and limits as JSON."""
    return {
        "input_usd_per_million": in_dollars(model.input_cost),
        "output_usd_per_million": in_dollars(model.output_cost),
        "window": model.max_input_tokens or None,
        "output_cap": model.max_output_tokens or None,
    }


def in_dollars(cost: float | None) -> float | None:
    """A token's price as JSON."""
    return None if cost is None else per_million(cost)
