"""A tap between claude and its server: it passes everything on and records all of it.

Knows: HTTP on loopback, whole replies. Independent of: what is sent.
"""

from __future__ import annotations

import contextlib
import http.client
from typing import NamedTuple

from openclaude.standins.base.exchange import Recorded, Reply
from openclaude.standins.base.standin import Standin

TIMEOUT_S = 120.0
NOT_PASSED_ON = frozenset({"transfer-encoding", "content-length", "connection", "keep-alive"})
BROKEN_OFF = 0  # the status of a request whose answer did not arrive or did not end


class Passed(NamedTuple):
    """A request, and the status of its answer."""

    request: Recorded
    status: int


class Tap(Standin[Recorded]):
    """`with Tap() as tap`; a request to `tap.url` goes to `tap.target`, a loopback port."""

    name = "tap"

    def __init__(self) -> None:
        super().__init__(answer=self.forward)
        self.target = 0
        self.passed: list[Passed] = []  # appended to by one call, which Python makes atomic

    def _inspect(self, request: Recorded) -> Recorded:
        return request

    def _reply(self, request: Recorded) -> Reply:
        raise NotImplementedError("everything is passed on")

    def forward(self, request: Recorded) -> Reply:
        """Send the same request to the target, and return its answer."""
        reply = self.ask(request)
        self.passed.append(Passed(request, BROKEN_OFF if reply.cut else reply.status))
        return reply

    def ask(self, request: Recorded) -> Reply:
        """Return the target's answer; cut where its answer is cut."""
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=TIMEOUT_S)
        with contextlib.closing(connection):
            try:
                connection.putrequest(
                    request.method, request.target, skip_host=True, skip_accept_encoding=True
                )
                for name, value in request.headers:
                    own = b"127.0.0.1:%d" % self.target if name.lower() == b"host" else value
                    connection.putheader(name, own)
                connection.endheaders(request.body)
                response = connection.getresponse()
            except (OSError, http.client.HTTPException):
                return Reply(cut=True)
            headers = tuple(
                (name, value)
                for name, value in response.getheaders()
                if name.lower() not in NOT_PASSED_ON
            )
            try:
                return Reply(status=response.status, headers=headers, body=response.read())
            except http.client.IncompleteRead as error:
                # twice the part that arrived, because a stand-in sends half of what it cuts
                return Reply(
                    status=response.status, headers=headers, body=error.partial * 2, cut=True
                )
