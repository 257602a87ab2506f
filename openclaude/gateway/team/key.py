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
        self._fetcher = fetcher
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
                found = read_fetched(await ask_for_line(self._fetcher))
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError
            raise KeyUnavailable(
                f"the key from `{self.reference}` cannot be fetched: the process for it is gone; "
                "run `openclaude restart`"
            ) from error
        if found.error:
            raise KeyUnavailable(found.error)
        self._key = found.key


async def ask_for_line(fetcher: socket.socket) -> bytes:
    """Ask, and return the answer. Raises OSError."""
    loop = asyncio.get_running_loop()
    fetcher.setblocking(False)
    await loop.sock_sendall(fetcher, b"\n")
    line = b""
    while not line.endswith(b"\n"):
        part = await loop.sock_recv(fetcher, 65536)
        if not part:
            raise ConnectionError(errno.ECONNRESET, "it has ended")
        line += part
    return line


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
