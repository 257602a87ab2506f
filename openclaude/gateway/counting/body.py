"""A request as Bedrock counts it: what Claude reads of it, in a form that both its counters take.

Knows: which parts of a fitted request are counted, and how LiteLLM tells InvokeModel's body from
Converse's. Independent of: LiteLLM as a library, who counts. Pure.

What has no tokens of its own is left out, because each part that an older model does not know would
refuse the count as a whole: marks for the cache, effort, edits of the context, what is said about a
tool beside its name, description and schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.requests.blocks import text, unmarked
from openclaude.gateway.requests.turns import join_system_turns

DEFERRED, REFERENCE = "defer_loading", "tool_reference"
TOOL = ("name", "description", "input_schema")
LEAST_BUDGET = 1024  # tokens; how much of it is used says nothing of the prompt


def count_body(fitted: Mapping[str, Any], capabilities: Capabilities) -> dict[str, Any]:
    """Return what will be counted of a request that was fitted to its model."""
    found = references(fitted.get("messages"))
    tools = [
        {key: tool[key] for key in TOOL if key in tool}
        for tool in listed(fitted.get("tools"))
        if not tool.get(DEFERRED) or tool.get("name") in found
    ]
    turns = [in_blocks(turn) for turn in join_system_turns(listed(fitted.get("messages")))]
    body = {
        "messages": unmarked(turns),
        "max_tokens": fitted.get("max_tokens"),
        **({"system": unmarked(fitted["system"])} if fitted.get("system") else {}),
        **({"tools": tools} if tools else {}),
    }
    thinking = fitted.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    if kind in ("enabled", "adaptive"):
        body["thinking"] = (
            {"type": "enabled", "budget_tokens": LEAST_BUDGET}
            if capabilities.thinks_by_budget
            else {"type": "adaptive"}
        )
        body["max_tokens"] = max(int(body["max_tokens"]), LEAST_BUDGET + 1)
    return body


def in_blocks(turn: Mapping[str, Any]) -> dict[str, Any]:
    """Return a turn whose content is a list: by that LiteLLM knows Anthropic's body.

    A tool that a search has found is named in a text, as it is nowhere else in what is counted.
    """
    content = turn.get("content")
    blocks = [text(content)] if isinstance(content, str) else listed(content)
    return {**turn, "content": [plain(block) for block in blocks]}


def plain(block: Any) -> Any:
    """Return a block without references to tools, which need a beta."""
    if not isinstance(block, Mapping):
        return block
    if block.get("type") == REFERENCE:
        return text(str(block.get("tool_name")))
    if block.get("type") == "tool_result" and isinstance(block.get("content"), list):
        return {**block, "content": [plain(part) for part in block["content"]]}
    return block


def references(turns: object) -> set[object]:
    """Return the names of the tools that searches have found."""
    return {
        part.get("tool_name")
        for turn in listed(turns)
        for block in blocks_in(turn)
        for part in (block, *blocks_in(block))
        if part.get("type") == REFERENCE
    }


def blocks_in(part: object) -> Iterator[Mapping[str, Any]]:
    """Yield the blocks of a turn, or of a tool's result."""
    content = part.get("content") if isinstance(part, Mapping) else None
    yield from (block for block in listed(content) if isinstance(block, Mapping))


def listed(value: object) -> list[Any]:
    """Return a list; an empty one for any other value."""
    return value if isinstance(value, list) else []
