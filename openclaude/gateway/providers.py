"""The entry of `providers`: LiteLLM behind the gate. The guard is a LiteLLM callback in its config.

Knows: the one route the hop uses, and that nothing but the hop's key may arrive as a credential.
Refuses to know: models, the guard's rules, how it was started.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping

from openclaude.gateway.asgi import App, Headers, Receive, Scope, Send, without
from openclaude.gateway.aws_credentials import keep_credentials
from openclaude.gateway.endpoint import Endpoints
from openclaude.gateway.error_status import saying_status
from openclaude.gateway.fallbacks import FallbackFilter
from openclaude.gateway.gate import Gate
from openclaude.gateway.rehearsal import rehearse_providers

ROUTES = frozenset({("POST", "/v1/messages")})
KEY_HEADERS = (b"authorization", b"x-api-key", b"x-litellm-api-key")
STRANGE = "a credential that is not the local key reached the providers instance; it was not used"


def only_the_key(key: str) -> Callable[[Headers], str]:
    """A check that refuses a request with any credential but the local key.

    The plan's login must never come here. Nothing on the way sends it; if a later LiteLLM does,
    the request ends at this line instead of in a provider's log.
    """

    def check(headers: Headers) -> str:
        strange = any(
            not hmac.compare_digest(value.removeprefix(b"Bearer "), key.encode())
            for name, value in headers
            if name in KEY_HEADERS
        )
        return STRANGE if strange else ""

    return check


def one_key_only(app: App, key: str) -> App:
    """An application that sees the local key in LiteLLM's own header, and no `authorization`.

    LiteLLM hands `authorization` on to a provider that speaks Anthropic's language, if it looks
    like a login (measured with 1.106.2).
    """
    own = (b"x-litellm-api-key", b"Bearer " + key.encode())

    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = without(scope["headers"], frozenset(KEY_HEADERS) | {b"cookie"})
            scope = {**scope, "headers": [*headers, own]}
        await app(scope, receive, send)

    return pass_on


def make_app(env: Mapping[str, str]) -> Gate:
    """The application of `providers`, from the variables its unit was given."""
    key = env["LITELLM_MASTER_KEY"]
    endpoints = Endpoints(key, rehearse_providers)
    return Gate(
        one_key_only(saying_status(FallbackFilter(endpoints)), key),
        key=key,
        routes=ROUTES,
        key_headers=KEY_HEADERS,
        check=only_the_key(key),
    )


def app() -> Gate:
    """The factory that the instance calls once its environment is complete."""
    keep_credentials()
    return make_app(os.environ)
