"""Every name of LiteLLM's that openclaude uses, and the check that all of them exist.

Knows: which of our modules uses what. Independent of: what for. None of these names is a public
API, so any release may rename or drop one. They are checked before an instance does anything, so
that a missing one is reported in a sentence instead of breaking someone's session;
tests/unit/gateway/litellm/test_litellm_names.py compares the lists with the code of this package.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

Names = Mapping[str, tuple[str, ...]]  # by module; the tuple is empty for one that is only imported

# What each module of this package imports from LiteLLM, with the attributes that it uses or
# replaces
USED: Mapping[str, Names] = {
    "accounting": {
        "litellm.litellm_core_utils.litellm_logging": (
            "Logging.async_success_handler",
            "Logging.response_cost_calculator",
            "Logging.success_handler",
        ),
        "litellm": (
            "_async_failure_callback",
            "_async_success_callback",
            "callbacks",
            "failure_callback",
            "input_callback",
            "success_callback",
        ),
        "litellm.proxy.pass_through_endpoints.streaming_handler": (
            "PassThroughStreamingHandler.route_streaming_logging_to_handler",
        ),
        "litellm.proxy.pass_through_endpoints.success_handler": (
            "PassThroughEndpointLogging.pass_through_async_success_handler",
        ),
        "litellm.proxy.utils": ("ProxyLogging._record_served_stream_output",),
        "litellm.router": ("Router.increment_deployment_usage_for_response",),
    },
    "aws_credentials": {
        "litellm.llms.bedrock.base_aws_llm": (
            "BaseAWSLLM._auth_with_aws_profile",
            "BaseAWSLLM._select_default_endpoint_url",
        ),
    },
    "callback": {
        "litellm.constants": ("RETURN_RAW_MODEL_NAME_METADATA_KEY",),
        "litellm.integrations.custom_logger": ("CustomLogger",),
    },
    "egress": {
        "litellm.constants": ("DEFAULT_IMAGE_HEIGHT", "DEFAULT_IMAGE_WIDTH"),
        "litellm.litellm_core_utils.token_counter": ("get_image_dimensions",),
        "litellm.litellm_core_utils.url_utils": ("SSRFError", "validate_url"),
        "litellm.llms.custom_httpx.aiohttp_transport": (
            "LiteLLMAiohttpTransport.handle_async_request",
        ),
    },
    "endpoint": {
        "litellm.proxy._types": ("ProxyException", "UserAPIKeyAuth.model_validate"),
        "litellm.proxy.anthropic_endpoints.endpoints": ("anthropic_response",),
        "litellm.proxy.auth.auth_utils": ("pre_db_read_auth_checks",),
        "litellm.proxy.auth.user_api_key_auth": ("user_api_key_auth",),
        "litellm.proxy.common_utils.http_parsing_utils": ("read_request_body",),
        "litellm.proxy.pass_through_endpoints.llm_passthrough_endpoints": (
            "anthropic_proxy_route",
        ),
        "litellm.proxy.pass_through_endpoints.pass_through_endpoints": ("pass_through_request",),
        "litellm.proxy.proxy_server": ("app.exception_handlers",),
        "litellm.types.passthrough_endpoints.pass_through_endpoints": (
            "LITELLM_PASS_THROUGH_RAW_BODY_STATE_KEY",
        ),
    },
    "forking": {"litellm.rust_bridge.fork_guard": ("reserve_process_for_forking",)},
    "resend": {
        "litellm.llms.custom_httpx.aiohttp_transport": (
            "LiteLLMAiohttpTransport.handle_async_request",
        ),
    },
    "router": {
        "litellm.proxy.proxy_server": (
            "general_settings.get",
            "llm_router.add_deployment",
            "llm_router.delete_deployment",
            "llm_router.fallbacks",
            "llm_router.model_list",
            "llm_router.search_tools",
        ),
        "litellm": ("asearch",),
        "litellm.llms.bedrock.base_aws_llm": ("BaseAWSLLM",),
        "litellm.llms.bedrock.common_utils": ("BedrockError", "get_bedrock_base_model"),
        "litellm.llms.bedrock.count_tokens.handler": ("BedrockCountTokensHandler",),
        "litellm.llms.bedrock.count_tokens.mantle_handler": ("BedrockMantleCountTokensHandler",),
        "litellm.types.router": ("Deployment", "LiteLLM_Params", "ModelInfo"),
    },
    "way_out": {
        "litellm.llms.custom_httpx.aiohttp_transport": (
            "LiteLLMAiohttpTransport._make_aiohttp_request",
            "LiteLLMAiohttpTransport._proxy_from_env",
            "LiteLLMAiohttpTransport.handle_async_request",
        ),
    },
    "thoughts": {
        "litellm.completion_extras.litellm_responses_transformation.transformation": (
            "LiteLLMResponsesTransformationHandler.transform_request",
        ),
        "litellm.litellm_core_utils.prompt_templates.factory": (
            "BedrockConverseMessagesProcessor._to_reasoning_content_block",
            "BedrockConverseMessagesProcessor.add_thinking_blocks_to_assistant_content",
        ),
        "litellm.llms.anthropic.pass_through.adapters.transformation": (
            "LiteLLMAnthropicMessagesAdapter.target_consumes_cache_control",
            "LiteLLMAnthropicMessagesAdapter.translate_anthropic_messages_to_openai",
        ),
    },
    "transport": {
        "litellm.llms.custom_httpx.aiohttp_transport": (
            "LiteLLMAiohttpTransport.handle_async_request",
        ),
    },
    "warmup": {
        "litellm.litellm_core_utils.get_model_cost_map": ("GetModelCostMap.loaded_model_cost_map",),
        "litellm.llms": ("load_guardrail_translation_mappings",),
        "litellm.llms.bedrock.common_utils": (
            "get_bedrock_response_stream_shape",
            "get_bedrock_stream_event_statuses",
        ),
        "litellm.proxy._lazy_features": ("LAZY_FEATURES", "_force_load"),
        "litellm.proxy.auth.route_checks": ("RouteChecks.is_llm_api_route",),
        "litellm.proxy.proxy_server": ("app.router.routes",),
        "litellm.rust_bridge": ("tokenizer._python_encoding", "tokenizer.get_encoding"),
    },
    "warmup_requests": {"litellm": ("register_model",)},
}

# The names in the lists of `warmup` ---------------------------------------------------------------

# Modules that the first requests would import (most of them; a test limits how many are left)
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
    "openclaude.gateway.litellm.warmup_requests",
    "openclaude.gateway.guard",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.http.httptools_impl",
)

# Functions that read LiteLLM's model map, by the modules that look them up
READERS: Names = {
    "litellm.utils": ("get_bundled_model_cost_map",),
    "litellm.llms.bedrock.common_utils": ("_get_local_model_cost_map",),
}

# Packages that LiteLLM tries to import at every request although they are not installed, with its
# modules that need them: a sixth of the processor time of a passed-through request (measured)
ABSENT: Names = {
    "litellm_enterprise": (),
    "opentelemetry.sdk": (
        "litellm.integrations.otel.logger",
        "litellm.integrations.otel.plumbing.context",
    ),
    "prisma": (),
}

# Thread pools that the warm-up may start, in LiteLLM versions that have them: 1.110 lists its
# models in one, 1.108 does not
POOLS: Names = {"litellm.proxy.auth.model_checks": ("_MODEL_LISTING_POOL",)}

# Models whose schema pydantic would build when an instance starts or when its first request uses
# them: 40 ms in each instance
BUILT_LATE: Names = {
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

# Pydantic's type adapters that an instance uses when it starts or at its first requests
ADAPTERS: Names = {
    "litellm.litellm_core_utils.allowed_tools_tool_choice": (
        "_ALLOWED_TOOLS_TOOL_CHOICE",
        "_TOOL_CHOICE_TYPE",
    ),
    "litellm.litellm_core_utils.get_litellm_params": ("_CONTROL_OPTIONS",),
    "litellm.litellm_core_utils.tool_fields": ("_TOOL_ENTRY", "_WEB_SEARCH_OPTIONS"),
    "litellm.llms.base_llm.guardrail_translation.utils": ("_FIELDS", "_ITEMS"),
    "litellm.llms.bedrock.common_utils": ("_BEDROCK_EVENT_STREAM_RESPONSE",),
    "litellm.llms.custom_httpx.aiohttp_transport": ("_TIMEOUT_EXTENSION",),
    "litellm.proxy.proxy_server": ("_SETTINGS_MAPPING",),
    "litellm.router": ("_RESOLVED_RETRY_POLICY_ADAPTER",),
    "litellm.types.router_weights": ("_ROUTER_WEIGHTS_ADAPTER",),
}


class LiteLLMChanged(ImportError):
    """The installed LiteLLM lacks something that openclaude uses."""

    def __init__(self, missing: list[str], user: str) -> None:
        version = importlib.metadata.version("litellm")
        names = ", ".join(f"`{name}`" for name in missing)
        super().__init__(
            f"LiteLLM {version} lacks {names}, which openclaude/gateway/litellm/{user}.py uses: "
            "install the version that `openclaude doctor` names, or adapt that file and names.py"
        )


def require_used() -> None:
    """Raise LiteLLMChanged if anything that this package's modules use is missing."""
    for user, names in USED.items():
        require(names, user)


