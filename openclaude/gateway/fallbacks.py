"""Which failures let the next model answer: those that will pass, never those the user must mend.

Knows: LiteLLM's router, which asks the fallbacks of a model group in order, once each, and before
the first byte only (measured with 1.106.2). Refuses to know: which models those are. LiteLLM falls
back for every error, a refused key and a broken request among them (measured), and no setting of
its limits that: here its one method for it is told when not to.
"""

from __future__ import annotations

from typing import Any

from openclaude.gateway.asgi import App, Message, Receive, Scope, Send

# Throttled, overloaded, timed out, or not there at all. A 401 or 400 of another model's answer
# would hide for weeks that the first one is never asked with success.
PASSING = frozenset({408, 409, 429})
METHOD = "async_function_with_fallbacks_common_utils"


class FallbackFilter:
    """An application around LiteLLM's that teaches its router, once it has read its config."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def started(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                teach_litellm()
            await send(message)

        await self.app(scope, receive, started)


def teach_litellm() -> None:
    """Limit the fallbacks of the instance's router."""
    from litellm.proxy.proxy_server import llm_router  # set when the app has read its config

    if llm_router is not None and llm_router.fallbacks:
        teach(llm_router)


def teach(router: Any) -> None:
    """Make `router` fall back only for failures that will pass."""
    fall_back = getattr(router, METHOD)

    async def only_for_passing_ones(
        e: Exception, disable_fallbacks: Any, *rest: Any, **more: Any
    ) -> Any:  # called with LiteLLM's own names
        return await fall_back(e, disable_fallbacks or not will_pass(e), *rest, **more)

    setattr(router, METHOD, only_for_passing_ones)


def will_pass(error: Exception) -> bool:
    """Whether a failure is the provider's, for now; without a status it is a broken connection."""
    status = getattr(error, "status_code", None)
    return not isinstance(status, int) or status in PASSING or status >= 500
