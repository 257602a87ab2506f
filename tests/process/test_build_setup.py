"""`build/setup` reports within a second that a Python cannot be used, and creates nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

USABLE = "set PYTHON=/path/to/python3.11 (or 3.12, 3.13)"
TOOLS = ("bash", "dirname", "env", "sh")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Copy as much of a clone as exists before anything is built."""
    clone = tmp_path / "a clone"
    shutil.copytree(REPOSITORY / "build", clone / "build")
    (clone / "bin").mkdir()
    for tool in TOOLS:
        (clone / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return clone


def stub(path: Path, text: str) -> Path:
    """Write a Python that answers everything with this."""
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(0o755)
    return path


def set_up(clone: Path, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it with nothing of this machine, and no Python but a stub."""
    return subprocess.run(
        (clone / "build/setup", *arguments),
        cwd=clone,
        env={"HOME": str(clone), "PATH": str(clone / "bin"), **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("3.9 CPython venv", f"needs Python 3.11 to 3.13, this is 3.9: {USABLE}"),
        ("3.14 CPython venv", f"needs Python 3.11 to 3.13, this is 3.14: {USABLE}"),
        ("2.7 CPython none", f"needs Python 3.11 to 3.13, this is 2.7: {USABLE}"),
        ("3.11 PyPy venv", f"needs CPython, and `{{python}}` is PyPy: {USABLE}"),
        (
            "3.12 CPython none",
            "`{python}` lacks the modules venv and ensurepip: install them "
            "(Debian, Ubuntu: apt-get install python3.12-venv)",
        ),
    ],
)
def test_a_python_that_cannot_be_used_is_named(answer: str, sentence: str, clone: Path) -> None:
    python = stub(clone / "bin/python", answer)

    done = set_up(clone, python)

    assert done.stderr == f"build/setup: {sentence.format(python=python)}\n"
    assert (done.returncode, done.stdout) == (1, "")
    assert not (clone / ".work").exists()


def test_the_newest_python_that_will_do_is_proposed(clone: Path) -> None:
    stub(clone / "bin/python3", "3.9 CPython venv")
    stub(clone / "bin/python3.12", "")

    done = set_up(clone)

    assert done.stderr.endswith("this is 3.9: set PYTHON=python3.12\n")


@pytest.mark.parametrize("named", ["nowhere", "/nonexistent/python3", "build/lock.d"])
def test_a_python_that_is_none_is_named(named: str, clone: Path) -> None:
    sentence = f"build/setup: there is no Python that runs as `{named}`: {USABLE}\n"

    for done in (set_up(clone, named), set_up(clone, PYTHON=named)):
        assert (done.returncode, done.stderr) == (1, sentence)


@pytest.mark.parametrize("arguments", [("--for",), ("--for", "fun")])
def test_an_unknown_purpose_is_named(arguments: tuple[str, ...], clone: Path) -> None:
    done = set_up(clone, *arguments)

    word = arguments[1] if len(arguments) > 1 else ""
    assert done.stderr == f"build/setup: unknown purpose: `{word}` (build, demo, test)\n"


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10"])
def test_old_pythons_of_this_machine_are_refused(version: str, clone: Path) -> None:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    if not found:  # represented by the stubs above
        found = [stub(clone / "bin/python", f"{version} CPython venv")]

    done = set_up(clone, found[0])

    assert f"needs Python 3.11 to 3.13, this is {version}: set PYTHON=" in done.stderr
    assert done.returncode == 1
