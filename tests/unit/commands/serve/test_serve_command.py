"""`openclaude serve`: which profiles it refuses, before anything is read or listened on."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from openclaude.commands.serve.command import (
    CannotServe,
    ending_of,
    make_service,
    plan_of,
    providers_of,
)
from openclaude.compile.compiler import compile_plan
from openclaude.contracts.plan import Plan
from openclaude.errors import UsageError
from openclaude.models.catalog import Catalog
from openclaude.paths import find_places
from openclaude.profile.library import Library
from tests.unit.export.made import BEDROCK, made

NOVA = "bedrock/amazon.nova-lite-v1:0"
TEAM = """\
schema = 1
[tiers.haiku]
model = "bedrock/qwen.qwen3-next-80b-a3b"
vision = {vision}
[aws]
profile = "p"
region = "us-west-2"
"""
PLACES = find_places({"HOME": "/home/nobody"})
NO_CERTIFICATE = argparse.Namespace(cert=None, cert_key=None, keys=Path("people.keys"))


def plan_with(folder: Path, vision: str) -> Plan:
    (folder / "team.toml").write_text(TEAM.format(vision=vision))
    catalog = Catalog.bundled()
    loaded = Library(folder, folder, catalog=catalog).load("team", env={})
    return compile_plan("team", loaded.profile, catalog.find, made_by="test")


def test_a_profile_that_has_images_described_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotServe) as refused:
        make_service(NO_CERTIFICATE, plan_with(tmp_path, f'"{NOVA}"'))

    assert str(refused.value) == (
        "the profile `team` names who describes images (`tiers.haiku.vision`), and a team's server "
        "describes none"
    )
    assert "remove `tiers.haiku.vision`" in (refused.value.hint or "")


def test_a_profile_that_says_whether_a_model_sees_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs `--cert`"):
        make_service(NO_CERTIFICATE, plan_with(tmp_path, "false"))


@pytest.mark.parametrize(("drain", "grace"), [(-1, 10), (0, -1), (3601, 10), (0, 3601)])
def test_an_end_that_takes_no_time_of_this_world_is_refused(drain: int, grace: int) -> None:
    with pytest.raises(UsageError, match="must be 0 to 3600 seconds"):
        ending_of(argparse.Namespace(drain=drain, grace=grace))


# A plan of `openclaude export` --------------------------------------------------------------------


def exported(folder: Path, text: str | None) -> argparse.Namespace:
    path = folder / "plan.json"
    if text is not None:
        path.write_text(text)
    return argparse.Namespace(plan=path, profile=None)


def test_an_exported_plan_is_served_as_it_is(tmp_path: Path) -> None:
    served = made(BEDROCK)

    plan = plan_of(exported(tmp_path, served.plan), PLACES, {})

    assert (plan.profile, plan.digest) == ("team", served.digest)
    assert providers_of(plan).name == "providers"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read, or is empty"),
        ("", "cannot be read, or is empty"),
        ("{", "it is not JSON"),
        ("[]", "it is from another version"),
        ('{"version": 2}', "it is from another version"),
    ],
)
def test_what_is_no_plan_is_refused_with_the_way_to_make_one(
    tmp_path: Path, text: str | None, said: str
) -> None:
    with pytest.raises(CannotServe, match=said) as refused:
        plan_of(exported(tmp_path, text), PLACES, {})

    assert "openclaude export" in (refused.value.hint or "")


def test_a_plan_whose_profile_is_a_path_is_refused(tmp_path: Path) -> None:
    text = made(BEDROCK).plan.replace('"profile": "team"', '"profile": "../../x"')

    with pytest.raises(UsageError, match="cannot be a profile name"):
        plan_of(exported(tmp_path, text), PLACES, {})


def test_a_profile_beside_a_plan_is_refused(tmp_path: Path) -> None:
    arguments = argparse.Namespace(plan=tmp_path / "plan.json", profile="team")

    with pytest.raises(UsageError, match="not both"):
        plan_of(arguments, PLACES, {})
