"""LiteLLM's own endpoint functions as ASGI applications, without the layers in front of them.

Knows: what FastAPI would hand such a function, and LiteLLM's check of a key, which is asked once.
Refuses to know: lanes, models, upstreams. The gate has let a request in by the instance's only key;
LiteLLM's application would match some hundred routes, pass thirteen middlewares and check that key
again, which was half of the raw lane's processor time (measured with LiteLLM 1.106.2 and FastAPI
0.165.0). The functions behind them are called as they are, with their callbacks, hooks and logging.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.encoders import jsonable_encoder
from litellm.proxy._types import ProxyException, UserAPIKeyAuth
from litellm.proxy.anthropic_endpoints.endpoints import anthropic_response
from litellm.proxy.auth.auth_utils import pre_db_read_auth_checks
from litellm.proxy.auth.user_api_key_auth import user_api_key_auth
from litellm.proxy.common_utils.http_parsing_utils import read_request_body
from litellm.proxy.pass_through_endpoints.llm_passthrough_endpoints import anthropic_proxy_route
from litellm.proxy.proxy_server import app as litellm_app
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openclaude.gateway.asgi import Message, Receive, Scope, Send, no_body, own_request

MESSAGES = "/v1/messages"
JSON = (b"content-type", b"application/json")
TO_ANTHROPIC = "/anthropic"  # LiteLLM's pass-through, in front of Anthropic's own paths


class Admission:
    """LiteLLM's verdict on the instance's key, asked for once a path and then copied."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._verdicts: dict[str, UserAPIKeyAuth] = {}

    async def of(self, path: str) -> UserAPIKeyAuth:
        """What LiteLLM knows of the caller; the request's own, since LiteLLM writes into it."""
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
    """The scope as LiteLLM's application hands it to its endpoints."""
    return {**scope, "app": litellm_app, "path_params": {}, "state": dict(scope.get("state") or {})}


class Endpoints:
    """LiteLLM's application, but for the requests whose endpoint functions are called here."""

    def __init__(self, key: str, rehearse: Callable[[Endpoints], Awaitable[None]]) -> None:
        """`rehearse` is called when LiteLLM has read its config, before anybody is served."""
        self.admission = Admission(key)
        self._rehearse = rehearse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == MESSAGES:
            await self.messages(scope, receive, send)
        elif path.startswith(TO_ANTHROPIC):
            await self.anthropic(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await litellm_app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def started(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._rehearse(self)
            await send(message)

        await litellm_app(scope, receive, started)

    async def messages(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A slot's messages: LiteLLM's models, after its own check of what a body may say."""
        request = Request(with_litellm(scope), receive)

        async def call() -> Any:
            body = await read_request_body(request)
            await check(request, body, scope["path"])
            reply = Response()
            user = await self.admission.of(scope["path"])
            return reply, await anthropic_response(reply, request, user)

        await respond(call, request, scope, receive, send)

    async def anthropic(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Anthropic's own messages: LiteLLM's pass-through, at `/anthropic/...`."""
        request = Request(with_litellm(scope), receive)

        async def call() -> Any:
            reply = Response()
            user = await self.admission.of(scope["path"])
            endpoint = scope["path"].removeprefix(TO_ANTHROPIC + "/")
            return reply, await anthropic_proxy_route(endpoint, request, reply, user)

        await respond(call, request, scope, receive, send)


async def check(request: Request, body: dict[str, Any], path: str) -> None:
    """LiteLLM's check of what a body may say: no address of its own, for one.

    Raises ProxyException, as a bad request.
    """
    try:
        await pre_db_read_auth_checks(request, body, path)
    except ValueError as error:
        raise ProxyException(str(error), "invalid_request_error", None, 400) from error


async def respond(
    call: Callable[[], Any], request: Request, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer with what an endpoint function returns, or with LiteLLM's words for what it raises."""
    try:
        reply, result = await call()
    except Exception as error:  # noqa: BLE001 - LiteLLM's application has a handler for each
        response = await handler_of(error)(request, error)
    else:
        response = result if isinstance(result, Response) else whole(reply, result)
    await response(scope, receive, send)


def whole(reply: Response, result: Any) -> Response:
    """A reply that the function returned as data, with the headers it set beside it."""
    response = JSONResponse(jsonable_encoder(result))
    response.headers.raw.extend(
        pair for pair in reply.headers.raw if pair[0] not in {b"content-length", b"content-type"}
    )
    return response


def handler_of(error: Exception) -> Callable[[Request, Exception], Any]:
    """What LiteLLM's application answers an exception with: by its nearest class."""
    handlers = litellm_app.exception_handlers
    return next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
