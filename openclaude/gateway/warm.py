"""What LiteLLM does lazily at its start and on its first requests, done before that.

Knows: the things that made a fresh instance's first request take 0.3 to 2.4 s (measured with
LiteLLM 1.106.2 and FastAPI 0.165.0): lazily loaded routers, route tables built while the first
request is matched, imports inside functions, and models without a schema yet. Done before a fork
they are also in memory once: what an instance does after it, it has pages of its own for. Refuses
to know: credentials, configs, upstreams; it opens no connection and starts no thread that stays.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import litellm
import litellm.llms.bedrock.common_utils
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

from openclaude.gateway.asgi import Message, no_body, own_request

SLOTS = ("openclaude-opus", "openclaude-sonnet", "openclaude-haiku", "openclaude-fable")
# what LiteLLM's application serves; for the paths below its endpoint functions are called
SERVED = (("POST", "/v1/messages/count_tokens"), ("GET", "/v1/models"))
CALLED = ("/v1/messages", "/anthropic/v1/messages", "/anthropic/v1/messages/count_tokens")

# Modules that the first requests would import (the larger part; a test counts what is left)
IMPORTED_LATE = (
    "anyio._backends._asyncio",
    "boto3.session",
    "botocore.session",
    "litellm.integrations.shadow_eval_logger",
    "litellm.llms.anthropic.completion.transformation",
    "litellm.llms.anthropic.pass_through.messages.mcp_handler",
    "litellm.llms.anthropic.pass_through.messages.streaming_iterator",
    "litellm.llms.bedrock.chat.chat_completions.transformation",
    "litellm.llms.edenai.chat.transformation",
    "litellm.llms.fal_ai.chat.transformation",
    "litellm.llms.litellm_proxy.chat.transformation",
    "litellm.llms.openai_like.messages.transformation",
    "litellm.llms.vertex_ai.vertex_ai_partner_models.anthropic.transformation",
    "litellm.proxy._experimental.mcp_server.mcp_server_manager",
    "litellm.proxy.admin_mcp",
    "litellm.proxy.guardrails.anthropic_sse",
    "litellm.proxy.guardrails.guardrail_helpers",
    "litellm.proxy.hooks.mcp_semantic_filter",
    "litellm.proxy.pass_through_endpoints.passthrough_guardrails",
    "litellm.proxy.policy_engine.init_policies",
    "litellm.responses.mcp.chat_completions_handler",
    "litellm.sandbox.sandbox_tools",
    "litellm.types.litellm_core_utils.streaming_chunk_builder_utils",
    "litellm.types.proxy.litellm_pre_call_utils",
    "openclaude.gateway.rehearsal",
    "openclaude.gateway.guard",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.http.httptools_impl",
)

# Functions that read LiteLLM's file of models, by where they are looked up
READERS = {
    litellm.utils: "get_bundled_model_cost_map",
    litellm.llms.bedrock.common_utils: "_get_local_model_cost_map",
}

# Packages that LiteLLM looks for at every request and that are not installed, with the modules of
# its own that need them: a sixth of the raw lane's processor time (measured)
ABSENT = {
    "litellm_enterprise": (),
    "opentelemetry.sdk": (
        "litellm.integrations.otel.logger",
        "litellm.integrations.otel.plumbing.context",
    ),
    "prisma": (),
}

# Models whose schema pydantic would build at an instance's start or when its first request uses
# them: 40 ms in each instance
BUILT_LATE = {
    "litellm.models.user": ("LiteLLM_UserTable",),
    "litellm.proxy._types": ("ConfigGeneralSettings", "LiteLLM_JWTAuth"),
    "litellm.proxy.auth.resolvers.models": ("UserIdentity",),
    "litellm.types.passthrough_endpoints.vertex_ai": ("VertexPassThroughCredentials",),
    "litellm.types.services": ("ServiceLoggerPayload",),
    "litellm.litellm_core_utils.streaming_handler": ("_ParsedChunkHiddenParams",),
    "litellm.proxy.hooks.prompt_cache_prediction": ("_Event", "_Logged", "_Metadata"),
    "litellm.types.llms.bedrock": ("AwsAuthParams",),
    "litellm.types.router": (
        "Deployment",
        "GenericLiteLLMParams",
        "LiteLLM_Params",
        "ModelGroupInfo",
        "ModelGroupSettings",
        "ModelInfo",
    ),
    "litellm.types.utils": (
        "Choices",
        "CompletionTokensDetailsWrapper",
        "Delta",
        "Message",
        "ModelResponse",
        "ModelResponseStream",
        "PromptTokensDetailsWrapper",
        "StreamingChoices",
        "Usage",
    ),
}


def warm_up() -> None:
    """Do it all; once per process, before it serves."""
    for module in IMPORTED_LATE:
        importlib.import_module(module)
    load_guardrail_translation_mappings()  # type: ignore[no-untyped-call]  # LiteLLM's
    get_bedrock_response_stream_shape()
    get_bedrock_stream_event_statuses()
    for module, names in BUILT_LATE.items():
        for name in names:
            getattr(importlib.import_module(module), name).model_rebuild()
    share_model_map()
    defer_tokenizers()
    # LiteLLM looks through the whole model map for a name that it lacks
    for slot in SLOTS:
        litellm.supports_reasoning(model=slot, custom_llm_provider="litellm_proxy")
    asyncio.run(load_features())
    put_first([table_of(method, path) for method, path in SERVED])
    for method, path in SERVED:
        find_table(method, path)  # the first match builds a table; the others stay unbuilt
    for path in (*CALLED, *(path for _, path in SERVED)):
        RouteChecks.is_llm_api_route(path)  # compiles some hundred patterns, 12 ms
    asyncio.run(ask_for_models())
    end_searches()


def defer_tokenizers() -> None:
    """Let LiteLLM's tokenizers be loaded when there is a text to count: 39 MB and 0.1 s each.

    For the price of a stream that has just begun LiteLLM counts an empty text (measured with
    1.106.2), so that the first one would load them. Providers report what they counted themselves;
    LiteLLM counts thoughts, a stream that was cut, and what claude asks to be counted.
    """
    load = tokenizer._python_encoding
    deferred = functools.cache(lambda name: Encoding(name, load))
    tokenizer._python_encoding = deferred  # type: ignore[assignment]


def load_tokenizer() -> None:
    """Load what counts a model's thoughts, for a profile with one that thinks."""
    tokenizer.get_encoding("cl100k_base").encode(".")


