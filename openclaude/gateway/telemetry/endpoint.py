"""The page that Prometheus reads, on a port of its own.

Knows: who may read it, the route. Independent of: what is on the page. The door of an instance has
let in only this user and root; a browser's page gets nothing. No key is asked for: there is no
secret on it, and nothing else is served here.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from openclaude.contracts.local_request import is_local
from openclaude.contracts.worker import FurtherPort
from openclaude.gateway.http.asgi import App, Receive, Scope, Send, before_the_end, header

ROUTE = "/metrics"
OWNER = b"x-openclaude-stack"  # by which another instance knows whose port it is


class Figures(Protocol):
    """What makes the page."""

    def start(self) -> None:
        """Begin."""

    def page(self, accept: str) -> tuple[bytes, str]:
        """The page and its type."""

    def stop(self) -> None:
        """End."""


class TelemetryPort:
    """An ASGI application in front of main's: it answers on the further port alone."""

    def __init__(self, app: App, figures: Figures, further: FurtherPort | None) -> None:
        self.app = app
        self.figures = figures
        self.port = further.port if further else 0
        self.owner = further.owner.encode() if further else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self.figures.start()
            await self.app(scope, receive, before_the_end(send, self.end))
        elif self.port and (scope.get("server") or ("", 0))[1] == self.port:
            await self.answer(scope, send)
        else:
            await self.app(scope, receive, send)

    async def end(self) -> None:
        """Send what is left; the ledger, which is written before, has told the last of it."""
        await asyncio.to_thread(self.figures.stop)

    async def answer(self, scope: Scope, send: Send) -> None:
        """Answer a request on the further port."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        is_page = scope["path"] == ROUTE and scope["method"] in ("GET", "HEAD")
        status, body, kind = 404, f"figures are at {ROUTE}\n".encode(), "text/plain"
        if is_page and is_local(scope["headers"]):
            accept = header(scope["headers"], b"accept").decode("latin-1")
            body, kind = await asyncio.to_thread(self.figures.page, accept)
            status = 200
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (OWNER, self.owner),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )
