"""`openclaude aws setup --method api-key`: the profile gets a reference, never the key."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import pytest

from openclaude.aws.answers import BadAnswer
from openclaude.commands.aws.api_key import set_up_key
from openclaude.compile.compiler import compile_plan
from openclaude.contracts.decode import encode
from openclaude.errors import OpenclaudeError
from openclaude.models.catalog import Catalog
from openclaude.paths import Places, find_places
from openclaude.profile.library import Library

KEY = "ABSKCANARY-bedrock-key-CANARY"
BEDROCK = "AWS_BEARER_TOKEN_BEDROCK"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return find_places({"HOME": str(tmp_path)})


def asked(**more: object) -> argparse.Namespace:
    usual = {"profile": "bedrock", "region": None, "keys_from_stdin": True, "json": False}
    return argparse.Namespace(**{**usual, "yes": True, "dry_run": False, **more})


def holding(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and b"CANARY" in path.read_bytes()]


def test_the_key_is_in_one_file_and_reaches_providers_alone_by_reference(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{KEY}\n"))

    done = set_up_key(asked(region="us-east-1"), places, {"HOME": str(tmp_path)})

    assert "CANARY" not in repr(done)
    (file,) = holding(tmp_path)
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{KEY}\n", 0o600)
    assert file.parent.stat().st_mode & 0o077 == 0
    profile = Library(places.profiles, places.shipped).load("bedrock", env={}).profile
    assert (str(profile.aws.api_key), profile.aws.region) == (f"file:{file}", "us-east-1")
    plan = compile_plan("bedrock", profile, Catalog.bundled().find, made_by="test")
    assert "CANARY" not in json.dumps(encode(plan))
    reading = {unit.name for unit in plan.units if f"file:{file}" in unit.secrets.values()}
    assert reading == {"providers"}  # `main` knows the name of the file, for its messages


def test_a_key_in_the_environment_stays_there(places: Places, tmp_path: Path) -> None:
    done = set_up_key(asked(keys_from_stdin=False), places, {"HOME": str(tmp_path), BEDROCK: KEY})

    assert "CANARY" not in repr(done)
    assert holding(tmp_path) == []
    profile = Library(places.profiles, places.shipped).load("bedrock", env={}).profile
    assert str(profile.aws.api_key) == f"env:{BEDROCK}"


@pytest.mark.parametrize("text", ["", "short", "CANARY of several words", "CANARY-0123456789\x1b"])
def test_what_is_no_key_is_refused_and_never_repeated(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))

    with pytest.raises(BadAnswer) as refused:
        set_up_key(asked(), places, {"HOME": str(tmp_path)})

    assert "CANARY" not in str(refused.value)
    assert list(tmp_path.rglob("*.toml")) == holding(tmp_path) == []


def test_a_profile_that_cannot_be_changed_leaves_the_old_key(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = places.config / "keys" / "bedrock"
    for before in (None, "the-key-of-before\n"):
        if before:
            path.write_text(before)
        monkeypatch.setattr("sys.stdin", io.StringIO(KEY))

        with pytest.raises(OpenclaudeError):
            set_up_key(asked(region="nowhere-1"), places, {"HOME": str(tmp_path)})

        assert holding(tmp_path) == []
        assert not path.exists() if before is None else path.read_text() == before


def test_a_dry_run_writes_nothing(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(KEY))

    done = set_up_key(asked(dry_run=True), places, {"HOME": str(tmp_path)})

    assert "aws.api_key=file:" in done.text
    assert holding(tmp_path) == []
