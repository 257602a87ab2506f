"""The process beside a main whose slots another machine serves: it fetches the key for them.

Knows: how a secret is fetched. Independent of: what the key is for, when it has to be renewed. main
may start no program and write nowhere once it serves, and a program that fetches a short-lived key
does both: this process starts before that, knows no other secret, and ends with main.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Mapping

from openclaude.contracts.decode import to_line
from openclaude.contracts.worker import FetchedKey, read_secrets, secrets_text
from openclaude.run.os.confinement import keep_memory_private
from openclaude.run.os.processes import python_environment, python_module
from openclaude.run.worker.secrets import SecretUnavailable, check, fetch

MODULE = "openclaude.run.worker.key_fetcher"


def start_fetcher(variable: str, reference: str, for_programs: Mapping[str, str]) -> int:
    """Start the process; the descriptor on which it is asked. Raises OSError."""
    ours, theirs = socket.socketpair()
    with theirs:
        # ends by itself when main does, which has the other end; in main's process group, too
        subprocess.Popen(
            python_module(MODULE),
            env=python_environment(),
            cwd="/",
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
        )
    ours.sendall(secrets_text({variable: reference}, dict(for_programs)).encode() + b"\n")
    return ours.detach()


def main() -> None:
    """Answer each line, which is a number, with it and the key, until the other end closes."""
    keep_memory_private()
    references, for_programs = read_secrets(sys.stdin.buffer.readline().decode())
    (reference,) = references.values()
    for line in sys.stdin.buffer:
        try:
            found = FetchedKey(key=fetched(reference, for_programs))
        except SecretUnavailable as error:
            found = FetchedKey(error=str(error))
        sys.stdout.buffer.write(to_line(found._replace(number=int(line))))
        sys.stdout.buffer.flush()


def fetched(reference: str, for_programs: Mapping[str, str]) -> str:
    """The key, which must fit into a header. Raises SecretUnavailable."""
    key = check(reference, fetch(reference, for_programs))
    if not key.isascii() or not key.isprintable():
        raise SecretUnavailable(f"the secret `{reference}` is not a key: it has other characters")
    return key


if __name__ == "__main__":
    main()