def require_warmup() -> None:
    """Do the same for the lists of `warmup`. This imports the modules that are imported late."""
    require(dict.fromkeys(IMPORTED_LATE, ()), "names")
    require(READERS, "names")
    require(BUILT_LATE, "names")
    require(ADAPTERS, "names")


def require(names: Names, user: str) -> None:
    """Raise LiteLLMChanged with everything that is missing."""
    if missing := [name for module in names for name in missing_of(module, names[module])]:
        raise LiteLLMChanged(missing, user)


def missing_of(module: str, names: tuple[str, ...]) -> Iterator[str]:
    """Return the module, or what it lacks. Raises what LiteLLM raises if it lacks something."""
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise  # a package that LiteLLM needs
        yield module
        return
    for name in names:
        if not has(found, name):
            yield f"{module}.{name}"


def has(found: Any, name: str) -> bool:
    """Tell whether an attribute exists; the name may contain dots."""
    first, _, rest = name.partition(".")
    if first == "llm_router" and hasattr(found, first):
        return is_of_router(rest)  # the object itself is created when the config is read
    if not hasattr(found, first):
        return False
    return not rest or has(getattr(found, first), rest)


def is_of_router(name: str) -> bool:
    """Tell whether a router has an attribute: in its class, or set by its constructor."""
    from litellm.router import Router

    return hasattr(Router, name) or name in inspect.signature(Router.__init__).parameters
