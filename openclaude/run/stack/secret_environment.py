"""A unit's secrets: values that are known, and references for the others.

Knows: which of the user's variables secrets need. Independent of: fetching, which the unit does
itself at the last moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openclaude.contracts.references import parse_secret
from openclaude.contracts.worker import SECRETS_VARIABLE, secrets_text

# What a password manager's program needs to find its store and its agent.
COMMAND_ENVIRONMENT = (
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "LANG",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "GNUPGHOME",
    "GPG_TTY",
    "SSH_AUTH_SOCK",
    "PASSWORD_STORE_DIR",
)


def names_needed(references: Iterable[str]) -> set[str]:
    """The user's variables that fetching these secrets needs.

    Raises BadReference, a ValueError.

    """
    names: set[str] = set()
    for reference in references:
        variable = parse_secret(reference).variable
        names |= {variable} if variable else {*COMMAND_ENVIRONMENT}
    return names


def secret_environment(
    references: Mapping[str, str], inherited: Mapping[str, str]
) -> dict[str, str]:
    """The variables for a unit's environment: known values, and references for the others.

    `references` are by the variable each is for; `inherited` is the user's environment.
    Raises BadReference, a ValueError.

    """
    if not references:
        return {}
    known = {
        variable: inherited[name]
        for variable, reference in references.items()
        if (name := parse_secret(reference).variable) and inherited.get(name)
    }
    rest = {name: reference for name, reference in references.items() if name not in known}
    for_commands = {name: inherited[name] for name in COMMAND_ENVIRONMENT if name in inherited}
    return {**known, **({SECRETS_VARIABLE: secrets_text(rest, for_commands)} if rest else {})}
