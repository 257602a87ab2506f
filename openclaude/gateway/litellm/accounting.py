"""Disables LiteLLM's accounting where nobody reads it: a cost per request, and its counts of them.

Knows: where LiteLLM accounts for a successful reply, and which callbacks are its own (1.108.14).
Independent of: requests, routes. `main` has no database, budget or callback that would use the
result; `providers` has none either, unless a config names a callback. But it is expensive: for each
streamed reply LiteLLM assembles the whole message again, twice, and looks up its price four times,
in part in threads beside the event loop. For a request to a Claude model this was more than half of
main's processor time (2.9 of 5.5 ms, for an answer in 20 pieces; it grows with the answer), and an
eighth of the calls of Python's that `providers` makes for a request of 50 KB.
"""

from __future__ import annotations

from typing import Any

from openclaude.gateway.litellm import required  # noqa: F401 - before anything of LiteLLM's

# isort: split

import litellm
from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.proxy.pass_through_endpoints.streaming_handler import PassThroughStreamingHandler
from litellm.proxy.pass_through_endpoints.success_handler import PassThroughEndpointLogging
from litellm.proxy.utils import ProxyLogging
from litellm.router import Router

from openclaude.gateway.litellm.callback import Callback
from openclaude.gateway.litellm.router import deployments

# LiteLLM's own callbacks are of these packages: limits and budgets of a key, skills of a database,
# ids of an API that is not served. The one key of an instance has no limits
HOOKS = ("litellm", "proxy", "hooks")
SERVICES = ("litellm", "_service_logger")
# parameters of a model that make LiteLLM's router count
LIMITS = frozenset({"rpm", "tpm", "itpm", "otpm", "max_parallel_requests"})


def keep_no_accounts() -> None:
    """Replace the accounting for successful replies with nothing; once per process."""
    PassThroughStreamingHandler.route_streaming_logging_to_handler = skip  # type: ignore[method-assign]
    PassThroughEndpointLogging.pass_through_async_success_handler = skip  # type: ignore[method-assign]
    Logging.async_success_handler = skip  # type: ignore[method-assign]
    Logging.success_handler = skip_now  # type: ignore[method-assign]


def account_for_callbacks() -> None:
    """Keep LiteLLM's accounts only for a callback of the config; once it has read that.

    LiteLLM's own callbacks are left out first: each is asked at every request, and one of them for
    every piece of an answer.
    """
    leave_out_own_callbacks()
    if any(not isinstance(one, Callback) for one in litellm.callbacks):
        return
    keep_no_accounts()
    Logging.response_cost_calculator = skip_now  # type: ignore[method-assign]
    ProxyLogging._record_served_stream_output = staticmethod(skip)  # type: ignore[method-assign]
    if not any(has_limit(one) for one in deployments()):
        Router.increment_deployment_usage_for_response = skip  # type: ignore[method-assign]


def leave_out_own_callbacks() -> None:
    """Remove LiteLLM's own callbacks from every list of them."""
    for callbacks in (
        litellm.callbacks,
        litellm.input_callback,
        litellm.success_callback,
        litellm.failure_callback,
        litellm._async_success_callback,
        litellm._async_failure_callback,
    ):
        callbacks[:] = [one for one in callbacks if not is_own(one)]


def is_own(callback: object) -> bool:
    """Tell whether a callback is one that LiteLLM has of itself."""
    module = tuple(type(callback).__module__.split("."))
    return module[: len(HOOKS)] == HOOKS or module == SERVICES


def has_limit(deployment: Any) -> bool:
    """Tell whether a model has a limit for which LiteLLM counts its requests."""
    parts = (deployment, deployment.get("litellm_params") or {}, deployment.get("model_info") or {})
    return any(part.get(name) is not None for part in parts for name in LIMITS)


async def skip(*_: Any, **__: Any) -> None:
    """The replacement for the function that LiteLLM awaits."""


def skip_now(*_: Any, **__: Any) -> None:
    """The same for the one that it calls without awaiting."""
