"""Where openclaude keeps its own files, after the XDG base directory specification.

Knows: folder names. Refuses to know: what is in the files; it touches no disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Places(NamedTuple):
    """The folders of one user; none of them need exist yet."""

    home: Path
    config: Path  # profiles/NAME.toml, what a person writes
    state: Path  # stacks/NAME/: record, logs, keys of a running stack
    cache: Path  # plans: compiled profiles, remade at any time
    shipped: Path  # the read-only profiles that came with openclaude

    @property
    def profiles(self) -> Path:
        """The user's own profiles."""
        return self.config / "profiles"

    @property
    def stacks(self) -> Path:
        """One folder for each stack, named like its profile."""
        return self.state / "stacks"


def find_places(env: Mapping[str, str]) -> Places:
    """The folders for the user that `env` describes (HOME and the XDG_* variables)."""
    home = Path(env.get("HOME") or Path.home())

    def folder(variable: str, default: str) -> Path:
        # the specification: a relative path is invalid and must be ignored
        named = env.get(variable, "")
        return (Path(named) if named.startswith("/") else home / default) / "openclaude"

    return Places(
        home=home,
        config=folder("XDG_CONFIG_HOME", ".config"),
        state=folder("XDG_STATE_HOME", ".local/state"),
        cache=folder("XDG_CACHE_HOME", ".cache"),
        shipped=find_shipped(Path(__file__).parent),
    )


def find_shipped(package: Path) -> Path:
    """The shipped profiles: inside the installed package, or beside it in a checkout."""
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent / "profiles"
