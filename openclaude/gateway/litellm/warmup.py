"""Does in advance what LiteLLM does lazily at its start and on its first requests.

Knows: what makes a fresh instance's first request take 0.3 to 3 s, where the tenth takes 10 to 20
ms (measured with LiteLLM 1.108.14 and FastAPI 0.165.0, on a busy machine): lazily loaded routers,
route tables built while the first request is matched, imports inside functions, and pydantic models
without a schema. When this is done before a fork, the memory is also shared; what an instance does
after the fork needs pages of its own. Independent of: credentials, configs, upstreams; it opens no
connection and leaves no thread running.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable
from typing import Any

from openclaude.gateway.litellm import required  # noqa: F401 - before anything of LiteLLM's

# isort: split

from fastapi import APIRouter
from litellm.litellm_core_utils.get_model_cost_map import GetModelCostMap
from litellm.llms import load_guardrail_translation_mappings
from litellm.llms.bedrock.common_utils import (
    get_bedrock_response_stream_shape,
    get_bedrock_stream_event_statuses,
)
from litellm.proxy._lazy_features import LAZY_FEATURES, _force_load
from litellm.proxy.auth.route_checks import RouteChecks
from litellm.proxy.proxy_server import app
from litellm.rust_bridge import tokenizer
from starlette.routing import Match

from openclaude.gateway.copies import copy_faster
from openclaude.gateway.http.asgi import Message, no_body, own_request
from openclaude.gateway.late.imports import importing_less
from openclaude.gateway.litellm.names import ABSENT, ADAPTERS, BUILT_LATE, READERS, require_warmup

# routes of LiteLLM's application that are served; for the paths below its endpoint functions are
# called directly
SERVED = (("POST", "/v1/messages/count_tokens"), ("GET", "/v1/models"))
CALLED = ("/v1/messages", "/anthropic/v1/messages", "/anthropic/v1/messages/count_tokens")


def warm_up() -> None:
    """Do all of it; once per process, before it serves."""
    with importing_less():
        require_warmup()  # imports what the first requests would
    copy_faster()
    load_guardrail_translation_mappings()  # type: ignore[no-untyped-call]  # LiteLLM's
    get_bedrock_response_stream_shape()
    get_bedrock_stream_event_statuses()
    for module, names in BUILT_LATE.items():
        for name in names:
            getattr(importlib.import_module(module), name).model_rebuild()
    for module, names in ADAPTERS.items():
        for name in names:
            getattr(importlib.import_module(module), name).rebuild()
    share_model_map()
    defer_tokenizers()
    with importing_less():
        asyncio.run(load_features())
    put_first([table_of(method, path) for method, path in SERVED])
    for method, path in SERVED:
        find_table(method, path)  # the first match builds a table; the other tables stay unbuilt
    for path in (*CALLED, *(path for _, path in SERVED)):
        RouteChecks.is_llm_api_route(path)  # compiles about a hundred patterns, 12 ms
    asyncio.run(ask_for_models())
    end_searches()


def defer_tokenizers() -> None:
    """Load LiteLLM's tokenizers only when there is text to count: 39 MB and 0.1 s each.

    To price a stream that has just begun, LiteLLM counts the tokens of an empty text, so the first
    stream would load them (measured with 1.108.14: without this, an instance has 384 MB after its
    rehearsal in place of 345). Providers report what they counted themselves;
    LiteLLM counts reasoning, interrupted streams, and what claude asks it to count.
    """
    load = tokenizer._python_encoding
    deferred = functools.cache(lambda name: Encoding(name, load))
    tokenizer._python_encoding = deferred  # type: ignore[assignment]


def load_tokenizer() -> None:
    """Load the tokenizer that counts a model's reasoning, for a profile with a reasoning model."""
    tokenizer.get_encoding("cl100k_base").encode(".")


class Encoding:
    """A tiktoken tokenizer that is not loaded yet."""

    def __init__(self, name: str, load: Callable[[str], Any]) -> None:
        self.name = name
        self._load = functools.cache(lambda: load(name))

    def encode(self, text: str, **more: Any) -> list[int]:
        """Return the tokens of a text; an empty one has none."""
        return self._load().encode(text, **more) if text else []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # `copy` and other protocol lookups must not load it
            raise AttributeError(name)
        return getattr(self._load(), name)


def end_searches() -> None:
    """Make imports of absent packages fail at once, with the usual ModuleNotFoundError.

    This is what None in `sys.modules` means (Python's documentation).
    """
    for package, dependents in ABSENT.items():
        if importlib.util.find_spec(package) is None:
            for name in (package, *dependents):
                sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def share_model_map() -> None:
    """Make LiteLLM reuse the model map it has already read, instead of reading it twice more.

    It reads it once for a name that the map lacks and once for Bedrock's tools (measured with
    1.108.14: 8 MB at the start, and 10 MB and 20 ms in the first request to Bedrock). Both need
    only what the first reading kept unchanged.
    """
    catalog = GetModelCostMap.loaded_model_cost_map()
    for path, names in READERS.items():
        module = importlib.import_module(path)
        for name in names:
            getattr(module, name).cache_clear()  # raises if it is no longer a cached function
            setattr(module, name, lambda: catalog)


async def load_features() -> None:
    """Load the routers that LiteLLM would load at the first request for one of their paths."""
    for _, path in SERVED:
        for feature in LAZY_FEATURES:
            if feature.matches(path):
                await _force_load(app, feature)


async def ask_for_models() -> None:
    """Send one request that needs no config and no upstream: it builds what every request uses.

    Without it each instance has 13 MB of its own for that (measured).

    Raises LookupError.
    """

    async def send(message: Message) -> None:
        if message.get("status", 200) != 200:
            raise LookupError(f"LiteLLM answered {message['status']} when asked for its models")

    await app(own_request("GET", "/v1/models", []), no_body, send)


def table_of(method: str, path: str) -> Any:
    """Find the route that serves a path, and return a table of it alone.

    The table it is in has up to 200 others, which would all be built with it. In a FastAPI (0.136)
    that keeps no tables it is the route itself.

    Raises LookupError.
    """
    for table in app.router.routes:
        inner = vars(table).get("original_router")
        for route in inner.routes if inner else [table]:
            if getattr(route, "path", "") == path and serves(route, method, path):
                return alone(table, route) if inner else route
    raise LookupError(f"LiteLLM has no route for {method} {path}")


def alone(table: Any, route: Any) -> Any:
    """Return a table with one route of another table's, included in the application as that was."""
    router = APIRouter()
    router.routes.append(route)
    return type(table)(original_router=router, include_context=table.include_context)


def find_table(method: str, path: str) -> Any:
    """Find the same by matching, as a request does."""
    return next(route for route in app.router.routes if serves(route, method, path))


def serves(route: Any, method: str, path: str) -> bool:
    """Tell whether a route fully matches a request with that method and path."""
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return bool(route.matches(scope)[0] is Match.FULL)


def put_first(tables: list[Any]) -> None:
    """Move our tables to the front, so that a request of ours matches first."""
    ours = {id(table): table for table in tables}
    rest = [route for route in app.router.routes if id(route) not in ours]
    app.router.routes[:] = [*ours.values(), *rest]
