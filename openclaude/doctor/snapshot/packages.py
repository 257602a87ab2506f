"""Looking at the installed packages, beside the lock that openclaude was tested with.

Knows: how the lock is written (pip's hashed form), which Python runs. Independent of: what a
difference means.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from openclaude.doctor.snapshot.world import Package
from openclaude.program import find_program, restoring_command

LOCK = "requirements.lock"
ROW = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<marker>\s*;)?", re.MULTILINE
)


def compare_packages() -> tuple[tuple[Package, ...], str]:
    """The packages that differ from the lock, and the lock's path, or ""."""
    lock = find_lock(Path(__file__).parents[2])
    return (tuple(differences(lock.read_text("utf-8"))), str(lock)) if lock else ((), "")


def how_to_restore(lock: str) -> str:
    """The command that installs the locked version of every package."""
    package, prefix = Path(__file__).parents[2], Path(sys.prefix)
    program = find_program(
        package=package, prefix=prefix, python=sys.executable, called=sys.argv[0]
    )
    return restoring_command(
        program.installed_by,
        package=package,
        prefix=prefix,
        python=sys.executable,
        lock=lock,
        has_pip=find_spec("pip") is not None,
    )


def find_lock(package: Path) -> Path | None:
    """The lock: inside the installed package, or in a checkout's `build`."""
    places = (package / LOCK, package.parent / "build" / LOCK)
    return next((path for path in places if path.is_file()), None)


def differences(lock: str) -> Iterator[Package]:
    """What is installed in another version, or not at all though every system needs it."""
    rows = list(ROW.finditer(lock))
    for name in dict.fromkeys(row["name"] for row in rows):
        locked = [row["version"] for row in rows if row["name"] == name]
        is_conditional = any(row["name"] == name and row["marker"] for row in rows)
        installed = installed_version(name)
        if installed not in locked and (installed or not is_conditional):
            yield Package(name=name, installed=installed, locked=" or ".join(locked))


def installed_version(name: str) -> str:
    """The version of an installed package, or "" for none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
