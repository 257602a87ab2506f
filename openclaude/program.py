"""How this openclaude was installed, and which commands restore, extend or remove it.

Knows: the marks that installers leave, what each installer is asked, which packages only some
profiles need. Independent of: how to run the commands; a person does.
"""

from __future__ import annotations

import shlex
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

from openclaude.errors import OpenclaudeError

OTEL_LOCK = "otel.lock"
OTEL = (
    "opentelemetry-sdk",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-prometheus",
)
# what is one whole, to which nothing is added
FIXED = {"zipapp": "the zipapp", "nix": "a package of Nix"}


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


class ExtraMissing(OpenclaudeError):
    """A profile needs packages that are not installed."""

    code = "extra-missing"

    def __init__(self) -> None:
        super().__init__("`telemetry` of this profile needs OpenTelemetry", hint=how_to_add())


def has_otel() -> bool:
    """Whether all of it is installed; nothing of it is imported."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return all(version(name) for name in OTEL)
    except PackageNotFoundError:
        return False


def require_otel() -> None:
    """Raise ExtraMissing unless it is installed."""
    if not has_otel():
        raise ExtraMissing


def how_to_add() -> str:
    """What a person does about it, in a sentence."""
    from importlib.util import find_spec

    package, prefix = Path(__file__).parent, Path(sys.prefix)
    found = find_program(package=package, prefix=prefix, python=sys.executable, called=sys.argv[0])
    places = (package / OTEL_LOCK, package.parent / "build" / OTEL_LOCK)
    return adding_sentence(
        found.installed_by,
        restoring_command(
            found.installed_by,
            package=package,
            prefix=prefix,
            python=sys.executable,
            lock=str(next((path for path in places if path.is_file()), places[0])),
            has_pip=find_spec("pip") is not None,
        ),
    )


def adding_sentence(installed_by: str, command: str) -> str:
    """How packages are added to an installation; `command` installs what a lock names."""
    if installed_by in FIXED:
        return (
            f"{FIXED[installed_by]} cannot be extended: install openclaude with pipx, uv or pip "
            "instead (docs/install.md), or remove `telemetry`"
        )
    return f"add it: `{command}`"
