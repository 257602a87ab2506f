"""Where openclaude keeps its own files, after the XDG base directory specification.

Knows: directory names, how PATH is written. Must not depend on what is in the files; it reads none.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from openclaude.errors import UsageError


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

    @property
    def settings(self) -> Path:
        """claude's settings files for launches, as `run.stack.folder` names their folder."""
        return self.state.parent / "claude-settings"


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


def with_absolute_home(env: dict[str, str]) -> dict[str, str]:
    """`env` with a HOME that means the same in every directory.

    claude begins a relative one in the working directory (measured); our processes have others.
    """
    home = env.get("HOME", "")
    if home and not home.startswith("/"):
        with contextlib.suppress(OSError):  # a directory that was removed is named by the launch
            return {**env, "HOME": f"{os.getcwd()}/{home}"}  # noqa: PTH109 - links stay as they are
    return env


def find_shipped(package: Path) -> Path:
    """The shipped profiles: inside the installed package, or beside it in a checkout."""
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent / "profiles"


def on_path(name: str, path: str) -> list[str]:
    """Where a program may be, in the order of PATH; an empty entry is the working directory."""
    return [os.path.join(folder or ".", name) for folder in path.split(os.pathsep)]  # noqa: PTH118


def working_folder() -> Path:
    """The current directory. Raises UsageError when it has been removed; claude needs one too."""
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the working directory cannot be used: {error.strerror}",
            hint="`cd` into a directory that exists",
        ) from error
