"""Local keys: what makes a request to an instance one of our own.

Knows: how one is made, when one has to be made anew. Independent of: who sends or checks it.
"""

from __future__ import annotations

import os
from pathlib import Path

from openclaude.contracts.decode import Malformed
from openclaude.files import write_private
from openclaude.run.stack.folder import read_folder_plan

# that a session of this stack was told to speak HTTP; goes with the stack's other files
PLAIN = "spoken-plainly.json"
MOST_FORMER = 8  # stops that a session can live through


def new_key() -> str:
    """A local key: 256 bits from the system's random generator."""
    return f"sk-openclaude-{os.urandom(32).hex()}"


def digest_of(key: str) -> str:
    """What an instance knows a key by that it does not have: its SHA-256, in hexadecimal."""
    import hashlib  # 3 ms that a warm launch does not need

    return hashlib.sha256(key.encode()).hexdigest()


def with_former(former: tuple[str, ...], key: str) -> tuple[str, ...]:
    """The digests of the keys before, with that of the one that was the last; the oldest go."""
    return (*former, *([digest_of(key)] if key else []))[-MOST_FORMER:]


def note_plain_session(folder: Path) -> None:
    """Remember that a session tells its key to whoever answers. Raises FolderUnusable."""
    write_private(folder / PLAIN, "{}")


def is_told_to_strangers(folder: Path) -> bool:
    """Whether sessions of the stack before tell their key to whoever has its port.

    With TLS they say nothing to a process without its certificate. Asked before the folder gets
    the next stack's plan; if that of the stack before cannot be read, they may.
    """
    try:
        plan = read_folder_plan(folder)
    except (OSError, UnicodeDecodeError, Malformed):
        return True
    return not plan.is_tls or (folder / PLAIN).exists()
