"""Profile names: what one may look like, and which one is meant when none is given.

Knows: the rules of a name, OPENCLAUDE_PROFILE, the file that `profiles use` writes.
Independent of: what a profile says. Standard library only, because the warm launch imports it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openclaude.errors import UsageError, nearest

if TYPE_CHECKING:
    from openclaude.paths import Places

DEFAULT_PROFILE = "qwen"
PROFILE_VARIABLE = "OPENCLAUDE_PROFILE"
DEFAULT_FILE = "default"  # beside the folder of the profiles: one line, a name
LONGEST_FILE = 256  # more than a name and its line's end
# No slash and no leading dot: a name can never leave the folder of the profiles.
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
NAME_RULE = (
    "a name has a-z, 0-9, `.`, `_` and `-`, begins with a letter or a digit, "
    "and is at most 64 characters long"
)


class BadProfileName(UsageError):
    """An invalid profile name."""

    code = "profile-name"

    def __init__(self, name: str, *, variable: str = "") -> None:
        origin = f"{variable}: " if variable else ""
        super().__init__(f"{origin}`{shorten(name)}` cannot be a profile name", hint=NAME_RULE)


class UnknownProfile(UsageError):
    """No file of that name, neither the user's nor a shipped one."""

    code = "profile-unknown"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        near = nearest(name, known)
        hint = f"did you mean `{near}`?" if near else "list them with `openclaude profiles list`"
        super().__init__(f"no profile named `{name}`", hint=hint)


class BadDefault(UsageError):
    """The file with the default profile's name is invalid."""

    code = "profile-default"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"`{path}` {why}", hint="choose the default with `openclaude profiles use NAME`"
        )


def is_name(name: str) -> bool:
    """Whether `name` keeps the rules of a profile's name."""
    return NAME_PATTERN.fullmatch(name) is not None


def check_name(name: str, *, variable: str = "") -> str:
    """`name` itself, or an error that says what a name looks like. Raises BadProfileName."""
    if not is_name(name):
        raise BadProfileName(name, variable=variable)
    return name


def default_profile_name(env: Mapping[str, str], places: Places) -> str:
    """The default profile."""
    named = env.get(PROFILE_VARIABLE)
    if named:
        return check_name(named, variable=PROFILE_VARIABLE)
    return used_profile_name(places) or DEFAULT_PROFILE


def used_profile_name(places: Places) -> str | None:
    """The profile that `profiles use` has chosen. Raises BadDefault."""
    path = places.config / DEFAULT_FILE
    name = read_default(path)
    if name is None:
        return None
    if not is_name(name):
        raise BadDefault(path, "does not contain a profile name")
    folders = (places.profiles, places.shipped)
    if not any(os.path.lexists(folder / f"{name}.toml") for folder in folders):
        raise BadDefault(path, f"names the profile `{name}`, which does not exist")
    return name


def read_default(path: Path) -> str | None:
    """The file's content, unchecked; None if there is no file. Raises BadDefault."""
    try:
        # without O_NONBLOCK, opening a FIFO would wait for a writer
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(descriptor, LONGEST_FILE).decode("utf-8", "replace").strip()
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadDefault(path, f"cannot be read: {(error.strerror or '').lower()}") from error


def profile_name(given: str | None, env: Mapping[str, str], places: Places) -> str:
    """The profile that a command line means: the one it names, else the default."""
    return default_profile_name(env, places) if given is None else check_name(given)


def shorten(text: str) -> str:
    """`text` shortened for a message: one line without control characters."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= 80 else shown[:77] + "..."
