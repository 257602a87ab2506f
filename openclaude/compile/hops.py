"""How main reaches who serves the slots: this machine's providers, or a server elsewhere.

Knows: main's models for LiteLLM, main's variables of a server. Independent of: providers. Pure.
"""

from __future__ import annotations

from typing import Any

from openclaude.compile.resolve import Resolution
from openclaude.contracts.worker import (
    KEY_REFERENCE_VARIABLE,
    SERVER_CA_VARIABLE,
    SERVER_VARIABLE,
)


def hops(resolution: Resolution) -> list[dict[str, Any]]:
    """The model groups of `providers` that main asks for by name; of a server, its models."""
    if resolution.server:
        return [hop(slot.slot_id, slot.first.model) for slot in resolution.slots]
    limits = (resolution.on_limit, *resolution.same_at_limit.values())
    further = [one.group for one in (*limits, resolution.over_budget) if one]
    return [hop(group, group) for group in [slot.slot_id for slot in resolution.slots] + further]


def hop(group: str, model: str) -> dict[str, Any]:
    """A slot on main, for `litellm --config main.yaml` without the router: over to `providers`.

    `litellm_proxy/` with native /v1/messages is the one hop on which the plan's token stayed behind
    and the body arrived as sent (measured; `anthropic/` leaks the token 12 times of 12).
    """
    return {
        "model_name": group,
        "litellm_params": {
            "model": f"litellm_proxy/{model}",
            "api_base": "os.environ/OPENCLAUDE_PROVIDERS_URL",
            "api_key": "os.environ/OPENCLAUDE_PROVIDERS_KEY",
            "max_retries": 0,
        },
        "model_info": {"supported_endpoints": ["/v1/messages"]},
    }


def server(resolution: Resolution) -> dict[str, str]:
    """What main is told of the machine that serves its slots, without the key."""
    given = resolution.profile.providers
    return {
        "OPENCLAUDE_PROVIDERS_URL": resolution.server,
        SERVER_VARIABLE: resolution.server,
        KEY_REFERENCE_VARIABLE: given.key or "",
        **({SERVER_CA_VARIABLE: given.ca} if given.ca else {}),
    }
