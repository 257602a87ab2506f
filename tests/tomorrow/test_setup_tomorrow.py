"""The environments under .work/ contain what is locked, whatever an index has and a user sets."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tomorrow.conftest import PYTHON, Machine, find_pip
from tests.tomorrow.wheels import EXPLODES, LOCKS, write_stub

TAG = f"py{sys.version_info[0]}{sys.version_info[1]}"
RUN_LOCKS = ("bootstrap.lock", "requirements.lock")
GATHER = (
    "import sys; sys.path.insert(0, 'build/zipapp.d'); import make, pathlib; "
    "make.gather(pathlib.Path(sys.argv[1]))"
)
SETTINGS = (
    "import json, os, sys; sys.path.insert(0, 'build/setup.d'); import pip_runs; "
    "print(json.dumps(pip_runs.read_settings(os.environ)))"
)
LIST = (
    "import importlib.metadata as m, json, sys; print(json.dumps({d.metadata['Name']: d.version "
    "for d in m.distributions(path=sys.argv[1:])}))"
)


def begin(machine: Machine, pip: Path) -> Path:
    """Make the virtual environment as build/setup does; return its Python."""
    venv = machine.clone / ".work" / TAG
    shutil.rmtree(venv)
    python = machine.make_venv(venv, pip)
    machine.stamp()
    return python


def python_of(machine: Machine) -> Path:
    """Return the Python that build/wheel has set up."""
    return machine.clone / ".work" / TAG / "bin/python"


def without(machine: Machine, name: str) -> Path:
    """Remove one package of the set-up; return the set-up's Python."""
    (found,) = (machine.clone / ".work" / TAG).glob(f"lib/python*/site-packages/{name}-*.dist-info")
    shutil.rmtree(found)
    return python_of(machine)


# What is installed --------------------------------------------------------------------------------


def test_each_pip_sets_up_what_is_locked(machine: Machine, pip: Path) -> None:
    python = begin(machine, pip)

    said = machine.succeed("build/setup", "--for", "demo")

    assert "making" not in said  # it continued with the existing pip
    assert machine.installed(python) == machine.locked(*RUN_LOCKS)
    assert machine.succeed("build/setup", "--for", "demo") == ""


def test_folders_of_wheels_matter_as_little_and_the_tests_get_their_lock_too(
    machine: Machine,
) -> None:
    machine.succeed("build/setup", env=machine.indexes.as_links())

    assert machine.installed(python_of(machine)) == machine.locked(*LOCKS)


def test_the_zipapp_gathers_what_is_locked(machine: Machine) -> None:
    tree = machine.home / "tree"

    machine.succeed(python_of(machine), "-E", "-s", "-c", GATHER, tree)

    there = json.loads(machine.succeed(PYTHON, "-c", LIST, tree))
    wanted = machine.locked("requirements.lock")
    if sys.version_info < (3, 12):
        wanted["async-timeout"] = "5.0.1"  # for an older patch release than this one
    assert {name.replace("_", "-").lower(): version for name, version in there.items()} == {
        **wanted,
        "openclaude": there["openclaude"],
    }


def test_nix_fetches_the_wheels_that_are_locked(machine: Machine) -> None:
    text = (machine.clone / "build/bootstrap.lock").read_text().replace(" \\\n   ", "")
    (machine.home / "wheels.txt").write_text(text)  # as build/nix/wheels.py writes it
    helper = (python_of(machine), "-E", "-s", "build/setup.d/locked.py", "download")

    machine.succeed(
        *helper, machine.home / "wheels", machine.home / "wheels.txt", "--python", PYTHON
    )

    there = {tuple(file.name.split("-")[:2]) for file in (machine.home / "wheels").iterdir()}
    locked = machine.locked("bootstrap.lock").items()
    assert there == {(name.replace("-", "_"), version) for name, version in locked}


def test_our_wheel_is_built_by_the_locked_back_end_whoever_builds_it(
    machine: Machine, pip: Path
) -> None:
    python = machine.make_venv(machine.home / "venv", pip)

    machine.succeed(python, "-m", "pip", "wheel", "--no-deps", "-w", machine.home, machine.clone)

    assert list(machine.home.glob("openclaude-*.whl"))


# Tomorrow's index has an effect -------------------------------------------------------------------


