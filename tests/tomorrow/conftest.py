"""A clone whose locks name small wheels, an index with newer packages, and several versions of pip.

Knows: what an installer is given, and how to check what it installed. Independent of: the ways to
install. Nothing here needs a network except the old pips, which are downloaded once, by hash.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.markers import Marker

from tests.conftest import REPOSITORY
from tests.tomorrow.wheels import LOCKS, canonical, make_simple_index, make_today, make_tomorrow

PYTHON = Path(sys._base_executable)  # type: ignore[attr-defined] # without our virtual environment
PIPS = ("23.0.1", "23.2.1", "newest")  # of Debian 12; of Python 3.11.7 and 3.12.1; the locked one
FETCHED = REPOSITORY / ".work/pips"
TIMEOUT_S = 300.0
LIST = (
    "import importlib.metadata as m, json; "
    "print(json.dumps([[d.metadata['Name'], d.version] for d in m.distributions()]))"
)


class Indexes(NamedTuple):
    """Folders of wheels, and the same as the URLs of an index."""

    today: Path
    tomorrow: Path
    urls: tuple[str, str]

    def for_pip(self) -> dict[str, str]:
        """Both as indexes, as for a user with a company's own mirror."""
        return {"PIP_INDEX_URL": self.urls[0], "PIP_EXTRA_INDEX_URL": self.urls[1]}

    def as_links(self) -> dict[str, str]:
        """Both as folders, and no other index."""
        both = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"{self.today} {self.tomorrow}"}
        return {**both, "PIP_INDEX_URL": "", "PIP_EXTRA_INDEX_URL": ""}

    def for_uv(self) -> dict[str, str]:
        """The same for uv, which downloads nothing, neither packages nor a Python."""
        links = {"UV_OFFLINE": "1", "UV_FIND_LINKS": f"{self.today},{self.tomorrow}"}
        return {**links, "UV_PYTHON_DOWNLOADS": "never"}


class Machine:
    """An empty HOME, a clone with the small locks, and indexes in files."""

    def __init__(self, home: Path, clone: Path, indexes: Indexes) -> None:
        self.home = home
        self.clone = clone
        self.indexes = indexes
        self.reached_by = {**indexes.for_pip(), **indexes.for_uv()}  # as variables set it
        home.mkdir(parents=True, exist_ok=True)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment after a login, with today's index and tomorrow's."""
        plain = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        plain["PYTHON"] = str(PYTHON)
        return {**plain, **self.reached_by, **(more or {})}

    def run(
        self, *argv: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone, to its end."""
        return subprocess.run(
            argv,
            env=self.environment(env),
            cwd=cwd or self.clone,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )

    def succeed(
        self, *argv: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> str:
        """Run a command that must succeed; return its output."""
        done = self.run(*argv, env=env, cwd=cwd)
        assert done.returncode == 0, f"{argv}: {done.stdout[-4000:]}"
        return done.stdout

    def stamp(self) -> None:
        """Tell whether the virtual environment in .work/ was made there, and by this Python."""
        made = self.succeed(PYTHON, "--version").strip()
        for venv in self.clone.glob(".work/py*/pyvenv.cfg"):
            venv.with_name(".stamp").write_text(f"{made} in {self.clone}\n")

    def make_venv(self, folder: Path, pip: Path) -> Path:
        """Make a virtual environment with this pip and nothing else; return its Python."""
        self.succeed(PYTHON, "-m", "venv", "--without-pip", folder)
        (packages,) = folder.glob("lib/python*/site-packages")
        zipfile.ZipFile(pip).extractall(packages)
        (folder / "bin/pip").write_text(f'#!/bin/sh\nexec "{folder}/bin/python" -m pip "$@"\n')
        (folder / "bin/pip").chmod(0o755)
        return folder / "bin/python"

    def locked(self, *locks: str) -> dict[str, str]:
        """Return the versions in these locks for this Python and machine."""
        found = {}
        for lock in locks:
            for line in (self.clone / "build" / lock).read_text().splitlines():
                pin, _, marker = line.rstrip("\\ ").partition(" ; ")
                if "==" in pin and (not marker or Marker(marker).evaluate()):
                    name, _, version = pin.partition("==")
                    found[canonical(name)] = version
        return found

    def installed(self, python: Path) -> dict[str, str]:
        """Return the packages that Python finds, except our own and those that pipx adds."""
        rows = json.loads(self.succeed(python, "-E", "-s", "-c", LIST))
        return {canonical(name): version for name, version in rows if name != "openclaude"}


@pytest.fixture(scope="session")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Indexes:
    """Made once; today's locks are beside the wheels."""
    top = tmp_path_factory.mktemp("indexes")
    locks = {name: (REPOSITORY / "build" / name).read_text() for name in LOCKS}
    for name, text in make_today(top / "today", locks).items():
        (top / name).write_text(text)
    make_tomorrow(top / "tomorrow", locks.values())
    today, tomorrow = (
        make_simple_index(top / "simple" / name, top / name) for name in ("today", "tomorrow")
    )
    return Indexes(top / "today", top / "tomorrow", (today, tomorrow))


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory, indexes: Indexes) -> Machine:
    """The machine that the others are copied from: a clone where `build/wheel` was run once."""
    top = tmp_path_factory.mktemp("machine")
    clone = top / "clone"
    tracked = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(tracked, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, clone / name)
    for name in LOCKS:
        shutil.copy(indexes.today.with_name(name), clone / "build" / name)
    # npm is not under test here
    for source, folder in (("tests/e2e/claude", "claude"), ("tests/process/iam", "iam")):
        (clone / ".work" / folder).mkdir(parents=True)
        shutil.copy(clone / source / "package-lock.json", clone / ".work" / folder / ".installed")
    machine = Machine(top / "home", clone, indexes)
    machine.succeed("build/wheel")
    return machine


@pytest.fixture
def machine(tmp_path: Path, original: Machine) -> Machine:
    """A machine for one test."""
    clone = shutil.copytree(original.clone, tmp_path / "clone", symlinks=True)
    shutil.rmtree(clone / "dist")
    machine = Machine(tmp_path / "home", clone, original.indexes)
    machine.stamp()
    return machine


def find_pip(version: str, indexes: Indexes) -> Path:
    """Return the wheel of this pip; an old one is downloaded once and kept."""
    if version == "newest":
        (found,) = indexes.today.glob("pip-*.whl")
        return found
    kept = FETCHED / f"pip-{version}-py3-none-any.whl"
    if not kept.exists():
        lock = Path(__file__).parent / f"pips/{version}.lock"
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
        subprocess.run((*pip, "--dest", FETCHED, "-r", lock), check=True, env=dict(os.environ))
    return kept


@pytest.fixture(params=PIPS)
def pip(request: pytest.FixtureRequest, indexes: Indexes) -> Path:
    """Each pip that a user may have."""
    return find_pip(request.param, indexes)
