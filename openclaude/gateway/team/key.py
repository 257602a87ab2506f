"""A person's key for the machine that serves the slots: fetched when it is needed, and again.

Knows: who is asked for it, when a key has run out. Independent of: where it is stored, what it is
sent with. It is kept in memory only.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import socket
import time
from collections.abc import Callable, Mapping

from openclaude.contracts.worker import (
    KEY_FETCHER_VARIABLE,
    KEY_REFERENCE_VARIABLE,
    SERVER_KEY_VARIABLE,
    FetchedKey,
    read_fetched,
)

EARLY_S = 30.0  # a key that runs out so soon is renewed before it is sent
PATIENCE_S = 45.0  # the process that fetches it gives a program 30


class KeyUnavailable(Exception):
    """There is no key; the message says why, and what to do."""


class ServerKey:
    """The key as it is now. Requests that need it at once have it fetched once."""

    def __init__(
        self,
        reference: str,
        *,
        fixed: str = "",
        fetcher: socket.socket | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`fixed`: a key that never changes; else `fetcher` leads to who fetches it."""
        self.reference = reference
        self._key = fixed
        self._fetcher = KeyFetching(fetcher) if fetcher else None
        self._fetching: asyncio.Task[None] | None = None
        self._now = now

    @classmethod
    def of(cls, env: Mapping[str, str]) -> ServerKey:
        """Return the one that main's environment speaks of."""
        descriptor = env.get(KEY_FETCHER_VARIABLE)
        return cls(
            env[KEY_REFERENCE_VARIABLE],
            fixed=env.get(SERVER_KEY_VARIABLE, ""),
            fetcher=socket.socket(fileno=int(descriptor)) if descriptor else None,
        )

    async def current(self) -> str:
        """Return the key, fetched if there is none yet or it runs out. Raises KeyUnavailable."""
        if not self._is_good():
            await self._fetched()
        return self._key

    async def renewed(self, refused: str) -> str:
        """Return the key after one was refused: the same where no other can be fetched.

        Raises KeyUnavailable.
        """
        if self._key == refused and self._fetcher is not None:
            await self._fetched()
        return self._key

    def _is_good(self) -> bool:
        if not self._key:
            return False
        return self._fetcher is None or self._now() < expiry(self._key) - EARLY_S

    async def _fetched(self) -> None:
        """Wait for a key; whoever leaves meanwhile leaves no answer behind that nobody has read."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        if self._fetcher is None:
            raise KeyUnavailable(f"the key from `{self.reference}` is not set")
        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await self._fetcher.ask()
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError
            raise KeyUnavailable(
                f"the key from `{self.reference}` cannot be fetched: the process for it is gone; "
                "run `openclaude restart`"
            ) from error
        if found.error:
            raise KeyUnavailable(found.error)
        self._key = found.key


class KeyFetching:
    """The line to the process that fetches the key.

    A question has a number: one that was given up may be answered when the next one waits.
    """

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._line = line
        self._asked = 0
        self._unread = b""

    async def ask(self) -> FetchedKey:
        """Ask, and return the answer. Raises OSError, ValueError."""
        loop = asyncio.get_running_loop()
        self._asked += 1
        await loop.sock_sendall(self._line, b"%d\n" % self._asked)
        while True:
            answer, end, rest = self._unread.partition(b"\n")
            if end:
                self._unread = rest
                found = read_fetched(answer)
                if found.number == self._asked:
                    return found
                continue
            part = await loop.sock_recv(self._line, 65536)
            if not part:
                raise ConnectionError(errno.ECONNRESET, "it has ended")
            self._unread += part


def expiry(key: str) -> float:
    """Return when a key runs out, as far as it says so: a JSON Web Token does; else never."""
    parts = key.split(".")
    if len(parts) != 3:
        return float("inf")
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
        return float(claims["exp"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return float("inf")
