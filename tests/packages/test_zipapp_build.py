"""How the zipapp is built: the same bytes twice, and a list of removals that is correct."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "build/zipapp.d"))
from removals import UntrueRemoval, remove

LIST = '[[removed]]\nfiles = ["*/tests/*"]\nkeep = ["a/tests/kept"]\nwhy = "tests"\nkb = 2\n'


def build(out: Path, **more: str) -> str:
    """Build fast, with weak compression; return the archive's digest."""
    env = {**os.environ, "PYTHON": sys.executable, "OPENCLAUDE_SETUP_DONE": "1", **more}
    subprocess.run(
        (REPOSITORY / "build/zipapp", "--fast", "--out", out),
        env=env,
        check=True,
        capture_output=True,
    )
    return sha256((out / "openclaude.pyz").read_bytes()).hexdigest()


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    one = build(tmp_path / "one")
    two = build(tmp_path / "two", PYTHONHASHSEED="7", TZ="Asia/Tokyo", LC_ALL="C")

    assert one == two


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with two tests of one kilobyte each, and another file."""
    for name in ("a/tests/one", "a/tests/two", "a/tests/kept", "a/b"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1024))
    (tmp_path / "removals.toml").write_text(LIST)
    return tmp_path / "tree"


def test_only_what_is_listed_is_removed(tree: Path) -> None:
    remove(tree, tree.parent / "removals.toml")

    assert {path.name for path in tree.rglob("*") if path.is_file()} == {"kept", "b"}


@pytest.mark.parametrize("gone", [("a/tests/one",), ("a/tests/one", "a/tests/two")])
def test_a_removal_that_is_not_as_listed_ends_the_build(gone: tuple[str, ...], tree: Path) -> None:
    for name in gone:
        (tree / name).unlink()

    with pytest.raises(UntrueRemoval, match=r"2 kb listed, [01] found"):
        remove(tree, tree.parent / "removals.toml")