def test_without_a_lock_tomorrow_is_installed(machine: Machine) -> None:
    machine.succeed("build/wheel")
    (wheel,) = (machine.clone / "dist").glob("*.whl")
    python = machine.make_venv(machine.home / "venv", find_pip("newest", machine.indexes))

    machine.succeed(python, "-m", "pip", "install", wheel)

    assert machine.installed(python)["fastapi"] == "9999"
    assert "fastapi 9999 was imported" in machine.run(python, "-c", "import fastapi").stdout


def test_an_old_pip_that_resolves_refuses_the_lock(machine: Machine) -> None:
    python = machine.make_venv(machine.home / "venv", find_pip("23.2.1", machine.indexes))
    install = (python, "-m", "pip", "install", "--require-hashes", "-r", "build/requirements.lock")

    done = machine.run(*install)

    assert done.returncode == 1
    assert "must have their versions pinned with ==" in done.stdout


def test_a_back_end_by_name_alone_is_tomorrows(machine: Machine) -> None:
    pyproject = machine.clone / "pyproject.toml"
    head, _, rest = pyproject.read_text().partition("requires = [")
    pyproject.write_text(f'{head}requires = ["hatchling"]{rest.partition("]")[2]}')
    python = machine.make_venv(machine.home / "venv", find_pip("newest", machine.indexes))

    done = machine.run(python, "-m", "pip", "wheel", "--no-deps", "-w", machine.home, machine.clone)

    assert done.returncode == 1
    assert "hatchling 9999 was imported" in done.stdout


# A user with settings -----------------------------------------------------------------------------


def pip_variables(machine: Machine) -> dict[str, str]:
    elsewhere = str(machine.home / "elsewhere")
    (machine.home / "more.txt").write_text("setuptools\n")
    return {
        "PIP_USER": "1",
        "PIP_TARGET": elsewhere,
        "PIP_PREFIX": elsewhere,
        "PIP_ROOT": elsewhere,
        "PIP_PYTHON": "/usr/bin/python3",
        "PIP_REQUIREMENT": str(machine.home / "more.txt"),
        "PIP_NO_BINARY": ":all:",
        "PIP_PLATFORM": "win_amd64",
        "PIP_DRY_RUN": "1",
        "PIP_QUIET": "3",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_NO_BUILD_ISOLATION": "1",
        "PIP_CONFIG_SETTINGS": "x=y",
    }


def python_variables(machine: Machine) -> dict[str, str]:
    folder = machine.home / "pythonpath"
    folder.mkdir()
    for name in ("pip", "venv", "ensurepip", "hatchling", "json", "pathspec"):
        (folder / f"{name}.py").write_text(EXPLODES.format(name=name))
    return {
        "PYTHONPATH": str(folder),
        "PYTHONHOME": "/nonexistent",
        "PYTHONUSERBASE": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error",
        "VIRTUAL_ENV": str(folder),
        "CONDA_PREFIX": str(folder),
    }


def pip_file(machine: Machine) -> dict[str, str]:
    """The file alone sets the index, and that counts."""
    today, tomorrow = machine.indexes.urls
    elsewhere = machine.home / "elsewhere"
    file = machine.home / ".config/pip/pip.conf"
    file.parent.mkdir(parents=True)
    file.write_text(
        f"[global]\nindex-url = {today}\nextra-index-url =\n    {today}\n    {tomorrow}\n"
        "use-feature = truststore\nuse-deprecated = legacy-certs\n"
        "user = true\nquiet = 3\nrequire-virtualenv = true\nno-binary = :all:\n"
        f"[install]\ntarget = {elsewhere}\n[list]\nformat = json\n"
    )
    machine.reached_by = {}
    return {}


@pytest.mark.parametrize("settings", [pip_variables, python_variables, pip_file])
def test_settings_of_the_users_change_nothing(
    settings: Callable[[Machine], dict[str, str]], machine: Machine
) -> None:
    env = settings(machine)
    python = without(machine, "pathspec")

    machine.succeed("build/wheel", env=env)

    assert machine.installed(python) == machine.locked("bootstrap.lock")
    assert list((machine.clone / "dist").glob("*.whl"))
    assert not (machine.home / "elsewhere").exists()
    assert not (machine.home / ".local/lib").exists()


