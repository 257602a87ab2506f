"""Many clients that behave as claude does: after a lost connection, a 5xx or a 529 they retry once.

Knows: when claude retries, and what an interrupted stream looks like. Independent of: what is
requested, and what happens to the proxies meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from tests.e2e import raw
from tests.e2e.raw import Headers, RawReply

TRIES = 10  # as many as claude
PAUSE_S = 0.1  # claude waits longer; the shorter, the harder for the proxies
CROWD_S = 60.0  # the longest duration of any crowd here
LOST = RawReply(0, (), b"", is_whole=False)
END = b"event: message_stop"
ERROR = b"event: error"


class Told(NamedTuple):
    """The result of one request."""

    reply: RawReply  # the last one
    tries: int
    is_refused: bool  # the connection was refused: claude would show an error
    took_s: float

    @property
    def is_answered(self) -> bool:
        """Whether the reply is complete and not an error."""
        return self.reply.status == 200 and self.reply.is_whole and ERROR not in self.reply.body

    @property
    def is_streamed(self) -> bool:
        """Whether a stream ended normally."""
        return self.is_answered and END in self.reply.body

    @property
    def is_cut(self) -> bool:
        """Whether a stream that had begun ended visibly too early: cut, or with an error."""
        began = self.reply.status == 200 and END not in self.reply.body
        return began and (not self.reply.is_whole or ERROR in self.reply.body)


class Crowd:
    """Clients on threads of their own."""

    def __init__(self, port: int, headers: Headers, bodies: Iterable[bytes]) -> None:
        given = list(bodies)
        self.pool = ThreadPoolExecutor(len(given))
        self.asked: list[Future[Told]] = [
            self.pool.submit(ask_until_answered, port, headers, body) for body in given
        ]

    @property
    def is_waiting(self) -> bool:
        """Whether no client has its whole reply yet."""
        return not any(future.done() for future in self.asked)

    def told(self) -> list[Told]:
        """Return all results, once the clients are done."""
        answers = [future.result(CROWD_S) for future in self.asked]
        self.pool.shutdown()
        return answers


def ask_until_answered(port: int, headers: Headers, body: bytes) -> Told:
    """Send a request as claude does; a stream that began and was cut is not retried."""
    begun_at = time.monotonic()
    reply, tries = LOST, 0
    while tries < TRIES:
        tries += 1
        reply = LOST
        try:
            reply = raw.ask(port, headers, body)
        except ConnectionRefusedError:
            return Told(LOST, tries, is_refused=True, took_s=time.monotonic() - begun_at)
        except ConnectionError:
            pass  # it was closed before the request had been sent
        if reply.status and reply.status < 500:
            break
        time.sleep(PAUSE_S)
    return Told(reply, tries, is_refused=False, took_s=time.monotonic() - begun_at)
