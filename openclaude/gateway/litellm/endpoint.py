"""LiteLLM's own endpoint functions as ASGI applications, without the layers in front of them.

Knows: the arguments FastAPI would pass to such a function, and LiteLLM's check of a key, which is
made only once. Independent of: models, upstreams. The access check has already admitted a request
by the instance's only key; LiteLLM's application would match about a hundred routes, pass thirteen
middlewares and check that key again, which is half of the processor time of a passed-through
request (measured with LiteLLM 1.108.14: 13 ms in place of 7 to 9). The functions behind them are
called unchanged, with their callbacks and hooks.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from openclaude.gateway.litellm import required  # noqa: F401 - before anything of LiteLLM's

# isort: split

from fastapi.encoders import jsonable_encoder
from litellm.proxy._types import ProxyException, UserAPIKeyAuth
from litellm.proxy.anthropic_endpoints.endpoints import anthropic_response
from litellm.proxy.auth.auth_utils import pre_db_read_auth_checks
from litellm.proxy.auth.user_api_key_auth import user_api_key_auth
from litellm.proxy.common_utils.http_parsing_utils import read_request_body
from litellm.proxy.pass_through_endpoints.llm_passthrough_endpoints import anthropic_proxy_route
from litellm.proxy.pass_through_endpoints.pass_through_endpoints import pass_through_request
from litellm.proxy.proxy_server import app as litellm_app
from litellm.types.passthrough_endpoints.pass_through_endpoints import (
    LITELLM_PASS_THROUGH_RAW_BODY_STATE_KEY,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openclaude.contracts.worker import WARN
from openclaude.gateway.http.asgi import (
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    no_body,
    own_request,
)
from openclaude.gateway.http.trail import NOTICE

MESSAGES = "/v1/messages"
# the item of a request's state with the bytes that LiteLLM sends to Anthropic
RAW_BODY_KEY = LITELLM_PASS_THROUGH_RAW_BODY_STATE_KEY
JSON = (b"content-type", b"application/json")
TO_ANTHROPIC = "/anthropic"  # the prefix of LiteLLM's pass-through for Anthropic's paths
TO_PROVIDERS = "/providers"  # the same for the paths of the other instance
# the headers of claude's request that the other instance gets beside its bytes
HOP_HEADERS = frozenset(
    {b"accept", b"anthropic-version", b"content-type", b"user-agent", NOTICE}  # NOTICE: of main's
)


class Admission:
    """LiteLLM's verdict on the instance's key, asked for once per path and then copied."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._verdicts: dict[str, UserAPIKeyAuth] = {}

    async def of(self, path: str) -> UserAPIKeyAuth:
        """Return LiteLLM's record of the caller, copied because LiteLLM writes into it."""
        if path not in self._verdicts:
            self._verdicts[path] = await self._ask(path)
        return self._verdicts[path].model_copy(deep=True)

    async def _ask(self, path: str) -> UserAPIKeyAuth:
        scope = with_litellm(own_request("POST", path, [JSON]))
        verdict = await user_api_key_auth(
            Request(scope, no_body),
            api_key="",
            azure_api_key_header="",
            anthropic_api_key_header=None,
            google_ai_studio_api_key_header=None,
            azure_apim_header=None,
            custom_litellm_key_header=f"Bearer {self._key}",
        )
        return UserAPIKeyAuth.model_validate(verdict)


def with_litellm(scope: Scope) -> Scope:
    """Return the scope as LiteLLM's application passes it to its endpoints."""
    return {**scope, "app": litellm_app, "path_params": {}, "state": dict(scope.get("state") or {})}


