"""Every field of a provider's row has an effect, in a slot and in its fallback, nowhere else."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from openclaude.compile.compiler import compile_plan
from openclaude.contracts.capabilities import Capabilities
from openclaude.models.catalog import Catalog
from openclaude.profile.library import Library
from openclaude.profile.mistakes import ProfileMistakes
from openclaude.profile.validate.warnings import find_warnings
from openclaude.providers.known import known_providers
from openclaude.providers.table import PROVIDERS, USUAL, ApiDialect, Provider
from tests.unit.providers.test_providers_table import read_slot

PROFILE = """schema = 1
[tiers.haiku]
model = "made_up/gpt-5.6-luna"
fallbacks = ["made_up_too/gpt-5.6-luna"]
api_base = "http://127.0.0.1:8000"
context_window = 2000000
max_output_tokens = 8000
"""
NAMES = ("made_up", "made_up_too")
# the default for what is not under test: its models are OpenAI's in LiteLLM's map
PLAIN: dict[str, Any] = {"map_name": "openai", "needs_key": False}
TODAY = datetime.date(2026, 11, 1)

FIRST, SECOND = 0, 1
BOTH = (FIRST, SECOND)
# every field, an unusual value, and where its effect is seen
FIELDS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "dialect": (ApiDialect.ANTHROPIC, BOTH),
    "key": ("MADE_UP_TOKEN", (SECOND,)),  # a tier with an `api_base` gets a key only by name
    "base": ("http://127.0.0.1:9000", (SECOND,)),  # the tier has its own
    "needs_base": (True, (SECOND,)),  # the tier has one
    "needs_key": (True, (FIRST,)),  # only a tier can have an `api_base` of its own
    "params": (("made_up_project",), BOTH),
    "inherits": (("MADE_UP_HOME",), BOTH),
    "is_local": (True, BOTH),
    "unusable": ("is not what you think", BOTH),
    "prefix": ("openai/", BOTH),
    "map_name": ("deepseek", BOTH),
    "serves_chats": (False, BOTH),
    "drops_max_retries": (True, BOTH),
    "takes": (USUAL._replace(supports_vision=False), BOTH),
}
# the field a row is found by, and those that only the documentation uses
SAID = {"name", "title"}
# the one that counts for Claude only, which has tests of its own (test_providers_table)
SAID |= {"claude_prefix"}


class Outcome(NamedTuple):
    """Everything that results from a profile: what is wrong with it, or what it becomes."""

    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    deployments: tuple[Any, ...] = ()
    taken: tuple[Capabilities, ...] = ()  # as the guard reads it
    units: tuple[Any, ...] = ()
    known: tuple[str, ...] = ()


def outcome(folder: Path, *rows: Provider) -> Outcome:
    """Return the result of the profile with these rows for its two providers."""
    with pytest.MonkeyPatch.context() as patch:
        for row in rows:
            patch.setitem(PROVIDERS, row.name, row)
        known = tuple(name for name in known_providers() if name in NAMES)
        catalog = Catalog.bundled()
        library = Library(folder, folder, catalog=catalog)
        try:
            loaded = library.load("mine", env={})
        except ProfileMistakes as error:
            return Outcome(mistakes=error.lines, known=known)
        plan = compile_plan("mine", loaded.profile, catalog.find, made_by="test")
        config = yaml.safe_load(plan.files["providers.yaml"])
        return Outcome(
            warnings=tuple(map(str, find_warnings(loaded, catalog, TODAY))),
            deployments=tuple(config["model_list"]),
            taken=tuple(read_slot(config)),
            units=tuple(unit._asdict() for unit in plan.units),
            known=known,
        )


def test_every_field_of_a_row_is_tested_here() -> None:
    assert {*FIELDS, *SAID} == set(Provider._kinds)


@pytest.mark.parametrize(
    ("field", "place"), [(field, place) for field in FIELDS for place in FIELDS[field][1]]
)
def test_a_field_of_a_row_is_noticed_wherever_its_provider_stands(
    tmp_path: Path, field: str, place: int
) -> None:
    (tmp_path / "mine.toml").write_text(PROFILE)
    plain = [Provider(name=name, **PLAIN) for name in NAMES]
    changed = [*plain]
    changed[place] = changed[place]._replace(**{field: FIELDS[field][0]})

    before, after = outcome(tmp_path, *plain), outcome(tmp_path, *changed)

    assert before.mistakes == ()
    assert before.known == NAMES
    assert after != before
    other = 1 - place
    if not after.mistakes:
        assert after.deployments[other] == before.deployments[other]
        assert after.taken[other] == before.taken[other]
