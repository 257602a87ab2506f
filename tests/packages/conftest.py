"""What build/release has built, and a user's machine for it: an empty HOME and a bare Python.

Knows: where the built files are, how they are run and with which Python. Independent of: how they
were built. `build/test packages` builds them first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY, need

DIST = REPOSITORY / "dist"
TAG = f"cp{sys.version_info[0]}{sys.version_info[1]}"
PYTHON = Path(sys._base_executable)  # type: ignore[attr-defined] # without our virtual environment
RUN_TIMEOUT_S = 180.0
# a namespace with only a loopback network, which root and any user can create
ISOLATED = (
    *("unshare", "-n" if os.geteuid() == 0 else "-rn", "--"),
    *("bash", "-c", 'PATH=$PATH:/usr/sbin:/sbin ip link set lo up && exec "$@"', "isolated"),
)


class User:
    """An empty HOME, and the zipapp in it as its user runs it."""

    def __init__(self, home: Path, archive: Path) -> None:
        self.home = home
        self.archive = archive
        self.app = home / ".cache/openclaude/app"
        home.mkdir(parents=True, exist_ok=True)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment after a login."""
        plain = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        return {**plain, **(more or {})}

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.Popen[str]:
        """Start the zipapp, without network; the caller ends it."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            (*ISOLATED, PYTHON, self.archive, *arguments),
            env=self.environment(env),
            cwd=self.home,
            text=True,
            **{**pipes, **more},
        )

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the zipapp to its end."""
        return to_its_end(self.start(*arguments, env=env))

    def shell(self, script: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a shell script to its end; its "$@" is the zipapp; all of it shares one network."""
        return to_its_end(
            subprocess.Popen(
                (*ISOLATED, "bash", "-c", script, "script", PYTHON, self.archive),
                env=self.environment(env),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def python(self, code: str, env: Mapping[str, str] | None = None) -> str:
        """Run code with the zipapp's packages; return what it printed."""
        done = self.run("-c", code, env={"SHIV_INTERPRETER": "1", **(env or {})})
        assert done.returncode == 0, done.stderr
        return done.stdout

    def versions(self) -> list[str]:
        """Return the unpacked versions, and any other file there except the lock."""
        return sorted(path.name for path in self.app.iterdir() if path.name != "lock")


def to_its_end(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Return a program's output and exit status."""
    with process:
        try:
            out, err = process.communicate(timeout=RUN_TIMEOUT_S)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def built(pattern: str) -> Path:
    """Return the one file in dist/ that matches the pattern."""
    found = sorted(DIST.glob(pattern))
    need(len(found) == 1, f"dist/{pattern} (build/release makes it)")
    return found[0]


@pytest.fixture(scope="session")
def archive() -> Path:
    """The zipapp for this Python."""
    return built(f"openclaude-*-{TAG}-*.pyz")


@pytest.fixture
def newcomer(tmp_path: Path, archive: Path) -> User:
    """A user who has never run it."""
    return User(tmp_path / "home", archive)


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Iterator[User]:
    """A user who has run it once."""
    user = User(tmp_path_factory.mktemp("user") / "home", archive)
    done = user.run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    yield user
    user.run("stop", "--all")
