"""`openclaude serve`: which profiles it refuses, before anything is read or listened on."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from openclaude.commands.serve.command import CannotServe, ending_of, make_service
from openclaude.compile.compiler import compile_plan
from openclaude.contracts.plan import Plan
from openclaude.errors import UsageError
from openclaude.models.catalog import Catalog
from openclaude.profile.library import Library

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
