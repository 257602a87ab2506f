"""Profile names: what one may look like, and which one is meant when none is given.

Knows: the rules of a name, OPENCLAUDE_PROFILE. Refuses to know: files, tiers. Standard library
only, because the warm launch imports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from openclaude.errors import UsageError, nearest

DEFAULT_PROFILE = "qwen"
PROFILE_VARIABLE = "OPENCLAUDE_PROFILE"
# No slash and no leading dot: a name can never leave the folder of the profiles.
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
NAME_RULE = (
    "a name has a-z, 0-9, `.`, `_` and `-`, begins with a letter or a digit, "
    "and is at most 64 characters long"
)


class BadProfileName(UsageError):
    """What was given as a profile's name cannot be one."""

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


def is_name(name: str) -> bool:
    """Whether `name` keeps the rules of a profile's name."""
    return NAME_PATTERN.fullmatch(name) is not None


def check_name(name: str, *, variable: str = "") -> str:
    """`name` itself, or an error that says what a name looks like."""
    if not is_name(name):
        raise BadProfileName(name, variable=variable)
    return name


def default_profile_name(env: Mapping[str, str]) -> str:
    """The profile that is meant when the command line names none."""
    named = env.get(PROFILE_VARIABLE)
    return check_name(named, variable=PROFILE_VARIABLE) if named else DEFAULT_PROFILE


def profile_name(given: str | None, env: Mapping[str, str]) -> str:
    """The profile that a command line means: the one it names, else the default."""
    return default_profile_name(env) if given is None else check_name(given)


def shorten(text: str) -> str:
    """`text` as it may be shown in a message: one short line, nothing a terminal obeys."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= 80 else shown[:77] + "..."
