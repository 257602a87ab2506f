"""Secrets: what a reference points to, fetched at the last moment by the process that needs it.

Knows: `env:NAME`, `file:PATH`, `command:ARGV`. Refuses to know: what a secret is for. No message
holds a secret; every message names the reference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

# how a unit is told what to fetch: references and the environment for the commands, as JSON
VARIABLE = "OPENCLAUDE_SECRETS"
COMMAND_TIMEOUT_S = 30.0
LARGEST = 64 * 1024  # bytes; a service account's JSON has 2 KB
EX_CONFIG = 78  # sysexits.h: the exit status of a unit that cannot start before the user mends it
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


class SecretUnavailable(Exception):
    """A reference that leads nowhere; the message names it and says what to do."""


def names_needed(references: Iterable[str]) -> set[str]:
    """The variables of the user's environment that fetching these secrets takes."""
    names: set[str] = set()
    for reference in references:
        kind, _, rest = reference.partition(":")
        names |= {rest} if kind == "env" else {*COMMAND_ENVIRONMENT}
    return names


def told(references: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """What a unit finds in its environment: values that are there, how to fetch the others.

    `references` are by the variable each is for; `inherited` is the user's environment.
    """
    if not references:
        return {}
    known = {
        variable: inherited[name]
        for variable, reference in references.items()
        if (name := reference.removeprefix("env:")) != reference and inherited.get(name)
    }
    rest = {name: reference for name, reference in references.items() if name not in known}
    around = {name: inherited[name] for name in COMMAND_ENVIRONMENT if name in inherited}
    return {**known, **({VARIABLE: json.dumps([rest, around])} if rest else {})}


def fetch_all(environment: dict[str, str]) -> None:
    """In the unit: replace what `told` said by the secrets themselves, in place.

    Raises SecretUnavailable for the first that cannot be had.
    """
    if VARIABLE not in environment:
        return
    references, around = json.loads(environment.pop(VARIABLE))
    for variable, reference in references.items():
        environment[variable] = check(reference, fetch(reference, around))


def fetch(reference: str, environment: Mapping[str, str]) -> str:
    """The secret that a reference points to. Raises SecretUnavailable."""
    kind, _, rest = reference.partition(":")
    match kind:
        case "file":
            return read_file(reference, rest, environment)
        case "command":
            return run_command(reference, rest, environment)
        case _:  # known variables have been filled in already
            raise SecretUnavailable(
                f"the secret `{reference}` is not set: set {rest}, then start openclaude again"
            )


def check(reference: str, secret: str) -> str:
    """A secret without the newline at its end; a text of one printable line or a JSON document."""
    found = secret.strip()
    if not found:
        raise SecretUnavailable(f"the secret `{reference}` is empty")
    if not found.isprintable() and not found.startswith("{"):
        raise SecretUnavailable(f"the secret `{reference}` is more than one line of text")
    return found


def read_file(reference: str, path: str, environment: Mapping[str, str]) -> str:
    """The content of a file; `~/` is the user's home."""
    home = environment.get("HOME", "")
    place = Path(home, path[2:]) if path.startswith("~/") else Path(path)
    try:
        # without O_NONBLOCK, opening a FIFO would wait for a writer
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(LARGEST).decode()
    except OSError as error:
        raise SecretUnavailable(
            f"the secret `{reference}` cannot be read: {error.strerror}"
        ) from None
    except ValueError:  # its text may hold the secret
        raise SecretUnavailable(f"the secret `{reference}` is no text") from None


def run_command(reference: str, command: str, environment: Mapping[str, str]) -> str:
    """What a program prints; its own messages are left out, for they may hold a secret too."""
    import shlex
    import subprocess

    try:
        ended = subprocess.run(
            shlex.split(command),
            env=dict(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        raise SecretUnavailable(
            f"the secret `{reference}` cannot be fetched: {error.strerror}"
        ) from None
    except subprocess.TimeoutExpired:
        raise SecretUnavailable(
            f"the secret `{reference}` did not come within {COMMAND_TIMEOUT_S:.0f} s"
        ) from None
    if ended.returncode != 0:
        raise SecretUnavailable(
            f"the secret `{reference}` cannot be fetched: exit status {ended.returncode}"
        )
    try:
        return ended.stdout.decode()
    except ValueError:
        raise SecretUnavailable(f"the secret `{reference}` is no text") from None
