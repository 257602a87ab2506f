"""Write the locked build back end into pyproject.toml, for builds without the lock.

Knows: which pins of build/bootstrap.lock build our wheel. Independent of: how a lock is made.

A clone or an sdist is built in an environment of pip's own, into which pip installs what
`build-system.requires` names, whatever constraints it was given. If only "hatchling" were there,
the index would decide how the wheel is built.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def required(lock: str) -> list[str]:
    """Return everything that builds it, with versions; pip runs that and is not part of it."""
    pins = re.findall(r"(?m)^(\S+==\S+) \\$", lock)
    return [pin for pin in pins if not pin.startswith("pip==")]


def with_requirements(pyproject: str, pins: list[str]) -> str:
    """Return the text of pyproject.toml that requires these."""
    rows = "".join(f'  "{pin}",\n' for pin in pins)
    return re.sub(
        r"(?m)^requires = \[.*?\]$", f"requires = [\n{rows}]", pyproject, count=1, flags=re.DOTALL
    )


def main() -> int:
    """Write pyproject.toml."""
    pyproject = ROOT / "pyproject.toml"
    pins = required((ROOT / "build/bootstrap.lock").read_text("utf-8"))
    pyproject.write_text(with_requirements(pyproject.read_text("utf-8"), pins), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
