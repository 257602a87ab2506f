"""The router that LiteLLM builds from an instance's config: its models, and how to add one briefly.

Knows: where LiteLLM stores it, the format of its models, its search engine, its way to have Bedrock
count. Independent of: which models those are, what is searched for or counted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from litellm.types.router import Deployment, LiteLLM_Params, ModelInfo

CLASSIFIER = "safeguards_classifier_model"  # a setting of LiteLLM's


def deployments() -> Sequence[Mapping[str, Any]]:
    """Return the deployments of the instance's config; none before LiteLLM has read it."""
    from litellm.proxy.proxy_server import llm_router

    return llm_router.model_list if llm_router is not None else ()


def fallbacks_of(model: str) -> list[str]:
    """Return the fallbacks of a model group, in the order of the config."""
    from litellm.proxy.proxy_server import llm_router

    entries = (llm_router.fallbacks or ()) if llm_router is not None else ()
    return [group for entry in entries for group in entry.get(model) or ()]


def has_classifier() -> bool:
    """Tell whether LiteLLM asks a model of the config to judge the tool calls of a reply."""
    from litellm.proxy.proxy_server import general_settings

    return bool(general_settings.get(CLASSIFIER))


async def search_web(query: str, *, domains: Sequence[str], most: int, timeout_s: float) -> Any:
    """Ask the config's search engine; return its hits. Raises whatever LiteLLM raises.

    `domains` are what it is to search in, if it can be told; it may find others.
    """
    import litellm
    from litellm.proxy.proxy_server import llm_router

    tools = llm_router.search_tools if llm_router is not None else ()
    params = next(dict(tool["litellm_params"]) for tool in tools)
    found = await litellm.asearch(
        query,
        search_provider=params["search_provider"],
        api_base=params.get("api_base"),
        api_key=params.get("api_key"),
        max_results=most,
        search_domain_filter=list(domains) or None,
        timeout=timeout_s,
    )
    return found.results


async def count_tokens(
    deployment: Mapping[str, Any], body: Mapping[str, Any], *, at_mantle: bool
) -> int | tuple[int, str]:
    """Have Bedrock count the tokens of a body that is Anthropic's, with blocks in every turn.

    Return them, or the status and the words of a refusal; 0 is the status where nobody answered.
    CountTokens gets the body in InvokeModel's form; `at_mantle`, the other address of Bedrock's
    counts it with Anthropic's own count_tokens, for models that CountTokens does not have.
    https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html
    """
    from litellm.llms.bedrock.common_utils import BedrockError, get_bedrock_base_model
    from litellm.llms.bedrock.count_tokens.handler import BedrockCountTokensHandler
    from litellm.llms.bedrock.count_tokens.mantle_handler import BedrockMantleCountTokensHandler

    params = dict(deployment["litellm_params"])
    model = (deployment.get("model_info") or {}).get("base_model") or params["model"]
    handler = BedrockMantleCountTokensHandler() if at_mantle else BedrockCountTokensHandler()
    try:
        found = await handler.handle_count_tokens_request(
            request_data={**body, "model": model},
            litellm_params=params,
            resolved_model=get_bedrock_base_model(model),
        )
    except BedrockError as error:
        return error.status_code, str(error.message)
    except Exception as error:  # noqa: BLE001 - LiteLLM raises anything
        return 0, type(error).__name__
    tokens = found.get("input_tokens")
    is_count = isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0
    return tokens if is_count else (0, "an answer without a number of tokens")  # type: ignore[return-value]


def has_own_address(deployment: Mapping[str, Any]) -> bool:
    """Tell whether Bedrock is asked at an address that the profile or AWS's configuration names.

    Whoever is there need not be AWS, and what goes there is to go nowhere else.
    """
    from litellm.llms.bedrock.base_aws_llm import BaseAWSLLM

    params = deployment["litellm_params"]
    region = str(params.get("aws_region_name"))
    named = params.get("api_base"), params.get("aws_bedrock_runtime_endpoint")
    try:
        url, _ = BaseAWSLLM().get_runtime_endpoint(*named, region)
    except Exception:  # noqa: BLE001 - botocore's, and ours for an address that nothing is sent to
        return True
    china = ".cn" if region.startswith("cn-") else ""
    return urlsplit(url).netloc != f"bedrock-runtime.{region}.amazonaws.com{china}"


@contextlib.contextmanager
def lent_model(name: str, **params: Any) -> Iterator[None]:
    """Add a model to the router within the context. Raises LookupError without a router.

    It is asked for chat completions; one that serves /v1/messages itself would be asked for those.
    """
    from litellm.proxy.proxy_server import llm_router

    if llm_router is None:
        raise LookupError("LiteLLM has no router")
    llm_router.add_deployment(
        Deployment(
            model_name=name,
            litellm_params=LiteLLM_Params(**params),
            model_info=ModelInfo(id=name, supported_endpoints=[]),
        )
    )
    try:
        yield
    finally:
        llm_router.delete_deployment(name)
