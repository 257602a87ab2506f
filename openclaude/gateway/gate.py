"""The gate: what stands in front of both instances and lets only claude's own requests in.

Knows: hosts, origins, routes, local keys. Refuses to know: models, LiteLLM, upstreams.
Order: a browser page or a foreign name for this machine gets nothing; an unknown route is 404; then
the local key, in constant time.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from openclaude.gateway.asgi import (
    App,
    Headers,
    Receive,
    Scope,
    Send,
    answer,
    answer_error,
    header,
)
from openclaude.gateway.farewell import run_to_the_end

Route = tuple[str, str]  # method, path
WHO: Route = ("GET", "/openclaude/who")
HOSTS = frozenset({b"127.0.0.1", b"localhost"})
NO_KEY = (
    "this port belongs to openclaude and the request did not carry its local key: "
    "start claude with `openclaude`"
)
KEY_HEADERS = (b"x-litellm-api-key",)


class Gate:
    """An ASGI application that passes on what it lets in.

    `keyless` are routes answered here with an empty 200: claude asks for them without a key, and
    an upstream need not hear of them. `check` may refuse a request for a further reason: it gets
    the headers and returns a sentence, or "" to let it in.
    """

    def __init__(
        self,
        app: App,
        *,
        key: str,
        routes: frozenset[Route],
        keyless: frozenset[Route] = frozenset(),
        key_headers: tuple[bytes, ...] = KEY_HEADERS,
        check: Callable[[Headers], str] = lambda _headers: "",
    ) -> None:
        self.app = app
        self.key = key.encode()
        self.routes = routes
        self.keyless = keyless
        self.key_headers = key_headers
        self.check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self.http(scope, receive, send)
        else:  # websocket: nothing here speaks it
            await send({"type": "websocket.close", "code": 1008})

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = scope["headers"]
        route = (scope["method"], scope["path"])
        if is_local(headers) and route == WHO:
            await answer(send, 200, self.proof(header(headers, b"x-openclaude-nonce")))
        elif not is_local(headers) or route not in self.routes | self.keyless:
            await answer_error(send, 404, f"no route `{route[0]} {route[1]}` here")
        elif route in self.keyless:
            await answer(send, 200, b"" if route[0] == "HEAD" else b"{}")
        elif not self.has_key(headers):
            await answer_error(send, 424, NO_KEY)
        elif refusal := self.check(headers):
            await answer_error(send, 424, refusal)
        else:
            await run_to_the_end(self.app, scope, receive, send)

    def proof(self, nonce: bytes) -> bytes:
        """What only an instance with this local key can say (`run/who.py` asks); it tells none."""
        return hmac.new(self.key, b"openclaude " + nonce, "sha256").hexdigest().encode()

    def has_key(self, headers: Headers) -> bool:
        """Whether one of the key headers holds the local key, compared in constant time."""
        return any(
            hmac.compare_digest(value.removeprefix(b"Bearer "), self.key)
            for name, value in headers
            if name in self.key_headers
        )


def is_local(headers: Headers) -> bool:
    """Whether a request can be claude's: named as loopback, and from no browser page.

    A page in a browser always sends Origin when it asks another origin with POST; a rebound DNS
    name shows in Host.
    """
    host = header(headers, b"host").rpartition(b":")
    name = host[0] if host[1] and host[2].isdigit() else b"".join(host)
    return name in HOSTS and not header(headers, b"origin")
