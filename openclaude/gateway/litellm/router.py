"""The router that LiteLLM builds from an instance's config: its models, and how to add one briefly.

Knows: where LiteLLM stores it, the format of its models, and its search engine. Independent of:
which models those are, what is searched for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
