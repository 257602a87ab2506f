"""Copy the version of LiteLLM pinned in pyproject.toml into the module that checks it.

Knows: both places. A launch does not read pyproject.toml, and an installed copy has none.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "openclaude/litellm_version.py"


def pinned(pyproject: str) -> str:
    """The version in pyproject.toml's dependencies."""
    found = re.search(r'(?m)^  "litellm==([\d.]+)"', pyproject)
    if not found:
        raise SystemExit("build/lock: pyproject.toml pins no litellm==VERSION")
    return found[1]


def with_version(module: str, version: str) -> str:
    """The module's text with this version."""
    return re.sub(
        r'(?m)^LITELLM_VERSION = ".*"$', f'LITELLM_VERSION = "{version}"', module, count=1
    )


def main() -> int:
    """Write the module."""
    version = pinned((ROOT / "pyproject.toml").read_text("utf-8"))
    MODULE.write_text(with_version(MODULE.read_text("utf-8"), version), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
