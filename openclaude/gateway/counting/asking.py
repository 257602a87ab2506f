"""Counts in `main`: asks `providers` for the tokens of a slot's request.

Knows: how `providers` is asked, and that a session does not wait for a count. Independent of: who
counts there, the estimate that takes its place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from openclaude.gateway.counting.answering import COUNT, TIMEOUT_S
from openclaude.gateway.http.asgi import App, own_request
from openclaude.gateway.http.own import Collected, once
from openclaude.gateway.requests.shape import write_object
from openclaude.gateway.routing.forwarded import passed_to, shown_of

log = logging.getLogger("openclaude.counting")

TO_PROVIDERS = "/providers"
JSON = (b"content-type", b"application/json")
# both counters of a request, and the time in which a sleeping instance wakes
LONGEST_S = 2 * TIMEOUT_S + 4.0


class SlotCounts:
    """Asks through the application that passes requests on."""

    def __init__(self, app: App, *, raw_body_key: str, timeout_s: float = LONGEST_S) -> None:
        self._app = app
        self._raw_body_key = raw_body_key
        self._timeout_s = timeout_s

    async def count(self, slot: str, document: Mapping[str, Any]) -> int:
        """Return the tokens of a request by its provider's count; 0 where there is none."""
        document = {**document, "model": slot}
        body = write_object(document)
        own = own_request("POST", COUNT, [JSON])
        headers = [*own["headers"], (b"content-length", b"%d" % len(body))]
        scope = passed_to(own, TO_PROVIDERS, headers, body, self._raw_body_key)
        collected = Collected()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._app(scope, once(shown_of(document)), collected.send)
        except TimeoutError:
            return 0
        except Exception as failure:  # noqa: BLE001 - LiteLLM raises anything
            log.warning("%s is not counted: %s", slot, type(failure).__name__)
            return 0
        found = collected.document().get("input_tokens") if collected.status == 200 else 0
        is_count = isinstance(found, int) and not isinstance(found, bool) and found > 0
        return found if is_count and isinstance(found, int) else 0
