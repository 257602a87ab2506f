"""Secrets, fetched at the last moment by the process that needs them.

Knows: `env:NAME`, `file:PATH`, `command:ARGV`. Independent of: what a secret is for. No message
contains a secret; every message names the reference.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from openclaude.contracts.references import SecretKind, parse_secret
from openclaude.contracts.worker import SECRETS_VARIABLE, SERVER_KEY_VARIABLE, read_secrets

COMMAND_TIMEOUT_S = 30.0
LARGEST = 64 * 1024  # bytes; a service account's JSON has 2 KB
EX_CONFIG = 78  # sysexits.h: the exit status of a unit that cannot start before the user fixes it


class SecretUnavailable(Exception):
    """A secret that cannot be fetched; the message names its reference and says what to do."""


def fetch_all(environment: dict[str, str]) -> None:
    """In the unit: fetch the secrets of SECRETS_VARIABLE into the environment.

    Not a server's key, which may change meanwhile (`key_fetcher`). Raises SecretUnavailable for the
    first that cannot be fetched.
    """
    references, for_commands = wanted_secrets(environment)
    environment.pop(SECRETS_VARIABLE, None)
    references.pop(SERVER_KEY_VARIABLE, None)
    for variable, reference in references.items():
        environment[variable] = check(reference, fetch(reference, for_commands))


def wanted_secrets(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Where the unit's secrets are, by variable, and the environment of programs."""
    text = environment.get(SECRETS_VARIABLE)
    return read_secrets(text) if text else ({}, {})


def fetch(reference: str, environment: Mapping[str, str]) -> str:
    """The secret that a reference points to. Raises SecretUnavailable."""
    secret = parse_secret(reference)
    match secret.kind:
        case SecretKind.FILE:
            return read_file(reference, secret.target, environment)
        case SecretKind.COMMAND:
            return run_command(reference, secret.target, environment)
        case SecretKind.ENV:  # known variables have been filled in already
            raise SecretUnavailable(
                f"the secret `{reference}` is not set: set {secret.variable}, then start "
                "openclaude again"
            )


def check(reference: str, secret: str) -> str:
    """A secret without surrounding space: one printable line, or a JSON document.

    Raises SecretUnavailable.
    """
    found = secret.strip()
    if not found:
        raise SecretUnavailable(f"the secret `{reference}` is empty")
    if not found.isprintable() and not found.startswith("{"):
        raise SecretUnavailable(f"the secret `{reference}` is not a single line of text")
    return found


def read_file(reference: str, path: str, environment: Mapping[str, str]) -> str:
    """The content of a file; `~/` is the user's home. Raises SecretUnavailable."""
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
        raise SecretUnavailable(f"the secret `{reference}` is not UTF-8 text") from None


def run_command(reference: str, command: str, environment: Mapping[str, str]) -> str:
    """A program's stdout; its stderr is discarded, as it may contain a secret too.

    Raises SecretUnavailable.
    """
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
            f"the secret `{reference}` cannot be fetched: no answer within "
            f"{COMMAND_TIMEOUT_S:.0f} s"
        ) from None
    if ended.returncode != 0:
        raise SecretUnavailable(
            f"the secret `{reference}` cannot be fetched: exit status {ended.returncode}"
        )
    try:
        return ended.stdout.decode()
    except ValueError:
        raise SecretUnavailable(f"the secret `{reference}` is not UTF-8 text") from None