class Encoding:
    """A tokenizer of tiktoken's that is not there yet."""

    def __init__(self, name: str, load: Callable[[str], Any]) -> None:
        self.name = name
        self._load = functools.cache(lambda: load(name))

    def encode(self, text: str, **more: Any) -> list[int]:
        """The tokens of a text; of an empty one there are none."""
        return self._load().encode(text, **more) if text else []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what `copy` and others look for is no reason to load it
            raise AttributeError(name)
        return getattr(self._load(), name)


def end_searches() -> None:
    """Let an import of what is absent fail at once, with the ModuleNotFoundError it ends in anyway.

    That is what an entry of None means (Python's documentation of `sys.modules`).
    """
    for package, dependents in ABSENT.items():
        if importlib.util.find_spec(package) is None:
            for name in (package, *dependents):
                sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def share_model_map() -> None:
    """Let LiteLLM look into the map of models as it has read it, instead of reading it twice more.

    Once for a name that the map lacks, once for Bedrock's tools: 34 ms and 8 MB each, the latter
    in the midst of a request (measured with 1.106.2). What both look for is in what it keeps
    untouched of its first reading.
    """
    catalog = GetModelCostMap.loaded_model_cost_map()
    for module, name in READERS.items():
        getattr(module, name).cache_clear()  # fails here should it be no cached function any more
        setattr(module, name, lambda: catalog)


async def load_features() -> None:
    """Load the routers that LiteLLM would load when a path of theirs is first asked for."""
    for _, path in SERVED:
        for feature in LAZY_FEATURES:
            if feature.matches(path):
                await _force_load(app, feature)


async def ask_for_models() -> None:
    """One request that needs no config and reaches nobody: it builds what every request passes.

    Without it each instance has 13 MB of its own for that (measured).
    """

    async def send(message: Message) -> None:
        if message.get("status", 200) != 200:
            raise LookupError(f"LiteLLM answered {message['status']} when asked for its models")

    await app(own_request("GET", "/v1/models", []), no_body, send)


def table_of(method: str, path: str) -> Any:
    """What serves a path, found without building any router's table.

    An included router; or the route itself, in a FastAPI (0.136) that keeps none of those.
    """
    for table in app.router.routes:
        inner = getattr(table, "original_router", None)
        if any(serves(route, method, path) for route in (inner.routes if inner else [table])):
            return table
    raise LookupError(f"LiteLLM has no route for {method} {path}")


def find_table(method: str, path: str) -> Any:
    """The same, found as a request finds it."""
    return next(route for route in app.router.routes if serves(route, method, path))


def serves(route: Any, method: str, path: str) -> bool:
    """Whether a route fully matches a request of that method and path."""
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return bool(route.matches(scope)[0] is Match.FULL)


def put_first(tables: list[Any]) -> None:
    """Our tables before all others, so that a request of ours is matched by the first it meets."""
    ours = {id(table): table for table in tables}
    rest = [route for route in app.router.routes if id(route) not in ours]
    app.router.routes[:] = [*ours.values(), *rest]
