"""`openclaude models`: what can be put in a tier.

Knows: the word's options, and which models are meant by them. Refuses to know: what they look like
on a terminal, which is `models_text`'s.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Mapping
from typing import NamedTuple

from openclaude.commands.models_text import as_data, detail_text, table_text
from openclaude.errors import OpenclaudeError, UsageError, nearest
from openclaude.facts import LITELLM_VERSION
from openclaude.output import Result
from openclaude.places import Places
from openclaude.profile.catalog import Catalog, Model
from openclaude.profile.catalog_nearest import find_nearest
from openclaude.profile.catalog_ready import NOTICE_DAYS, SMALLEST_WINDOW, is_tier_ready

READY = f"tools, a window of {SMALLEST_WINDOW}, an output cap, {NOTICE_DAYS} days to live"


class Asked(NamedTuple):
    """What a command line asks for."""

    query: str = ""
    provider: str = ""
    tier_ready: bool = False


class NoProvider(UsageError):
    """A provider that LiteLLM does not have."""

    code = "provider-unknown"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        near = nearest(name, known)
        meant = f"did you mean `{near}`? " if near else ""
        super().__init__(
            f"no provider named `{name}`", hint=f"{meant}providers: {', '.join(known)}"
        )


class NoModel(OpenclaudeError):
    """Nothing in LiteLLM's map is what was asked for."""

    code = "model-not-found"

    def __init__(self, asked: Asked, everything: list[Model], named: list[Model]) -> None:
        if not everything:
            super().__init__(
                f"LiteLLM's map has no models of `{asked.provider}`",
                hint="a tier can name any of its models, with `context_window` and "
                "`max_output_tokens`",
            )
        elif named:
            super().__init__(
                f"no such model is ready for a tier: {READY}",
                hint=f"without `--tier-ready` there is `{named[0].name}`"
                + (f" and {len(named) - 1} more" if len(named) > 1 else ""),
            )
        else:
            of = f" of `{asked.provider}`" if asked.provider else ""
            near = find_nearest(asked.query, (model.name for model in everything))
            meant = " or ".join(f"`{one}`" for one in near)
            super().__init__(
                f"no model{of} is called `{asked.query}` in LiteLLM's map",
                hint=f"did you mean {meant}?" if near else "`openclaude models` lists them all",
            )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The word's options."""
    parser.add_argument("query", nargs="*", metavar="QUERY", help="words of a model's name")
    parser.add_argument("--provider", metavar="NAME", default="", help="only this one's models")
    parser.add_argument(
        "--tier-ready", action="store_true", help="only those that claude can work with in a tier"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:  # noqa: ARG001
    """Show the models that are meant: one in full, several as a table."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    catalog = Catalog.bundled()
    asked = Asked(" ".join(arguments.query), arguments.provider, arguments.tier_ready)
    return show(find_models(catalog, asked, today), catalog, as_json=arguments.json)


def show(models: list[Model], catalog: Catalog, *, as_json: bool) -> Result:
    """The models in the one form that is wanted: either is work where there are thousands."""
    if as_json:
        source = {"litellm": LITELLM_VERSION, "path": str(catalog.path)}
        return Result(data={"map": source, "models": [as_data(one, catalog) for one in models]})
    return Result(text=detail_text(models[0], catalog) if len(models) == 1 else table_text(models))


def find_models(catalog: Catalog, asked: Asked, today: datetime.date) -> list[Model]:
    """The models that are meant, by provider and id. Raises NoProvider, NoModel."""
    if asked.provider and asked.provider not in catalog.providers():
        raise NoProvider(asked.provider, catalog.providers())
    everything = list(catalog.models(asked.provider))
    named = choose(everything, asked.query)
    found = [one for one in named if not asked.tier_ready or is_tier_ready(one, today)]
    if not found:
        raise NoModel(asked, everything, named)
    return found


def choose(models: list[Model], query: str) -> list[Model]:
    """The one model of that name, else all that hold every word."""
    exact = [model for model in models if query in (model.name, f"{model.provider}/{model.id}")]
    words = query.lower().split()
    return exact or [
        model
        for model in models
        if all(word in f"{model.provider}/{model.id}".lower() for word in words)
    ]
