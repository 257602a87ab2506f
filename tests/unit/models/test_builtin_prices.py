"""The prices in the comments of built-in profiles are those in LiteLLM's map."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from openclaude.models.catalog import Catalog
from tests.conftest import REPOSITORY

PROFILES = sorted((REPOSITORY / "profiles").glob("*.toml"))
BUNDLED = Catalog.bundled()
# the map has no price: a server of the user's own, or one whose prices it does not know
WITHOUT = {"local", "offline", "ollama", "openrouter"}


def prices(path: Path) -> set[str]:
    """Return the prices of a profile's models, input and output, as written in its comment."""
    table = tomllib.loads(path.read_text())
    region = table.get("aws", {}).get("region")
    found = set()
    for tier in table.get("tiers", {}).values():
        model = BUNDLED.find_model(tier["model"], region)
        assert model.input_cost is not None
        assert model.output_cost is not None
        found.add(f"{model.input_cost * 1e6:.2f} / {model.output_cost * 1e6:.2f}")
    return found


@pytest.mark.parametrize(
    "path", [one for one in PROFILES if one.stem not in WITHOUT], ids=lambda path: path.stem
)
def test_a_profile_says_what_its_models_cost(path: Path) -> None:
    comment = " ".join(line for line in path.read_text().splitlines() if line.startswith("#"))

    assert {price for price in prices(path) if price not in comment} == set()


def test_the_others_have_models_that_the_map_does_not_price() -> None:
    assert {path.stem for path in PROFILES} > WITHOUT
    for path in PROFILES:
        if path.stem in WITHOUT:
            with pytest.raises((LookupError, AssertionError)):
                prices(path)
