"""A unit's secrets: values that are known, and references for the others.

Knows: which of the user's variables secrets need. Independent of: fetching, which the unit does
itself at the last moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openclaude.contracts.references import parse_secret
from openclaude.contracts.worker import SECRETS_VARIABLE, secrets_text

# What programs need that fetch a credential: a password manager's store, its agent, the desktop's
# bus, the terminal. They run as in the user's shell.
PROGRAM_VARIABLES = (
    *("HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "TERM", "BROWSER"),
    *("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"),
    *("GNUPGHOME", "GPG_TTY", "GPG_AGENT_INFO", "SSH_AUTH_SOCK", "SSH_AGENT_PID"),
    *("KRB5CCNAME", "KRB5_CONFIG"),
)
# and whole families of them: aws-vault, 1Password, Bitwarden, pass, HashiCorp's Vault, granted, ...
PROGRAM_PREFIXES = (
    *("XDG_", "LC_", "AWS_VAULT_", "OP_", "BW_", "PASSWORD_STORE_", "VAULT_", "GRANTED_"),
    *("SAML2AWS_", "GOPASS_", "KEEPASSXC_", "INFISICAL_", "DOPPLER_", "LPASS_"),
)


def for_programs(env: Mapping[str, str]) -> dict[str, str]:
    """Of an environment, what a program finds that fetches a credential."""
    return {
        name: value
        for name, value in env.items()
        if name in PROGRAM_VARIABLES or name.startswith(PROGRAM_PREFIXES)
    }


def variables_needed(references: Iterable[str], env: Mapping[str, str]) -> dict[str, str]:
    """The user's variables that fetching these secrets needs.

    Raises BadReference, a ValueError.

    """
    found: dict[str, str] = {}
    for reference in references:
        variable = parse_secret(reference).variable
        if not variable:
            found |= for_programs(env)
        elif variable in env:
            found[variable] = env[variable]
    return found


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
    for_commands = for_programs(inherited)
    return {**known, **({SECRETS_VARIABLE: secrets_text(rest, for_commands)} if rest else {})}
