"""The cache of plans: used while nothing has changed, never otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaude import plan_cache
from openclaude.paths import Places, find_places
from openclaude.plan_cache import find_plan
from openclaude.program import ExtraMissing

TEXT = 'schema = 1\nextends = "qwen"\n[listen]\nport = 4100\n'


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = find_places({"HOME": str(tmp_path)})
    made.profiles.mkdir(parents=True)
    (made.profiles / "mine.toml").write_text(TEXT)
    return made


@pytest.fixture
def compiles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names that were compiled, not taken from the cache."""
    seen: list[str] = []
    real = plan_cache.compile_and_keep

    def counted(name: str, *arguments: object) -> object:
        seen.append(name)
        return real(name, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(plan_cache, "compile_and_keep", counted)
    return seen


def test_the_second_launch_compiles_nothing(places: Places, compiles: list[str]) -> None:
    first = find_plan("mine", places, {})

    assert find_plan("mine", places, {}) == first
    assert compiles == ["mine"]


def test_an_edit_of_the_profile_or_of_its_parent_is_seen(
    places: Places, compiles: list[str]
) -> None:
    find_plan("mine", places, {})
    (places.profiles / "mine.toml").write_text(TEXT.replace("4100", "4200"))
    assert find_plan("mine", places, {}).port == 4200

    # a file of the user's that now hides the built-in parent
    parent = (places.shipped / "base.toml").read_text().replace("4000", "4300")
    (places.profiles / "base.toml").write_text(parent)
    (places.profiles / "mine.toml").write_text('schema = 1\nextends = "qwen"\n')
    assert find_plan("mine", places, {}).port == 4300
    assert compiles == ["mine", "mine", "mine"]


def test_a_new_file_that_hides_a_shipped_parent_is_seen(
    places: Places, compiles: list[str]
) -> None:
    (places.profiles / "mine.toml").write_text('schema = 1\nextends = "qwen"\n')
    before = find_plan("mine", places, {})
    parent = (places.shipped / "base.toml").read_text().replace("4000", "4300")
    (places.profiles / "base.toml").write_text(parent)

    assert (before.port, find_plan("mine", places, {}).port) == (4000, 4300)


def test_overrides_have_a_plan_of_their_own(places: Places, compiles: list[str]) -> None:
    env = {"OPENCLAUDE_LITELLM_PORT": "4500", "OTHER": "x"}

    ports = [find_plan("mine", places, e).port for e in ({}, env, {}, env)]

    assert ports == [4100, 4500, 4100, 4500]
    assert compiles == ["mine", "mine"]


def test_another_folder_of_profiles_has_another_plan_of_the_same_name(
    places: Places, tmp_path: Path
) -> None:
    other = places._replace(config=tmp_path / "other")
    other.profiles.mkdir(parents=True)
    (other.profiles / "mine.toml").write_text(TEXT.replace("4100", "4200"))

    assert find_plan("mine", places, {}).port == 4100
    assert find_plan("mine", other, {}).port == 4200
    assert find_plan("mine", places, {}).port == 4100


@pytest.mark.parametrize("garbage", ["", "{", "[]", "null", '{"made_by": 1}', '{"plan": "{}"}'])
def test_a_torn_or_foreign_cache_is_compiled_again(
    places: Places, compiles: list[str], garbage: str
) -> None:
    plan = find_plan("mine", places, {})
    (places.cache / "plans" / "mine.plain.json").write_text(garbage)

    assert find_plan("mine", places, {}) == plan
    assert compiles == ["mine", "mine"]


@pytest.mark.parametrize("key", ["made_by", "stamps", "sources"])
def test_a_cache_of_another_world_is_compiled_again(
    places: Places, compiles: list[str], key: str
) -> None:
    plan = find_plan("mine", places, {})
    cache = places.cache / "plans" / "mine.plain.json"
    kept = json.loads(cache.read_text())
    kept[key] = {"made_by": "0.0.0", "stamps": {__file__: [1, 1]}, "sources": {"/none": ""}}[key]
    cache.write_text(json.dumps(kept))

    assert find_plan("mine", places, {}) == plan
    assert compiles == ["mine", "mine"]


@pytest.mark.parametrize(
    ("name", "value"), [("port", "4000"), ("units", [{"name": 1}]), ("tiers", {}), ("more", 1)]
)
def test_a_cached_plan_with_wrong_types_is_compiled_again(
    places: Places, compiles: list[str], name: str, value: object
) -> None:
    plan = find_plan("mine", places, {})
    cache = places.cache / "plans" / "mine.plain.json"
    kept = json.loads(cache.read_text())
    kept["plan"] = json.dumps({**json.loads(kept["plan"]), name: value})
    cache.write_text(json.dumps(kept))

    assert find_plan("mine", places, {}) == plan
    assert compiles == ["mine", "mine"]


def test_a_cache_that_cannot_be_written_costs_only_time(places: Places) -> None:
    places.cache.parent.mkdir(parents=True, exist_ok=True)
    places.cache.write_text("a file where the folder should be")

    assert find_plan("mine", places, {}).port == 4100


def test_a_cached_plan_holds_no_secret_and_is_private(places: Places) -> None:
    find_plan("mine", places, {"OPENCLAUDE_AWS_PROFILE": "work"})
    cache = places.cache / "plans" / "mine.overridden.json"

    assert cache.stat().st_mode & 0o777 == 0o600
    assert places.cache.stat().st_mode & 0o777 == 0o700
    assert "sk-openclaude" not in cache.read_text()


def test_a_launch_without_the_packages_of_its_profile_says_so_until_they_are_there(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{TEXT}[telemetry]\nprometheus = 9464\n"
    (places.profiles / "mine.toml").write_text(text)
    monkeypatch.setattr("openclaude.program.OTEL", ("a-package-that-is-nowhere",))
    with pytest.raises(ExtraMissing):
        find_plan("mine", places, {})
    with pytest.raises(ExtraMissing):
        find_plan("mine", places, {})

    monkeypatch.setattr("openclaude.program.OTEL", ())

    assert find_plan("mine", places, {}).port == 4100
