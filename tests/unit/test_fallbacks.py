"""Fallbacks: the next model answers for a failure that will pass, and for no other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openclaude.gateway.fallbacks import METHOD, FallbackFilter, teach, will_pass


class Failure(Exception):
    def __init__(self, status_code: object) -> None:
        self.status_code = status_code


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529, None, "odd"])
def test_what_will_pass(status: object) -> None:
    assert will_pass(Failure(status))
    assert will_pass(ConnectionResetError())


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 424])
def test_what_the_user_must_mend(status: int) -> None:
    assert not will_pass(Failure(status))


class Router:
    """As LiteLLM's: its method is given the error and whether to fall back at all."""

    async def async_function_with_fallbacks_common_utils(
        self,
        e: Exception,  # noqa: ARG002 - LiteLLM's own name
        disable_fallbacks: bool,
        *rest: Any,
        **more: Any,
    ) -> tuple[bool, Any, Any]:
        return disable_fallbacks, rest, more


@pytest.mark.parametrize(("status", "disabled"), [(429, False), (401, True)])
def test_litellms_router_is_told_when_not_to(status: int, disabled: bool) -> None:
    router = Router()
    teach(router)
    fall_back = getattr(router, METHOD)

    said = asyncio.run(fall_back(Failure(status), False, 1, x=2))
    by_name = asyncio.run(fall_back(e=Failure(status), disable_fallbacks=False, x=2))

    assert said == (disabled, (1,), {"x": 2})
    assert by_name == (disabled, (), {"x": 2})


def test_requests_pass_the_filter_untouched() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    asyncio.run(FallbackFilter(app)({"type": "http"}, 1, 2))  # type: ignore[arg-type]

    assert seen == [({"type": "http"}, 1, 2)]
