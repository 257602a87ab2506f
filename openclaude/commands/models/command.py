"""`openclaude models`: the models that a tier can use.

Knows: the command's options, and which models they select. Independent of: how they are shown,
which `text` knows.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from openclaude.commands.help_page import COLOUR, HelpPage, add_json, add_page
from openclaude.commands.models.text import as_data, detail_text, table_text
from openclaude.errors import OpenclaudeError, UsageError, nearest
from openclaude.litellm_version import LITELLM_VERSION
from openclaude.models.catalog import Catalog, Model
from openclaude.models.nearest import find_nearest
from openclaude.models.readiness import NOTICE_DAYS, SMALLEST_WINDOW, is_retired, is_tier_ready
from openclaude.models.suitability import TIERS, WHY, suitable
from openclaude.output import Result
from openclaude.paths import Places
from openclaude.profile.names import shorten
from openclaude.providers.known import known_providers
from openclaude.terminal.screen import FILE, Screen, find_screen

READY = (
    f"tools, a window of {SMALLEST_WINDOW} tokens, an output cap, "
    f"and {NOTICE_DAYS} days until it retires"
)


class ModelQuery(NamedTuple):
    """What a command line asks for."""

    query: str = ""
    provider: str = ""
    tier_ready: bool = False
    tier: str = ""  # only what suits this tier, the best first
    retired: bool = False  # retired ones too


class FoundModels(NamedTuple):
    """The models that a command line selects."""

    models: list[Model]
    hidden: int = 0  # retired ones that match, too


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
    """No model in LiteLLM's map matches."""

    code = "model-not-found"

    def __init__(self, asked: ModelQuery, everything: list[Model], named: list[Model]) -> None:
        if not everything:
            super().__init__(
                f"LiteLLM's map has no models of `{asked.provider}`",
                hint="a tier can name any of its models, with `context_window` and "
                "`max_output_tokens`",
            )
        elif named and not asked.retired and not (asked.tier_ready or asked.tier):
            super().__init__(
                f"every model that matches `{asked.query}` has been retired",
                hint=f"`--all` shows them too: `{named[0].name}`"
                + (f" and {len(named) - 1} more" if len(named) > 1 else ""),
            )
        elif named:
            super().__init__(
                f"no matching model is ready for a tier, which needs {READY}",
                hint=f"without `{FILTERS[bool(asked.tier)]}`: `{named[0].name}`"
                + (f" and {len(named) - 1} more" if len(named) > 1 else ""),
            )
        else:
            of = f" of `{asked.provider}`" if asked.provider else ""
            near = find_nearest(asked.query, (model.name for model in everything))
            meant = " or ".join(f"`{one}`" for one in near)
            super().__init__(
                f"no model{of} is called `{shorten(asked.query)}` in LiteLLM's map",
                hint=f"did you mean {meant}?" if near else "`openclaude models` lists them all",
            )


FILTERS = {False: "--tier-ready", True: "--for"}
PAGE = HelpPage(
    text="""\
List the models that a tier can use, with prices per million tokens, context
window and features. If one model matches, show it in full, with the line for a
profile. The figures are from the map bundled with LiteLLM. On a terminal, a list
that is longer than the screen is shown in your pager.""",
    examples=("openclaude models qwen coder", "openclaude models --for haiku --provider bedrock"),
    variables=(("PAGER", "shows long lists (default: less; cat: none)"), *COLOUR),
    docs="docs/profiles.md",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    parser.add_argument("query", nargs="*", metavar="QUERY", help="parts of a model's name")
    parser.add_argument(
        "--provider", metavar="NAME", default="", help="show only the models of this provider"
    )
    parser.add_argument(
        "--tier-ready", action="store_true", help="show only models that can serve a tier"
    )
    parser.add_argument(
        "--for",
        dest="tier",
        metavar="TIER",
        choices=TIERS,
        default="",
        help="show what suits this tier, the best first: haiku, sonnet, opus or fable",
    )
    parser.add_argument(
        "--all", dest="retired", action="store_true", help="show retired models too"
    )
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:  # noqa: ARG001
    """Show the selected models: one in full, several as a table."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    catalog = Catalog.bundled()
    asked = ModelQuery(
        query=" ".join(arguments.query),
        provider=arguments.provider,
        tier_ready=arguments.tier_ready,
        tier=arguments.tier,
        retired=arguments.retired,
    )
    found = find_models(catalog, asked, today)
    notes = [f"for {asked.tier}: {WHY[asked.tier]}"] if asked.tier else []
    if found.hidden:
        notes.append(f"{found.hidden} retired models are not shown: `--all` shows them")
    screen = find_screen(sys.stdout, env)
    return show(found.models, catalog, as_json=arguments.json, notes=notes, screen=screen)


def show(
    models: list[Model],
    catalog: Catalog,
    *,
    as_json: bool,
    notes: Sequence[str] = (),
    screen: Screen = FILE,
) -> Result:
    """The models as text or as data, whichever is needed: both take time for thousands."""
    if as_json:
        source = {"litellm": LITELLM_VERSION, "path": str(catalog.path)}
        return Result(data={"map": source, "models": [as_data(one, catalog) for one in models]})
    if len(models) == 1:
        return Result(text=detail_text(models[0], catalog, screen))
    return Result(text=table_text(models, notes, screen), is_long=True)


def find_models(catalog: Catalog, asked: ModelQuery, today: datetime.date) -> FoundModels:
    """The selected models, by provider and id, or the best first. Raises NoProvider, NoModel."""
    if asked.provider and asked.provider not in known_providers():
        raise NoProvider(asked.provider, known_providers())
    everything = list(catalog.models(asked.provider))
    named = choose(everything, asked.query)
    shown = named
    if not asked.retired and not is_name(asked.query, named):
        shown = [one for one in named if not is_retired(one, today)]
    hidden = len(named) - len(shown)
    if asked.tier_ready:
        shown = [one for one in shown if is_tier_ready(one, today)]
    if asked.tier:
        shown = suitable(shown, asked.tier, today)
    if not shown:
        raise NoModel(asked, everything, named)
    return FoundModels(shown, 0 if asked.tier_ready or asked.tier else hidden)


def choose(models: list[Model], query: str) -> list[Model]:
    """The one model of that name, else all that contain every word."""
    exact = [model for model in models if query in (model.name, f"{model.provider}/{model.id}")]
    words = query.lower().split()
    return exact or [
        model
        for model in models
        if all(word in f"{model.provider}/{model.id}".lower() for word in words)
    ]


def is_name(query: str, models: list[Model]) -> bool:
    """Whether a query is the whole name of every model: such a model is shown in any case."""
    return all(query in (model.name, f"{model.provider}/{model.id}") for model in models)