def test_each_pip_reads_the_settings_that_count_and_stops_at_none(
    machine: Machine, pip: Path
) -> None:
    python = machine.make_venv(machine.home / "venv", pip)
    machine.reached_by = {}
    ask = (python, "-B", "-E", "-s", "-c", SETTINGS)
    before = json.loads(machine.succeed(*ask))  # the machine's own
    pip_file(machine)
    today, tomorrow = machine.indexes.urls

    told = json.loads(machine.succeed(*ask))

    # two of them only where this pip knows them
    certificates = {"use-feature": "truststore", "use-deprecated": "legacy-certs"}
    assert told == {
        **before,
        "index-url": today,
        "extra-index-url": f"\n{today}\n{tomorrow}",
        **({} if pip.name.startswith("pip-23.") else certificates),
    }


# Existing environments ----------------------------------------------------------------------------


def test_what_somebody_changed_is_as_locked_again(machine: Machine) -> None:
    python = python_of(machine)
    locked = machine.locked("bootstrap.lock")
    folder = machine.home / "other"
    folder.mkdir()
    for name in ("pathspec", "stranger"):
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n"
        wheel = write_stub(folder, name, "0.0.1", metadata)
        machine.succeed(python, "-m", "pip", "install", "--no-deps", wheel)
    assert machine.installed(python) == {**locked, "pathspec": "0.0.1", "stranger": "0.0.1"}

    machine.succeed("build/wheel")

    assert machine.installed(python) == locked


def test_what_was_left_half_done_is_made_anew(machine: Machine) -> None:
    python = without(machine, "pathspec")
    (machine.clone / ".work" / TAG / ".unfinished").touch()

    said = machine.succeed("build/wheel")

    assert f"making .work/{TAG}" in said
    assert machine.installed(python) == machine.locked("bootstrap.lock")
    assert not (machine.clone / ".work" / TAG / ".unfinished").exists()


def test_a_clone_that_was_moved_is_set_up_again(machine: Machine) -> None:
    machine.succeed("build/wheel")
    there = machine.clone.with_name("else where")
    machine.clone.rename(there)
    machine.clone.mkdir()  # another clone in its place, for example
    machine.clone = there

    said = machine.succeed("build/wheel")

    assert f"making .work/{TAG}" in said
    assert machine.installed(python_of(machine)) == machine.locked("bootstrap.lock")
    machine.succeed(there / ".work" / TAG / "bin/pip", "--version")
    assert machine.succeed("build/setup", "--for", "build") == ""


def test_a_clone_that_is_reached_by_a_link_as_well_is_set_up_once(machine: Machine) -> None:
    link = machine.home / "link"
    link.symlink_to(machine.clone)

    assert machine.succeed(link / "build/setup", "--for", "build", cwd=link) == ""


# What a purpose needs -----------------------------------------------------------------------------


def bare(machine: Machine) -> tuple[Path, Path]:
    """A PATH without npm, claude and what tests need; with an apt-get that records its calls."""
    folder = machine.home / "bin"
    folder.mkdir()
    gone = {"npm", "node", "claude", "zsh", "fish", "man", "groff", "tmux", "debootstrap"}
    for program in (*Path("/bin").iterdir(), *Path("/usr/bin").iterdir()):
        if program.name not in gone and not (folder / program.name).exists():
            (folder / program.name).symlink_to(program)
    called = machine.home / "apt-get was called"
    (folder / "apt-get").unlink(missing_ok=True)
    (folder / "apt-get").write_text(f'#!/bin/sh\necho "$@" >>"{called}"\n')
    (folder / "apt-get").chmod(0o755)
    return folder, called


def test_the_demo_needs_no_system_package_no_npm_and_no_claude(machine: Machine) -> None:
    path, called = bare(machine)
    (machine.clone / ".work/claude/.installed").unlink()

    said = machine.succeed("build/setup", "--for", "demo", env={"PATH": str(path)})

    assert said.endswith(
        "no claude and no npm to fetch it with: the demo sends its requests itself\n"
    )
    assert not called.exists()


def test_of_the_clone_only_work_is_written(machine: Machine) -> None:
    def tracked() -> set[Path]:
        return {path for path in machine.clone.rglob("*") if ".work" not in path.parts}

    before = tracked()
    shutil.rmtree(machine.clone / ".work" / TAG)

    machine.succeed("build/setup", "--for", "demo")

    assert tracked() == before
    assert not [path for path in before if path.name == "__pycache__"]


def test_the_tests_get_their_system_packages_from_root_only(machine: Machine) -> None:
    path, called = bare(machine)

    said = machine.succeed("build/setup", env={"PATH": str(path)})

    assert "no npm, so the tests that need the real claude cannot run" in said
    assert called.exists() == (os.geteuid() == 0)
