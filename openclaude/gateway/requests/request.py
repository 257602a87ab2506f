"""A request as a slot's model can take it: one pure function of the body and the capabilities.

Knows: Anthropic's /v1/messages body, and what LiteLLM 1.108.14 and Bedrock Converse do with the
parts of it that only Anthropic's own models understand (measured, unless marked). Independent of:
LiteLLM as a library, slots, where capabilities come from. A second pass changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.contracts.capabilities import NO_THOUGHTS, Capabilities
from openclaude.gateway.requests.blocks import (
    fit_message,
    is_blank,
    portable,
    set_apart,
    unmarked,
)
from openclaude.gateway.requests.call_ids import fit_call_ids
from openclaude.gateway.requests.claude import fit_claude
from openclaude.gateway.requests.formats import say_format
from openclaude.gateway.requests.strings import say_in_strings
from openclaude.gateway.requests.thoughts.asking import (
    CONFIG,
    fit_echo,
    fit_thinking,
    wants_thoughts,
)
from openclaude.gateway.requests.tools import fit_tools
from openclaude.gateway.requests.turns import join_system_turns, without_count

# The keys a body may have. Everything else is dropped: LiteLLM copies unknown keys into
# additionalModelRequestFields, where Bedrock refuses them, and any release of claude may add a
# field. `top_k` is not included, because LiteLLM sends it to OpenAI too (measured), which refuses
# it (documented), and claude never sets it.
KNOWN = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "max_tokens",
        "stop_sequences",
        "stream",
        "temperature",
        "top_p",
        "thinking",
        "context_management",
        "output_config",
        CONFIG,
        "metadata",
    }
)
# claude's request for a verdict on each tool call. LiteLLM answers it if the profile names a model
# for that. Otherwise it is dropped silently: naming it in an error makes claude turn off its own
# safety check for the whole session, and an answer would be a forged verdict.
SAFEGUARDS = "safeguards"
# Keys that LiteLLM itself keeps beside the body, seen in its pre-call hook
LITELLM_KEYS = frozenset({"proxy_server_request", "provider_specific_header", "secret_fields"})
LITELLM_PREFIX = "litellm_"

# claude's first system block. Its checksum changes with every request, so with it no provider's
# prefix cache would ever hit (reported for vLLM, llama.cpp, Ollama and several APIs).
BILLING = "x-anthropic-billing-header:"


def fit_request(
    body: Mapping[str, Any], capabilities: Capabilities, *, is_judged: bool = False
) -> dict[str, Any]:
    """Return the body with everything the model cannot take removed, clamped or expressed as text.

    `is_judged`: LiteLLM removes the request for a verdict, and answers it.
    """
    kept = {SAFEGUARDS} if is_judged else set()
    fitted = {key: value for key, value in body.items() if is_known(key) or key in kept}
    fitted["max_tokens"] = clamp(body.get("max_tokens"), capabilities.max_output_tokens)
    if capabilities.claude_signer:
        fit_metadata(fitted)
        if capabilities.thoughts == NO_THOUGHTS:
            fit_thinking(fitted, capabilities._replace(supports_reasoning=False))
        return fit_claude(fitted, capabilities)
    fitted["system"] = without_count(body.get("system"), is_system=True)
    fit_system(fitted)
    fit_tools(fitted, capabilities)
    fit_metadata(fitted)
    fit_thinking(fitted, capabilities)
    if not capabilities.supports_json_schema:
        say_format(fitted)
    if capabilities.speaks_anthropic:
        # LiteLLM simulates this for all others; third parties may not know the key
        fitted.pop("context_management", None)
        # the names of features that only Anthropic has; one of them marks a plan's login
        fitted.pop("provider_specific_header", None)
    if not capabilities.takes_cache_marks:
        places = ("system", "tools", "messages")
        fitted.update({name: unmarked(fitted[name]) for name in places if name in fitted})
    if isinstance(messages := fitted.get("messages"), list):
        turns = join_system_turns(without_count(messages))
        fit_turns = [fit_message(turn, capabilities) for turn in turns]
        fitted["messages"] = fit_call_ids(fit_turns, capabilities)
    if capabilities.requires_reasoning_echo:
        fit_echo(fitted, capabilities, is_asked=wants_thoughts(body))
    if capabilities.wants_strings:
        say_in_strings(fitted)
    return fitted


def is_known(key: str) -> bool:
    """Tell whether a top-level key is the request's own or LiteLLM's."""
    return key in KNOWN or key in LITELLM_KEYS or key.startswith(LITELLM_PREFIX)


def clamp(max_tokens: object, cap: int) -> int:
    """Return the model's maximum, or less if the request asks for less.

    claude sends 32000 or 128000, which Bedrock refuses for a smaller model; LiteLLM does not clamp
    for `bedrock/converse/...` models, and without a number it sends 4096 (LiteLLM #41529).
    """
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int | float):
        return cap
    return int(min(max_tokens, cap)) if max_tokens >= 1 else cap


def fit_system(fitted: dict[str, Any]) -> None:
    """Return the system prompt without claude's billing line and without blank blocks."""
    system = fitted.get("system")
    if isinstance(system, str):
        head, _, rest = system.partition("\n")
        fitted["system"] = rest if head.startswith(BILLING) else system
    if isinstance(system, list):
        blocks = [portable(block) for block in system if isinstance(block, Mapping)]
        kept = [block for block in blocks if not is_blank(block) and not is_billing(block)]
        fitted["system"] = set_apart(kept)
    if not isinstance(system, str | list) or not fitted["system"]:
        fitted.pop("system", None)


def is_billing(block: Mapping[str, Any]) -> bool:
    """Tell whether a system block is claude's billing line."""
    return str(block.get("text")).startswith(BILLING)


def fit_metadata(fitted: dict[str, Any]) -> None:
    """Remove `user_id`: it names the Anthropic account, and LiteLLM passes it to providers.

    (For OpenAI-like ones; read in LiteLLM's source, not run.) The key stays; LiteLLM writes into
    it.
    """
    metadata = fitted.get("metadata")
    if isinstance(metadata, Mapping) and "user_id" in metadata:
        fitted["metadata"] = {key: metadata[key] for key in metadata if key != "user_id"}
