"""The tools of a request as its model can take them; each tool that is left out is reported.

Knows: Anthropic's tools, and the limits of providers on their names and number. Independent of:
what a schema must look like (`schema`), which provider accepts what. Pure; a second pass changes
nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from openclaude.contracts.capabilities import Capabilities
from openclaude.errors import OpenclaudeError
from openclaude.gateway.requests.blocks import portable, set_apart, text
from openclaude.gateway.requests.schema import SchemaRules, Unmendable, mend_schema
from openclaude.gateway.requests.server_tools import is_server_tool, is_web_search

Tool = Mapping[str, Any]

# claude's placeholder for tools that are not loaded; calling it is an error
PLACEHOLDER = "DeferredToolPlaceholder"
# The keys a tool may have. LiteLLM writes `defer_loading` into the tool's JSON schema (measured),
# and providers with Anthropic's API get every key as it is.
TOOL_KEYS = ("type", "name", "description", "input_schema", "cache_control")
# Anthropic's rule. LiteLLM shortens a name to the 64 characters that OpenAI allows, and restores it
# in the reply (measured with 1.108.14).
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
MCP = "mcp__"  # name prefixes of tools that are not claude's own
MOST_KEPT = 1024  # number of fixed schemas that are cached
BAD_NAME = "its name is not made of 1 to 128 letters, digits, _ and -"
LEFT_OUT = "These tools are not available with this model; if one is needed, say so: "


class Refused(OpenclaudeError):
    """A request that this slot cannot answer truthfully.

    Status 424, not 400: with either of them the caller of claude's WebSearch gets a tool error with
    our message, but claude sends a request twice for a 400 and once for a 424 (measured with Claude
    Code 2.1.330; in a main turn it is six times and once).
    """

    code = "refused"
    status = 424


def fit_tools(fitted: dict[str, Any], capabilities: Capabilities) -> None:
    """Return only tools that the model can call; remove `tool_choice` if there are none."""
    tools = fitted.get("tools")
    offered = [tool for tool in tools if is_callable(tool)] if isinstance(tools, list) else []
    kept, left_out = takeable(offered, called_in(fitted.get("messages")), capabilities)
    if kept:
        fitted["tools"] = kept
    else:
        fitted.pop("tools", None)
    choice = fitted.get("tool_choice")
    chosen = choice.get("name") if isinstance(choice, Mapping) else None
    if not kept or (chosen is not None and all(tool.get("name") != chosen for tool in kept)):
        fitted.pop("tool_choice", None)
    say_left_out(fitted, left_out)


def say_left_out(fitted: dict[str, Any], left_out: Mapping[str, str]) -> None:
    """Name the tools that are not offered in the system prompt, each with its reason."""
    if left_out:
        reasons = "; ".join(f"{name} ({why})" for name, why in left_out.items())
        system = fitted.get("system") or []
        blocks = [text(system)] if isinstance(system, str) else system
        fitted["system"] = set_apart([*blocks, text(LEFT_OUT + reasons)])


def is_callable(tool: object) -> bool:
    """Tell whether a tool is one that claude runs itself; raise Refused for a server tool.

    A typed client tool (bash_*, text_editor_*, tool_search, advisor) would be copied into
    additionalModelRequestFields, and LiteLLM would run an advisor itself.
    """
    if not isinstance(tool, Mapping):
        return False
    kind = tool.get("type")
    # LiteLLM drops them silently, and the model's own text is shown as "Web search results"; with a
    # plan they do not arrive here, because main sends them to Anthropic
    if is_server_tool(tool):
        raise Refused(
            f"the server tool `{tool.get('name', kind)}` runs at Anthropic only",
            hint=hint_for(str(kind)),
        )
    return kind in (None, "custom") and tool.get("name") != PLACEHOLDER


def hint_for(kind: str) -> str:
    """Return what a user can do about a server tool."""
    own = (
        ", or set `search.with` in the profile: "
        "`openclaude profiles set NAME search.with=duckduckgo`"
    )
    return "use a Claude model for it" + (own if is_web_search(kind) else "")


def takeable(
    offered: list[Tool], called: frozenset[str], capabilities: Capabilities
) -> tuple[list[Tool], dict[str, str]]:
    """Return the tools that the provider accepts, in order; the others by name, with the reason."""
    rules = SchemaRules(capabilities.takes_full_schema, capabilities.max_schema_depth)
    fitted: dict[str, Tool] = {}
    left_out: dict[str, str] = {}
    for tool in offered:
        name = tool.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            left_out[str(name)[:80]] = BAD_NAME
            continue
        try:
            schema = mended(tool.get("input_schema"), rules)
        except Unmendable as reason:
            left_out[name] = str(reason)
            continue
        fitted.setdefault(name, {**portable(only_known(tool)), "input_schema": schema})
    # claude's own tools and those already in use are dropped last
    names = sorted(fitted, key=lambda name: (name.startswith(MCP), name not in called))
    for name in names[capabilities.max_tools :]:
        del fitted[name]
        left_out[name] = f"the provider takes {capabilities.max_tools} tools at most"
    return list(fitted.values()), left_out


def mended(schema: object, rules: SchemaRules) -> dict[str, Any]:
    """Return a tool's schema, fixed only once: every request has the same tools. Raises Unmendable.

    The cached value is text, because LiteLLM changes schemas in place.
    """
    try:
        text = orjson.dumps(schema)
    except TypeError:  # nested too deeply, or half of a surrogate pair
        return mend_schema(schema, rules)
    found: dict[str, Any] = orjson.loads(mended_text(text, rules))
    return found


@lru_cache(MOST_KEPT)
def mended_text(text: bytes, rules: SchemaRules) -> str:
    """The same with text as input and output."""
    return json.dumps(mend_schema(orjson.loads(text), rules))


def only_known(tool: Tool) -> Tool:
    """Return a tool without the keys that only Anthropic's own models understand."""
    return {key: value for key, value in tool.items() if key in TOOL_KEYS}


def called_in(messages: object) -> frozenset[str]:
    """Return the tools that the conversation has called."""
    return frozenset(calls_in(messages))


def calls_in(messages: object) -> Iterator[str]:
    """Return the name of every call."""
    for turn in messages if isinstance(messages, list) else ():
        content = turn.get("content") if isinstance(turn, Mapping) else None
        for block in content if isinstance(content, list) else ():
            if isinstance(block, Mapping) and block.get("type") == "tool_use":
                yield str(block.get("name"))
