"""A proxy that leads nowhere: what would go to the internet is refused at once, and counted.

Knows: nothing of what is asked. Independent of: who asks.
"""

from __future__ import annotations

from openclaude.standins.base.exchange import Recorded, Reply
from openclaude.standins.base.standin import Standin


class Nowhere(Standin[Recorded]):
    """`with Nowhere() as proxy`: `proxy.url` is for HTTP_PROXY."""

    name = "proxy to nowhere"

    def _inspect(self, request: Recorded) -> Recorded:
        return request

    def _reply(self, request: Recorded) -> Reply:  # noqa: ARG002
        return Reply(status=403)
