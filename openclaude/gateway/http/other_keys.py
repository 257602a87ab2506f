"""Keys that are accepted beside the local one, known by their digests alone.

Knows: where digests are read, and when again. Independent of: what a key is for, who is let in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from openclaude.contracts.worker import FORMER_KEYS, PROGRAM_KEYS

LONGEST_FILE = 1 << 20  # bytes


class OtherKeys:
    """Digests of the keys of sessions from before this stack, and of programs of the user's own.

    Programs come and go while the instance runs: their file is looked at for each request that
    brings another key than the local one, and read again only if it has changed.
    """

    def __init__(self, sessions: frozenset[str] = frozenset(), programs: str = "") -> None:
        """`programs`: the path of the file, or "" for none."""
        self._sessions = sessions
        self._path = Path(programs) if programs else None
        self._seen: tuple[int, int, int] | None = None
        self._programs: frozenset[str] = frozenset()

    @classmethod
    def of(cls, env: Mapping[str, str]) -> OtherKeys:
        """Return those that an instance's environment names."""
        sessions = frozenset(filter(None, env.get(FORMER_KEYS, "").split(",")))
        return cls(sessions, env.get(PROGRAM_KEYS, ""))

    def has(self, key: bytes) -> bool:
        """Tell whether this is one of them."""
        digest = hashlib.sha256(key).hexdigest()
        return digest in self._sessions or digest in self._known_programs()

    def _known_programs(self) -> frozenset[str]:
        if not self._path:
            return self._programs
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_ino, found.st_size)
            if seen != self._seen:
                self._programs = read_digests(self._path)
                self._seen = seen
        except (OSError, ValueError, TypeError, RecursionError):
            self._programs, self._seen = frozenset(), None  # removed or broken: nobody is let in
        return self._programs


def read_digests(path: Path) -> frozenset[str]:
    """Return the digests in a file of programs. Raises OSError, ValueError or TypeError."""
    with path.open("rb") as file:
        rows = json.loads(file.read(LONGEST_FILE))
    return frozenset(str(digest) for _, digest, _ in rows)
