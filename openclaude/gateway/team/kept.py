"""What people have spent, kept in a file by a server that is one process: it outlives a restart.

Knows: the file. Independent of: what is counted (`counts`), servers of several processes, whose
sums are in Redis (`shared`). A file that cannot be read or written stops nobody: the log says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from openclaude.gateway.team.counts import LocalCount

WRITE_S = 2.0
LARGEST = 64 * 1024 * 1024  # bytes
TOO_MUCH = (RecursionError, OverflowError)  # of brackets; `Infinity`


class KeptCount(LocalCount):
    """The count of one process, with sums that are kept."""

    def __init__(self, path: Path, note: Callable[[str], None]) -> None:
        """`note` is told if the file cannot be used."""
        super().__init__()
        self._path = path
        self._note = note
        self._said = ""
        self._written = "{}"
        self._read()
        self._written = self._text()

    async def keep(self) -> None:
        """Write what is new now and then, until cancelled."""
        while True:
            if (text := self._text()) != self._written:
                await asyncio.to_thread(self._write, text)
            await asyncio.sleep(WRITE_S)

    async def close(self) -> None:
        """Write what is new."""
        if (text := self._text()) != self._written:
            self._write(text)

    def _text(self) -> str:
        return json.dumps(self.spent.periods)

    def _write(self, text: str) -> None:
        """Whole or not at all."""
        temporary = self._path.with_name(f".{self._path.name}.{os.urandom(8).hex()}.tmp")
        try:
            with os.fdopen(os.open(temporary, NEW, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            temporary.replace(self._path)
            self._written, self._said = text, ""
        except OSError as error:
            self._complain(error.strerror or str(error))
            with contextlib.suppress(OSError):  # what cannot be written can often not be removed
                temporary.unlink(missing_ok=True)

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file:
                found = json.loads(file.read(LARGEST))
            self.spent.periods = {
                str(period): {str(name): int(sum_) for name, sum_ in people.items()}
                for period, people in found.items()
            }
        except FileNotFoundError:
            return
        except (OSError, ValueError, AttributeError, TypeError, *TOO_MUCH) as error:
            self._complain(str(error))

    def _complain(self, why: str) -> None:
        if why != self._said:
            self._said = why
            self._note(f"what people have spent is not kept over a restart: `{self._path}`: {why}")


NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
