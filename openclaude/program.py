"""How this openclaude was installed, and which commands restore or remove it.

Knows: the marks that installers leave, what each installer is asked. Independent of: how to run
them; a person does.
"""

from __future__ import annotations

import shlex
import zipfile
from pathlib import Path
from typing import NamedTuple


class Program(NamedTuple):
    """The installed program."""

    installed_by: str
    command: str  # what removes it


def find_program(*, package: Path, prefix: Path, python: str, called: str) -> Program:
    """How it was installed.

    `package` is our folder, `prefix` the environment it is in, `python` its interpreter, `called`
    what the shell started.
    """
    if package.is_relative_to("/nix/store"):
        return Program("nix", "nix profile remove openclaude")
    if zipfile.is_zipfile(called):
        return Program("zipapp", f"rm {shlex.quote(str(Path(called).absolute()))}")
    if (prefix / "pipx_metadata.json").is_file():
        return Program("pipx", "pipx uninstall openclaude")
    if (prefix / "uv-receipt.toml").is_file():
        return Program("uv", "uv tool uninstall openclaude")
    if (package.parent / "pyproject.toml").is_file():
        return Program("checkout", f"rm -r {shlex.quote(str(package.parent))}")
    return Program("pip", f"{shlex.quote(python)} -m pip uninstall openclaude")


def restoring_command(
    installed_by: str, *, package: Path, prefix: Path, python: str, lock: str, has_pip: bool
) -> str:
    """What a person runs so that every package is the locked one again.

    Nothing is resolved: pip before 24 takes what an index offers as newest for a locked package's
    extra, and then refuses it, since it has no hash.
    """
    match installed_by:
        case "nix":
            return f"nix-store --repair-path {shlex.quote(str(prefix))}"
        case "zipapp":  # it unpacks itself again
            return f"rm -r {shlex.quote(str(package.parents[1]))}"
        case "pipx":
            pip = f"pipx runpip {shlex.quote(prefix.name)} install"
        case "uv":
            pip = f"uv pip install --python {shlex.quote(python)}"
        case _ if not has_pip:  # as uv makes virtual environments
            pip = f"uv pip install --python {shlex.quote(python)}"
        case _:
            pip = f"{shlex.quote(python)} -m pip install"
    return f"{pip} --no-deps --require-hashes -r {shlex.quote(lock)}"
