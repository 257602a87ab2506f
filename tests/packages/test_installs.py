"""pip, pipx and the built wheel, from clean environments of every Python we support."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.packages.conftest import PYTHON, built
from tests.packages.test_zipapp import other_python

LOCK = REPOSITORY / "build/requirements.lock"
INSTALL_TIMEOUT_S = 600.0


def run(home: Path, *argv: str | Path, **more: str) -> str:
    """A command of a user with nothing but pip's own settings; what it printed."""
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    done = subprocess.run(
        argv,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **pip, **more},
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_TIMEOUT_S,
    )
    assert done.returncode == 0, f"{argv}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_pipx_installs_the_sdist_as_the_docs_say(tmp_path: Path) -> None:
    exactly = f"--pip-args=--constraint {built('openclaude-*-constraints.txt')}"
    pipx = (sys.executable, "-m", "pipx", "install", "--python", PYTHON)

    run(tmp_path, *pipx, exactly, built("openclaude-*.tar.gz"))

    command = tmp_path / ".local/bin/openclaude"
    assert run(tmp_path, command, "--version").startswith("openclaude ")
    assert "qwen-coder" in run(tmp_path, command, "profiles", "list")
    listed = run(tmp_path, *pipx[:3], "runpip", "openclaude", "freeze")
    constraints = built("openclaude-*-constraints.txt").read_text()
    locked = {line.partition(" ;")[0].lower() for line in constraints.splitlines()}
    there = {line.lower().replace("_", "-") for line in listed.splitlines() if "==" in line}
    assert len(there) > 80
    assert there <= locked


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_wheel_runs_with_exactly_what_is_locked(version: str, tmp_path: Path) -> None:
    wheel = built("openclaude-*.whl")
    run(tmp_path, other_python(version), "-m", "venv", tmp_path / "venv")
    pip = (tmp_path / "venv/bin/python", "-m", "pip", "install", "--quiet")

    run(tmp_path, *pip, "--require-hashes", "-r", LOCK)
    run(tmp_path, *pip, "--no-deps", wheel)

    command = tmp_path / "venv/bin/openclaude"
    run(tmp_path, tmp_path / "venv/bin/python", "-m", "pip", "check")
    assert f"Python {version}." in run(tmp_path, command, "--version")
    assert "qwen-coder" in run(tmp_path, command, "profiles", "list")


def test_the_sdist_holds_what_builds_and_tests_it() -> None:
    import tarfile

    with tarfile.open(built("openclaude-*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}

    wanted = {"build/requirements.lock", "build/test", "profiles/qwen.toml", "LICENSE", "README.md"}
    assert wanted <= names
