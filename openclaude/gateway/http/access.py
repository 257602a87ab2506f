"""Access control in front of both instances: lets only claude's own requests in.

Knows: hosts, origins, routes, local keys. Independent of: models, LiteLLM, upstreams. In this
order: a request from a browser page or with a foreign Host is refused; an unknown route is a 404;
then the local key is compared, in constant time.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from openclaude.contracts.local_request import is_local
from openclaude.contracts.worker import ADMIT
from openclaude.gateway.http.asgi import (
    App,
    Headers,
    Receive,
    Scope,
    Send,
    answer_error,
    header,
    send_json,
)
from openclaude.gateway.http.other_keys import OtherKeys
from openclaude.gateway.http.shutdown import run_until_answered

Route = tuple[str, str]  # method, path
WHO: Route = ("GET", "/openclaude/who")
NO_KEY = (
    "this port belongs to openclaude, and the request did not carry its local key: "
    "start claude with `openclaude`"
)
OLD_KEY = (
    "the local key of this session was revoked, because its proxies were stopped or locked: exit, "
    "start claude with `openclaude` again, and `--continue` brings the conversation back"
)
KEY_SHAPE = b"sk-openclaude-"
KEY_HEADERS = (b"x-litellm-api-key",)


class AccessControl:
    """An ASGI application that passes on the requests it lets in.

    `keyless` are routes answered here with an empty 200: claude requests them without a key, and an
    upstream need not see them. `further` tells whether any other route is served. `check` may
    refuse a request for another reason: it gets the headers and returns a sentence, or "" to let
    the request in. `others` are keys that are accepted as well.
    """

    def __init__(
        self,
        app: App,
        *,
        key: str,
        routes: frozenset[Route],
        keyless: frozenset[Route] = frozenset(),
        further: Callable[[str, str], bool] = lambda _method, _path: False,
        key_headers: tuple[bytes, ...] = KEY_HEADERS,
        check: Callable[[Headers], str] = lambda _headers: "",
        others: OtherKeys | None = None,
    ) -> None:
        self.app = app
        self.key = key.encode()
        self.routes = routes
        self.keyless = keyless
        self.further = further
        self.key_headers = key_headers
        self.check = check
        self.others = others or OtherKeys()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self.http(scope, receive, send)
        else:  # websocket: not served here
            await send({"type": "websocket.close", "code": 1008})

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = scope["headers"]
        route = (scope["method"], scope["path"])
        if is_local(headers) and route == WHO:
            await send_json(send, 200, self.proof(header(headers, b"x-openclaude-nonce")))
        elif not is_local(headers) or not self.is_open(route):
            await answer_error(send, 404, f"openclaude does not serve `{route[0]} {route[1]}`")
        elif route in self.keyless:
            await send_json(send, 200, b"" if route[0] == "HEAD" else b"{}")
        elif not self.has_key(headers):
            await answer_error(send, 424, OLD_KEY if self.has_old_key(headers) else NO_KEY)
        elif refusal := self.check(headers):
            await answer_error(send, 424, refusal)
        else:
            scope.pop(ADMIT, no_matter)()
            await run_until_answered(self.app, scope, receive, send)

    def is_open(self, route: Route) -> bool:
        """Tell whether a route is served."""
        return route in self.routes or route in self.keyless or self.further(*route)

    def proof(self, nonce: bytes) -> bytes:
        """Return a proof that the instance has this local key, without revealing the key."""
        return hmac.new(self.key, b"openclaude " + nonce, "sha256").hexdigest().encode()

    def has_old_key(self, headers: Headers) -> bool:
        """Tell whether a request carries a key that a stack before this one had, or none of ours.

        Its session says so by itself; nobody learns more about the key that counts.
        """
        return any(
            value.removeprefix(b"Bearer ").startswith(KEY_SHAPE)
            for name, value in headers
            if name in self.key_headers
        )

    def has_key(self, headers: Headers) -> bool:
        """Tell whether one of the key headers contains the local key, compared in constant time.

        Another key that counts is known by its digest, which needs no such care: what is compared
        tells nothing about the key.
        """
        keys = [
            value.removeprefix(b"Bearer ") for name, value in headers if name in self.key_headers
        ]
        if any(hmac.compare_digest(key, self.key) for key in keys):
            return True
        return any(key.startswith(KEY_SHAPE) and self.others.has(key) for key in keys)


def no_matter() -> None:
    """Ignore that a request was let in: the default for ADMIT."""
