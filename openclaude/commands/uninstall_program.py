"""How this openclaude was installed, and the command that removes it.

Knows: the marks that installers leave. Refuses to know: how to run them; a person does.
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
