"""A request as a slot's model can take it: one pure function of the body and the model's limits.

Knows: Anthropic's /v1/messages body, and what LiteLLM 1.106.2 and Bedrock Converse do with the
parts of it that only Anthropic's own models understand (measured, unless marked). Refuses to know:
LiteLLM as a library, slots, where limits come from. A second pass changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openclaude.errors import OpenclaudeError
from openclaude.gateway.guard_blocks import (
    fit_message,
    is_blank,
    portable,
    set_apart,
    text,
    unmarked,
)
from openclaude.gateway.guard_limits import Limits
from openclaude.gateway.guard_turns import join_system_turns

# What a body may bring. Everything else ends here: LiteLLM copies keys it does not know into
# additionalModelRequestFields, where Bedrock refuses them, and a new field may appear in any
# release of claude. `top_k` is not here, because LiteLLM sends it to OpenAI too (measured), who
# refuses it (documented), and claude never asks for it. `safeguards` ends here without a word:
# naming it in an error makes claude drop its own safety check for the whole session, and an answer
# would be a forged verdict.
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
        "metadata",
    }
)
# What LiteLLM itself keeps beside the body, seen in its pre-call hook
LITELLM_KEYS = frozenset({"proxy_server_request", "provider_specific_header", "secret_fields"})
LITELLM_PREFIX = "litellm_"

# Run by Anthropic's servers. LiteLLM drops them in silence, and the model's own prose is then shown
# as "Web search results".
SERVER_TOOLS = ("web_search", "web_fetch", "code_execution")
# claude's stand-in for tools that are not loaded; calling it is an error
PLACEHOLDER = "DeferredToolPlaceholder"
# What a tool may bring. LiteLLM writes `defer_loading` into the tool's JSON schema (measured), and
# providers that speak Anthropic's API themselves get every key as it is.
TOOL_KEYS = ("type", "name", "description", "input_schema", "cache_control")
# claude's first system block. Its checksum changes with every request, so with it no provider's
# prefix cache ever holds (reported for vLLM, llama.cpp, Ollama and several APIs).
BILLING = "x-anthropic-billing-header:"


FORMAT = "Answer with nothing but one JSON value, without a code fence, that fits this JSON schema:"


class Refused(OpenclaudeError):
    """A request that this slot cannot answer truthfully.

    Status 424, not 400: with either the caller of claude's WebSearch gets a tool error that holds
    our text, but claude asks twice for a 400 and once for a 424 (measured with Claude Code
    2.1.330; in a main turn it is six times and once).
    """

    code = "refused"
    status = 424


def fit_request(body: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """The body with everything the model cannot take removed, clamped or said in words."""
    fitted = {key: value for key, value in body.items() if is_known(key)}
    fitted["max_tokens"] = clamp(body.get("max_tokens"), limits.max_output_tokens)
    fit_system(fitted)
    fit_tools(fitted)
    fit_metadata(fitted)
    fit_reasoning(fitted, limits)
    if limits.formatless:
        say_format(fitted)
    if limits.native:
        # LiteLLM plays this part for the others; third parties may not know the key
        fitted.pop("context_management", None)
        # the names of features that only Anthropic has, one of them the login of a plan
        fitted.pop("provider_specific_header", None)
    if isinstance(messages := body.get("messages"), list):
        turns = join_system_turns(messages)
        fitted["messages"] = [fit_message(turn, limits) for turn in turns]
    if limits.stores_marked:
        places = ("system", "tools", "messages")
        fitted.update({name: unmarked(fitted[name]) for name in places if name in fitted})
    return fitted


def is_known(key: str) -> bool:
    """Whether a top-level key is the request's own or LiteLLM's."""
    return key in KNOWN or key in LITELLM_KEYS or key.startswith(LITELLM_PREFIX)


def clamp(max_tokens: object, cap: int) -> int:
    """The model's cap, or less where the request asks for less.

    claude sends 32000 or 128000, which Bedrock refuses for a smaller model; LiteLLM clamps for no
    `bedrock/converse/...` model, and without a number it sends 4096 (LiteLLM #41529).
    """
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int | float):
        return cap
    return int(min(max_tokens, cap)) if max_tokens >= 1 else cap


def fit_system(fitted: dict[str, Any]) -> None:
    """The system prompt without claude's billing line, and without blocks that say nothing."""
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
    """Whether a system block is claude's billing line."""
    return str(block.get("text")).startswith(BILLING)


def fit_tools(fitted: dict[str, Any]) -> None:
    """Only tools the model can call, and no choice among none."""
    tools = fitted.get("tools")
    kept = [tool for tool in tools if is_callable(tool)] if isinstance(tools, list) else []
    if kept:
        fitted["tools"] = [portable(only_known(tool)) for tool in kept]
    else:
        fitted.pop("tools", None)
    choice = fitted.get("tool_choice")
    chosen = choice.get("name") if isinstance(choice, Mapping) else None
    if not kept or (chosen is not None and all(tool.get("name") != chosen for tool in kept)):
        fitted.pop("tool_choice", None)


def is_callable(tool: object) -> bool:
    """Whether a tool is one of claude's own; a server tool is refused aloud.

    A typed client tool (bash_*, text_editor_*, tool_search, advisor) goes raw into
    additionalModelRequestFields, and LiteLLM would run an advisor by itself.
    """
    if not isinstance(tool, Mapping):
        return False
    kind = tool.get("type")
    if isinstance(kind, str) and kind.startswith(SERVER_TOOLS):
        raise Refused(
            f"the server tool `{tool.get('name', kind)}` runs at Anthropic only",
            hint="ask a claude model for it",
        )
    return kind in (None, "custom") and tool.get("name") != PLACEHOLDER


def only_known(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """A tool without the keys that only Anthropic's own models understand."""
    return {key: value for key, value in tool.items() if key in TOOL_KEYS}


def fit_metadata(fitted: dict[str, Any]) -> None:
    """No `user_id`: it names the Anthropic account, and LiteLLM passes it to OpenAI-like providers.

    (The passing on is read in LiteLLM's sources, not run.) The key stays; LiteLLM writes into it.
    """
    metadata = fitted.get("metadata")
    if isinstance(metadata, Mapping) and "user_id" in metadata:
        fitted["metadata"] = {key: metadata[key] for key in metadata if key != "user_id"}


def fit_reasoning(fitted: dict[str, Any], limits: Limits) -> None:
    """No `thinking` and no effort where they would be refused, now or on the next turn.

    For some models LiteLLM sends them on, and Bedrock refuses. Anthropic's own API wants thoughts
    back where it was asked for them, and they never reach claude (reply.py); so does DeepSeek
    without being asked, which must therefore be told not to think.
    """
    if limits.reasoning and not limits.native:
        return
    fitted.pop("thinking", None)
    if limits.thoughts_due:
        fitted["thinking"] = {"type": "disabled"}
    config = fitted.pop("output_config", None)
    if isinstance(config, Mapping) and "format" in config:
        fitted["output_config"] = {"format": config["format"]}


def say_format(fitted: dict[str, Any]) -> None:
    """The wish for a formatted answer as words, where it would be lost or refused as a key."""
    config = fitted.pop("output_config", None)
    wish = config.get("format") if isinstance(config, Mapping) else None
    if not isinstance(wish, Mapping):
        return
    system = fitted.get("system") or []
    blocks = [text(system)] if isinstance(system, str) else system
    said = f"{FORMAT}\n{json.dumps(wish.get('schema'))}"
    fitted["system"] = set_apart([*blocks, text(said)])
