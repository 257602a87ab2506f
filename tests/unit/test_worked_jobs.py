"""The worked jobs of CONTRIBUTING.md, done as they are written, on a copy of the sources."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
JOBS = dict(re.findall(r"(?ms)^### (.+?)\n(.*?)(?=^##|\Z)", PAGE))
PAGES = [REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What a contributor has: the sources, and the unit tests."""
    for name in ("openclaude", "profiles", "tests/unit", "build", "share", "docs"):
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for path in (*REPOSITORY.glob("*.md"), *REPOSITORY.glob("tests/*.py")):
        shutil.copy(path, tmp_path / path.relative_to(REPOSITORY))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def block(title: str, language: str) -> str:
    """Return the only block of a job in that language."""
    (found,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```", JOBS[title])
    return str(found)


def hunks_of(title: str) -> dict[str, list[list[str]]]:
    """Return each file's hunks in a job's diff. Line numbers would soon be wrong: it has none."""
    files: dict[str, list[list[str]]] = {}
    for line in block(title, "diff").splitlines():
        if line.startswith("+++ b/"):
            hunks = files[line.removeprefix("+++ b/")] = [[]]
        elif line.startswith("@@"):
            hunks.append([])
        elif not line.startswith("--- "):
            hunks[-1].append(line)
    return {name: [hunk for hunk in hunks if hunk] for name, hunks in files.items()}


def changed(text: str, hunk: list[str]) -> str:
    """Return the text with a hunk applied: at the lines it shows, or at the end without any."""
    before = "".join(f"{line[1:]}\n" for line in hunk if not line.startswith("+"))
    after = "".join(f"{line[1:]}\n" for line in hunk if not line.startswith("-"))
    if not before:
        return f"{text}\n\n{after}"
    assert text.count(before) == 1, f"CONTRIBUTING.md shows lines that are not there:\n{before}"
    return text.replace(before, after)


def run(copy: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run one Python command in the copy."""
    return subprocess.run(
        (sys.executable, "-m", *argv), cwd=copy, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.reaches_out
@pytest.mark.parametrize("title", ["Add a provider", "Add a guard rule"])
def test_a_job_is_one_source_file_and_one_test(copy: Path, title: str) -> None:
    (source, source_hunks), (tests, test_hunks) = hunks_of(title).items()
    for name, hunks in ((source, source_hunks), (tests, test_hunks)):
        text = (copy / name).read_text(encoding="utf-8")
        for hunk in hunks:
            text = changed(text, hunk)
        (copy / name).write_text(text, encoding="utf-8")
    (new,) = re.findall(r"\+def (test_\w+)", block(title, "diff"))

    done = run(copy, "pytest", "-q", tests)
    shutil.copy(REPOSITORY / source, copy / source)
    undone = run(copy, "pytest", "-q", tests, "-k", new)

    assert source.startswith("openclaude/")
    assert done.returncode == 0, done.stdout
    assert undone.returncode == 1, "the new test would pass without the change"


@pytest.mark.slow
@pytest.mark.reaches_out
def test_a_shipped_profile_needs_no_test_of_its_own(copy: Path) -> None:
    (copy / "profiles/mistral.toml").write_text(block("Add a shipped profile", "toml"))
    (command,) = re.findall(r"-m (pytest .*) --update-golden", JOBS["Add a shipped profile"])

    before = run(copy, *command.split())
    made = run(copy, *command.split(), "--update-golden")
    after = run(copy, *command.split())

    assert "no golden file" in before.stdout
    assert (made.returncode, after.returncode) == (0, 0), after.stdout
    golden = copy / "tests/unit/compile/golden"
    assert {path.name for path in golden.glob("mistral.*")} == {
        *("mistral.plan.json", "mistral.main.yaml", "mistral.providers.yaml")
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:openclaude|tests|build)/[\w./-]+\.\w+)`(?! \(new\))", text))
    named |= set(re.findall(r"(?<= )tests/[\w/]+\.py", text))

    assert {name for name in named if not (REPOSITORY / name).exists()} == set()


def test_every_test_that_contributing_names_is_there() -> None:
    new = set(re.findall(r"\+def (test_\w+)", PAGE))
    named = set(re.findall(r"\btest_\w+\b(?!\.py)", PAGE)) - new
    source = "".join(path.read_text("utf-8") for path in (REPOSITORY / "tests").rglob("*.py"))
    modules = {path.stem for path in (REPOSITORY / "tests").rglob("*.py")}

    assert {one for one in named - modules if f"def {one}(" not in source} == set()
