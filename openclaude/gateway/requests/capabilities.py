"""What a slot can take, read from the deployments of a LiteLLM router.

Knows: the format of a router's deployments. Independent of: LiteLLM as a library, which provider
has which capability, and how a capability is used. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from openclaude.contracts.capabilities import Capabilities, ModelInfo, combine, read_model_info
from openclaude.providers.families import capabilities_of, id_at_provider

Deployments = Iterable[Mapping[str, Any]]
UNKNOWN = ModelInfo().capabilities()  # what any model can take


def slot_capabilities(slot_id: object, deployments: Deployments) -> Capabilities:
    """Return what every deployment of a slot can take. Raises Malformed.

    A request is fitted before LiteLLM chooses among several, so it must suit each of them.
    """
    behind = [
        capabilities_of(model_of(deployment), info_of(deployment))
        for deployment in deployments
        if deployment.get("model_name") == slot_id
    ]
    taken = reduce(combine, behind) if behind else UNKNOWN
    is_mixed = len({one.claude_signer for one in behind}) > 1
    return taken._replace(claude_signer="") if is_mixed else taken


def slot_notice(slot_id: object, deployments: Deployments) -> str:
    """Return the notice if a slot's model answers in place of another, or "". Raises Malformed."""
    own = (one for one in deployments if one.get("model_name") == slot_id)
    return next((info_of(deployment).openclaude_notice for deployment in own), "")


def slot_name(slot_id: object, deployments: Deployments) -> str:
    """Return the name that a slot's replies give as their model, or "". Raises Malformed."""
    own = (one for one in deployments if one.get("model_name") == slot_id)
    return next((info_of(deployment).openclaude_name for deployment in own), "")


def declared_markup(model_id: str, deployments: Deployments) -> str:
    """Return the markup that is declared for a model, by its provider's name for it, or ""."""
    for deployment in deployments:
        said = (deployment.get("model_info") or {}).get("openclaude_markup")
        if isinstance(said, str) and said and model_id == id_at_provider(model_of(deployment)):
            return said
    return ""


def model_of(deployment: Mapping[str, Any]) -> str:
    """Return a deployment's model by LiteLLM's name, which starts with the provider."""
    model = (deployment.get("litellm_params") or {}).get("model")
    return model if isinstance(model, str) else ""


def info_of(deployment: Mapping[str, Any]) -> ModelInfo:
    """Return what the compiler wrote about a deployment's model. Raises Malformed."""
    what = f"providers.yaml: the model_info of `{deployment.get('model_name')}`"
    return read_model_info(deployment.get("model_info"), what)
