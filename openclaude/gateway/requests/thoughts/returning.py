"""Thoughts that go back to the model that had them, in the form that LiteLLM writes for it.

Knows: whose thoughts a model gets, and where LiteLLM 1.108.14 looks for what proves a call.
Independent of: how claude keeps thoughts (`signatures`), which model wants them
(`providers.thinking`). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.requests.signatures import CALLS, for_signer, signer_for

CALL = "tool_use"


def back_to(block: Mapping[str, Any], capabilities: Capabilities, what: str = "") -> Any:
    """Return a block as its signer wants it back; None for any other, Anthropic's too.

    A signature is a proof for its provider only: forwarded to anyone else it would be a forged one
    (LiteLLM sends it as reasoningContent, measured).
    """
    way = capabilities.thinking
    if way is None or not way.returns or not capabilities.thoughts:
        return None
    return for_signer(block, signer_for(capabilities.thoughts) + what)


def fit_thought(block: Mapping[str, Any], capabilities: Capabilities) -> Mapping[str, Any] | None:
    """Return a thought as its model wants it back, with nothing of anyone else's in it."""
    found = back_to(block, capabilities)
    if found is None:
        return None
    return {key: found[key] for key in ("type", "thinking", "signature", "data") if key in found}


def prove_calls(content: list[Any], capabilities: Capabilities) -> list[Any]:
    """Return the blocks with what proves a call in the call, where LiteLLM looks for it."""
    proven = list(content)
    for at, block in enumerate(content[:-1]):
        follower = content[at + 1]
        if not isinstance(block, Mapping) or not is_call(follower):
            continue
        if proof := back_to(block, capabilities, CALLS):
            fields = {"signature": proof["signature"]} if "signature" in proof else {}
            proven[at + 1] = {**follower, "provider_specific_fields": fields}
    return proven


def is_call(block: object) -> bool:
    """Tell whether a block calls a tool."""
    return isinstance(block, Mapping) and block.get("type") == CALL