class Endpoints:
    """LiteLLM's application, except for the endpoint functions that are called directly here."""

    def __init__(self, key: str, warm_up: Callable[[Endpoints], Awaitable[str]]) -> None:
        """`warm_up` is called when LiteLLM has read its config, before the first request is served.

        LiteLLM's callbacks are known by then. It returns the reason if it failed, or "".
        """
        self.admission = Admission(key)
        self._warm_up = warm_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == MESSAGES:
            await self.messages(scope, receive, send)
        elif path.startswith(TO_ANTHROPIC):
            await self.anthropic(scope, receive, send)
        elif path.startswith(TO_PROVIDERS):
            await self.providers(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await litellm_app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def started(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                failure = await self._warm_up(self)
                if failure and (warn := scope.get(WARN)):
                    warn(failure)
            await send(message)

        await litellm_app(scope, receive, started)

    async def messages(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a slot's messages by LiteLLM's models, after LiteLLM's own check of the body."""
        request = Request(with_litellm(scope), receive)

        async def call() -> Any:
            body = await read_request_body(request)
            await check(request, body, scope["path"])
            reply = Response()
            user = await self.admission.of(scope["path"])
            return reply, await anthropic_response(reply, request, user)

        await respond(call, request, scope, receive, send)

    async def anthropic(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve Anthropic's own messages by LiteLLM's pass-through, at `/anthropic/...`."""
        request = Request(with_litellm(scope), receive)

        async def call() -> Any:
            reply = Response()
            # one verdict for all of Anthropic's paths, because their number is unbounded
            user = await self.admission.of(TO_ANTHROPIC + MESSAGES)
            endpoint = scope["path"].removeprefix(TO_ANTHROPIC + "/")
            return reply, await anthropic_proxy_route(endpoint, request, reply, user)

        await respond(call, request, scope, receive, send)

    async def providers(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A slot's messages, on their way to the instance that has the credentials for them.

        Of claude's headers none goes there but the few that say what the body is.
        """
        request = Request(with_litellm(scope), receive)
        target = os.environ["OPENCLAUDE_PROVIDERS_URL"] + scope["path"].removeprefix(TO_PROVIDERS)
        headers = hop_headers(scope["headers"], os.environ.get("OPENCLAUDE_PROVIDERS_KEY", ""))

        async def call() -> Any:
            user = await self.admission.of(MESSAGES)
            shown = await read_request_body(request)
            is_stream = shown.get("stream") is True
            return Response(), await pass_through_request(
                request, target, headers, user, custom_body=shown, stream=is_stream
            )

        await respond(call, request, scope, receive, send)


def hop_headers(headers: Headers, key: str) -> dict[str, str]:
    """The headers of a request to `providers`, by name; of another machine, `key` is ""."""
    told = {
        name.decode(): value.decode("latin-1") for name, value in headers if name in HOP_HEADERS
    }
    return {**told, **({"x-litellm-api-key": f"Bearer {key}"} if key else {})}


async def check(request: Request, body: dict[str, Any], path: str) -> None:
    """Run LiteLLM's check of the body, which refuses an `api_base`, for example.

    Raises ProxyException, which becomes a bad request.
    """
    try:
        await pre_db_read_auth_checks(request, body, path)
    except ValueError as error:
        raise ProxyException(str(error), "invalid_request_error", None, 400) from error


async def respond(
    call: Callable[[], Any], request: Request, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer with the result of an endpoint function, or LiteLLM's message for its exception."""
    try:
        reply, result = await call()
    except Exception as error:  # noqa: BLE001 - LiteLLM's application has a handler for each
        response = await handler_of(error)(request, error)
    else:
        response = result if isinstance(result, Response) else whole(reply, result)
    await response(scope, receive, send)


def whole(reply: Response, result: Any) -> Response:
    """Turn data that the function returned into a reply, with the headers it has set."""
    response = JSONResponse(jsonable_encoder(result))
    response.headers.raw.extend(
        pair for pair in reply.headers.raw if pair[0] not in {b"content-length", b"content-type"}
    )
    return response


def handler_of(error: Exception) -> Callable[[Request, Exception], Any]:
    """Return LiteLLM's handler for an exception: that of its nearest class."""
    handlers = litellm_app.exception_handlers
    return next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
