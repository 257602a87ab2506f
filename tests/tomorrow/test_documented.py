"""Each documented way to install, run as documented, with tomorrow's index.

It installs what the lock names. Then one package is replaced, and the command that doctor prints
for this way restores the locked one.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.documented import as_script
from tests.tomorrow.conftest import PYTHON, Machine
from tests.tomorrow.wheels import write_stub

UV = Path(sys.executable).with_name("uv")
RESTORE = (
    "from openclaude.doctor.snapshot import packages as p; "
    "rows, lock = p.compare_packages(); print(rows); print(p.how_to_restore(lock))"
)


def program(folder: Path, name: str, text: str) -> None:
    """Write a program on the user's PATH."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(machine: Machine) -> dict[str, str]:
    """pipx, uv and python3 as a user has them."""
    bin_folder = machine.home / "tools"
    program(bin_folder, "pipx", f'exec {sys.executable} -m pipx "$@"')
    program(bin_folder, "uv", f'exec {UV} "$@"')
    (bin_folder / "python3").symlink_to(PYTHON)
    return {
        "PATH": f"{bin_folder}:{machine.home}/.local/bin:/usr/bin:/bin",
        "PIPX_DEFAULT_PYTHON": str(PYTHON),
        "UV_PYTHON": str(PYTHON),
    }


def follow(machine: Machine, script: str, env: dict[str, str], cwd: Path | None = None) -> None:
    """Run the commands of a document."""
    machine.succeed("bash", "-c", script, env=env, cwd=cwd)


def breaks_and_is_restored(machine: Machine, python: Path, env: dict[str, str]) -> None:
    """Install another version of a package; doctor's command restores the locked one."""
    (machine.home / "other").mkdir()
    metadata = "Metadata-Version: 2.1\nName: httpx\nVersion: 0.0.1\n"
    other = write_stub(machine.home / "other", "httpx", "0.0.1", metadata)
    before = machine.installed(python)
    machine.succeed(UV, "pip", "install", "--python", python, "--no-deps", other)

    rows, command = machine.succeed(python, "-E", "-s", "-c", RESTORE).splitlines()

    assert "installed='0.0.1'" in rows
    assert machine.installed(python) == {**before, "httpx": "0.0.1"}
    machine.succeed("bash", "-c", command, env=env)
    assert machine.installed(python) == before


@pytest.mark.parametrize("backend", ["pip", "uv"])
def test_pipx_installs_what_is_locked(
    backend: str, machine: Machine, tools: dict[str, str]
) -> None:
    # pipx decides which pip it runs, and tomorrow's cannot run here: pipx continues with the one
    # that comes with Python. A real newer pip would work.
    env = {
        **tools,
        "PIPX_DEFAULT_BACKEND": backend,
        "PIPX_DISABLE_SHARED_LIBS_AUTO_UPGRADE": "1",
    }

    follow(machine, as_script("pipx"), env)

    python = machine.home / ".local/share/pipx/venvs/openclaude/bin/python"
    there = machine.installed(python)
    assert (there.pop("pip", None) is None) == (backend == "uv")
    assert there == machine.locked("requirements.lock")
    assert (machine.home / ".local/bin/openclaude").exists()
    breaks_and_is_restored(machine, python, env)


def test_uv_installs_what_is_locked(machine: Machine, tools: dict[str, str]) -> None:
    follow(machine, as_script("uv"), tools)

    python = machine.home / ".local/share/uv/tools/openclaude/bin/python"
    assert machine.installed(python) == machine.locked("requirements.lock")
    assert (machine.home / ".local/bin/openclaude").exists()
    breaks_and_is_restored(machine, python, tools)


def test_a_releases_files_are_installed_alike(machine: Machine, tools: dict[str, str]) -> None:
    machine.succeed("build/wheel", env=tools)
    (downloads := machine.home / "Down loads").mkdir()
    for file in (machine.clone / "dist").iterdir():
        shutil.copy(file, downloads)
    locked = machine.locked("requirements.lock")

    follow(machine, as_script("release-uv"), tools, downloads)
    follow(machine, as_script("release-pipx"), {**tools, "PIPX_DEFAULT_BACKEND": "uv"}, downloads)

    for made in ("uv/tools", "pipx/venvs"):
        python = machine.home / f".local/share/{made}/openclaude/bin/python"
        assert machine.installed(python) == locked


def test_each_pip_installs_by_hash_what_is_locked(
    machine: Machine, tools: dict[str, str], pip: Path
) -> None:
    # `python3 -m venv` with this pip in place of the one that comes with the machine's Python
    (machine.home / "tools/python3").unlink()
    program(
        machine.home / "tools",
        "python3",
        f'[ "$2" = venv ] || exec {PYTHON} "$@"\n'
        f'{PYTHON} "$@" --without-pip\n'
        "for last; do :; done\n"
        f'PYTHONPATH={pip} "$last/bin/python" -m pip install --no-deps {pip}',
    )

    follow(machine, as_script("hashes"), tools)

    python = machine.home / ".local/share/openclaude-venv/bin/python"
    there = machine.installed(python)
    assert pip.name.startswith(f"pip-{there.pop('pip')}-")
    assert there == machine.locked("requirements.lock")
    breaks_and_is_restored(machine, python, tools)
