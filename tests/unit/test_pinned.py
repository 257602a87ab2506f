"""Each pinned version is in one place; everywhere else it is derived, or says when a fact was seen.

claude's is in tests/e2e/claude/package.json, LiteLLM's in pyproject.toml.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.litellm_version import LITELLM_VERSION
from tests.conftest import REPOSITORY
from tests.pinned import CLAUDE_VERSION
from tests.unit.source import parsed

sys.path.insert(0, str(REPOSITORY / "build/lock.d"))  # build/ is not a package
from litellm_pin import MODULE, pinned, with_version

FOLDERS = ("build", "docs", "openclaude", "profiles", "share", "tests", ".github")
NO_TEXT = {".pyc", ".xz", ".png"}
# Files that may contain a version: the place itself, and what a tool writes from it
HOLDERS = {
    CLAUDE_VERSION: {
        "tests/e2e/claude/package.json",
        "tests/e2e/claude/package-lock.json",  # npm
        "openclaude/compat.json",  # build/contract
    },
    LITELLM_VERSION: {
        "pyproject.toml",
        "openclaude/litellm_version.py",  # build/lock
        "build/requirements.lock",
        "build/nix/wheels.json",
        "openclaude/compat.json",
        "tests/contract/budgets.json",
    },
}
# measurements and recordings with their versions, and generated tables
MEASURED = re.compile(r"^(docs/(?:bench|recording)/.*|CHANGELOG\.md)$")
GENERATED = re.compile(r"<!-- generated: .*?<!-- end -->", re.DOTALL)
# a sentence that names the version with which something was seen
DATED = re.compile(r"(?i)measured|seen|claude code|claude \d|litellm")


def files() -> Iterator[Path]:
    """Return all our text files."""
    yield from (path for path in REPOSITORY.iterdir() if path.is_file())
    for folder in FOLDERS:
        for path in (REPOSITORY / folder).rglob("*"):
            if path.is_file() and path.suffix not in NO_TEXT and "node_modules" not in path.parts:
                yield path


def copies(version: str) -> Iterator[str]:
    """Return all further copies of a version that would have to be changed with it."""
    for path in files():
        name = str(path.relative_to(REPOSITORY))
        if name in HOLDERS[version] or MEASURED.match(name):
            continue
        if version.encode() not in path.read_bytes():
            continue
        if path.suffix == ".py":
            yield from (f"{name}:{line}" for line in literals(path, version))
        else:
            text = GENERATED.sub("", path.read_text("utf-8"))
            lines = [line for line in text.splitlines() if version in line]
            yield from (f"{name}: {line}" for line in lines if not DATED.search(line))


def literals(path: Path, version: str) -> Iterator[int]:
    """Return the lines where a version is a value; a comment or docstring only says when."""
    tree = parsed(path)
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in said and version in str(getattr(node, "value", "")):
            yield int(getattr(node, "lineno", 0))


@pytest.mark.parametrize("version", [CLAUDE_VERSION, LITELLM_VERSION])
def test_a_version_that_is_pinned_is_in_one_place(version: str) -> None:
    assert list(copies(version)) == []


def test_a_copy_in_a_program_is_found_and_a_remark_is_none(tmp_path: Path) -> None:
    path = tmp_path / "made_up.py"
    path.write_text(
        f'"""Measured with {CLAUDE_VERSION}."""\n# {CLAUDE_VERSION}\nX = "{CLAUDE_VERSION}"\n'
    )

    assert list(literals(path, CLAUDE_VERSION)) == [3]


def test_the_module_that_checks_litellm_has_the_pin_of_pyproject() -> None:
    version = pinned((REPOSITORY / "pyproject.toml").read_text())

    assert version == LITELLM_VERSION
    assert with_version(MODULE.read_text(), version) == MODULE.read_text()
    assert 'LITELLM_VERSION = "9.9.9"' in with_version(MODULE.read_text(), "9.9.9")
