"""Disables LiteLLM's accounting in `main`, which computes a cost per request that nobody reads.

Knows: where LiteLLM starts to account for a successful reply (1.108.14). Independent of: requests,
routes. `main` has no database, budget or callback that would use the result. But it is
expensive: for each streamed reply LiteLLM assembles the whole message again and looks up its price,
in a thread beside the event loop. For a request to a Claude model this was more than half of main's
processor time (2.9 of 5.5 ms, for an answer in 20 pieces; it grows with the answer).
"""

from __future__ import annotations

from typing import Any

from openclaude.gateway.litellm import required  # noqa: F401 - before anything of LiteLLM's

# isort: split

from litellm.litellm_core_utils.litellm_logging import Logging
from litellm.proxy.pass_through_endpoints.streaming_handler import PassThroughStreamingHandler
from litellm.proxy.pass_through_endpoints.success_handler import PassThroughEndpointLogging


def keep_no_accounts() -> None:
    """Replace the accounting for successful replies with nothing; once per process."""
    PassThroughStreamingHandler.route_streaming_logging_to_handler = skip  # type: ignore[method-assign]
    PassThroughEndpointLogging.pass_through_async_success_handler = skip  # type: ignore[method-assign]
    Logging.async_success_handler = skip  # type: ignore[method-assign]
    Logging.success_handler = skip_now  # type: ignore[method-assign]


async def skip(*_: Any, **__: Any) -> None:
    """The replacement for the function that LiteLLM awaits."""


def skip_now(*_: Any, **__: Any) -> None:
    """The same for the one that it calls without awaiting."""
