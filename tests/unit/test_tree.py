"""Tests are where their subject is: tests/unit has the folders of openclaude, and no others."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.unit.source import parsed

UNIT = REPOSITORY / "tests/unit"
# for what builds and what measures
ELSEWHERE = {"build", "bench"}
# about everything at once: its documents, its names, its imports
OF_THE_TREE = {
    "codes",
    "docs",
    "import_budget",
    "layers",
    "names",
    "plain_english",
    "tree",
    "worked_jobs",
}


def rooms(folder: Path) -> set[str]:
    """Return the folders that contain Python, at any depth."""
    return {path.parent.relative_to(folder).as_posix() for path in folder.rglob("*.py")} - {"."}


def test_unit_tests_have_the_rooms_of_openclaude() -> None:
    strangers = rooms(UNIT) - rooms(REPOSITORY / "openclaude") - ELSEWHERE

    assert strangers == set(), "a test of openclaude/x/ belongs in tests/unit/x/"


def test_only_tests_of_the_tree_as_a_whole_are_in_no_room() -> None:
    modules = {path.stem for path in (REPOSITORY / "openclaude").glob("*.py")}
    helpers = {path.stem for path in (REPOSITORY / "tests").glob("*.py")}
    homeless = {
        path.name
        for path in UNIT.glob("test_*.py")
        if path.stem.removeprefix("test_") not in {*modules, *helpers, *OF_THE_TREE}
    }

    assert homeless == set(), "put it into the room of its subject"


def test_every_folder_is_explained_in_one_sentence() -> None:
    """docs/architecture.md shows these sentences: a folder that needs two should be two."""
    muddled = {
        str(path.parent.relative_to(REPOSITORY)): said
        for path in sorted((REPOSITORY / "openclaude").rglob("*/__init__.py"))
        if len(said := ast.get_docstring(parsed(path)) or "") > 90
        or not re.fullmatch(r"[A-Z`][^.\n]*(?:\w\.\w[^.\n]*)*\.", said)
    }

    assert muddled == {}


def test_pytest_passes_over_none_of_our_folders(pytestconfig: pytest.Config) -> None:
    """By default it does: of folders named `build`, `dist` or `venv` it runs no test, silently."""
    folders = {path.parent for path in (REPOSITORY / "tests").rglob("test_*.py")}
    names = {name for folder in folders for name in folder.relative_to(REPOSITORY).parts}
    passed_over = pytestconfig.getini("norecursedirs")

    assert "build" in names
    assert [name for name in names if any(fnmatch(name, glob) for glob in passed_over)] == []
