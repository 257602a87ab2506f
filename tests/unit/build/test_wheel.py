"""The content of the wheel: the package, the built-in profiles, the lock and share/; no tests."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.reaches_out]  # hatchling takes seconds


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return every file of a new wheel, without its metadata."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        (sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder),
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def files(folder: Path) -> set[str]:
    """Return the files of one of our folders, without Python's caches."""
    return {
        path.relative_to(REPOSITORY).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_wheel_holds_what_openclaude_needs_and_nothing_else(names: set[str]) -> None:
    shipped = {f"openclaude/shipped/{path.name}" for path in (REPOSITORY / "profiles").iterdir()}
    shared = {name for name in names if ".data/" in name}

    assert names - shared == {
        *files(REPOSITORY / "openclaude"),
        *shipped,
        "openclaude/requirements.lock",
        "openclaude/otel.lock",
    }
    assert {PurePosixPath(name).name for name in shared} == {
        PurePosixPath(name).name for name in files(REPOSITORY / "share")
    }


def test_only_the_stand_ins_of_the_demo_are_in_it(names: set[str]) -> None:
    rooms = {name.split("/")[2] for name in names if name.startswith("openclaude/standins/")}

    assert rooms == {"__init__.py", "anthropic", "base", "bedrock"}
