"""A request for Claude at another provider, with Anthropic's own body: almost as claude sent it.

Knows: what Anthropic's own API takes that Claude on Bedrock does not, and what another provider has
signed. Independent of: LiteLLM as a library, which adds what InvokeModel wants beside the body
(version, betas) and leaves out what its model does not have (levels of effort, `ttl`, edits of the
context; read in 1.108.14). Pure. A second pass removes the thoughts, because they have lost their
mark.

Not taken over, because no document says that Bedrock has it: server tools, files and addresses
(image and document are sent inside the request), what single turns ask for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from openclaude.contracts.capabilities import Capabilities
from openclaude.gateway.requests.blocks import NOTHING_SAID, Block, fit_block, is_blank, text
from openclaude.gateway.requests.keywords import OBJECT
from openclaude.gateway.requests.schema import BRANCHES, SchemaRules, Unmendable
from openclaude.gateway.requests.server_tools import is_server_tool
from openclaude.gateway.requests.signatures import PROOFS, for_signer
from openclaude.gateway.requests.tools import (
    BAD_NAME,
    MOST_KEPT,
    NAME,
    PLACEHOLDER,
    is_callable,
    mended,
    say_left_out,
)
from openclaude.gateway.requests.turns import without_count

BILLING = "x-anthropic-billing-header:"
# Blocks that Claude reads wherever it is served
OWN = frozenset({"text", "tool_use", "search_result", "tool_reference", "compaction"})
# Without it `defer_loading` is refused: Anthropic's name (as LiteLLM has it), and AWS's
TOOL_SEARCH = {"anthropic": "advanced-tool-use-2025-11-20"}
TOOL_SEARCH_AT_AWS = "tool-search-tool-2025-10-19"
DEFERRED = "defer_loading"
THINKS = ("enabled", "adaptive")
BETA = "anthropic-beta"
# Anthropic's rule for the names of the properties at the top of a schema, in its own message
# (reported: anthropics/claude-code#34771; for Bedrock: aws-solutions-library-samples/
# accelerated-intelligent-document-processing-on-aws#709)
PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
BAD_PROPERTY = "one of its parameters has a name that Claude does not take"
CLEAR_THINKING = "clear_thinking"  # an edit of the context; a date follows


def fit_claude(fitted: dict[str, Any], capabilities: Capabilities) -> dict[str, Any]:
    """Return the request, whose top level has been fitted, as Claude at this provider reads it."""
    fitted.pop("provider_specific_header", None)
    system = without_count(fitted.get("system"), is_system=True)
    fitted["system"] = own_system(system)
    if not fitted["system"]:
        del fitted["system"]
    fit_own_tools(fitted)
    fit_edits(fitted)
    messages = fitted.get("messages")
    if isinstance(messages, list):
        fitted["messages"] = [own_turn(turn, capabilities) for turn in without_count(messages)]
        fit_thinking(fitted, capabilities)
    if uses_tool_search(fitted):
        # LiteLLM adds it for the search that a server does, and not for claude's (read)
        fitted["provider_specific_header"] = {
            "custom_llm_provider": capabilities.claude_signer,
            "extra_headers": {
                BETA: TOOL_SEARCH.get(capabilities.claude_signer, TOOL_SEARCH_AT_AWS)
            },
        }
    return fitted


def own_system(system: object) -> Any:
    """Return the system prompt without claude's billing line, which changes with each request."""
    if isinstance(system, str):
        head, _, rest = system.partition("\n")
        return rest if head.startswith(BILLING) else system
    blocks = [block for block in listed(system) if isinstance(block, Mapping)]
    kept = [block for block in blocks if not str(block.get("text")).startswith(BILLING)]
    return [block for block in kept if not is_blank(block)]


def fit_own_tools(fitted: dict[str, Any]) -> None:
    """Return the tools that Claude takes, without claude's placeholder. Raises Refused.

    One whose schema Claude would refuse, with the whole request, is fixed or left out; every other
    one is the same object.

    Of the tools that a server runs Bedrock has none that claude asks for; LiteLLM answers a web
    search with an error, and so does the guard, in its own words.
    """
    tools = fitted.get("tools")
    if not isinstance(tools, list):
        fitted.pop("tools", None)
        tools = []
    kept = [tool for tool in tools if is_server_tool(tool) or is_own_tool(tool)]
    if any(is_server_tool(tool) for tool in kept):
        kept = [tool for tool in kept if is_callable(tool)]
    left_out: dict[str, str] = {}
    own: dict[str, Mapping[str, Any]] = {}
    for tool in kept:
        try:
            own.setdefault(tool["name"], takeable_by_claude(tool))
        except Unmendable as reason:
            left_out[tool["name"][:80]] = str(reason)
    if own:
        fitted["tools"] = list(own.values())
    else:
        fitted.pop("tools", None)
    choice = fitted.get("tool_choice")
    chosen = choice.get("name") if isinstance(choice, Mapping) else None
    if not own or (chosen is not None and chosen not in own):
        fitted.pop("tool_choice", None)
    say_left_out(fitted, left_out)


def takeable_by_claude(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tool, with a schema that Claude takes. Raises Unmendable."""
    if not NAME.fullmatch(tool["name"]):
        raise Unmendable(BAD_NAME)
    schema = tool.get("input_schema")
    if not is_sound(schema):
        schema = mended(schema, SchemaRules())
        tool = {**tool, "input_schema": schema}
    if any(not PROPERTY.fullmatch(name) for name in (schema or {}).get("properties") or {}):
        raise Unmendable(BAD_PROPERTY)
    return tool


def is_sound(schema: object) -> bool:
    """Tell whether Claude takes a schema: an object's, by draft 2020-12, with no choice on top.

    Reported: anthropics/claude-code#5319, openclaw/openclaw#29416.
    """
    if not isinstance(schema, Mapping) or schema.get("type") != OBJECT:
        return False
    if any(branch in schema for branch in BRANCHES):
        return False
    try:
        return is_sound_text(orjson.dumps(schema))
    except TypeError:  # nested too deeply, or half of a surrogate pair
        return False


@lru_cache(MOST_KEPT)
def is_sound_text(text: bytes) -> bool:
    """Tell whether a schema is one by draft 2020-12."""
    from jsonschema import Draft202012Validator  # late: only where Claude is a slot
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(orjson.loads(text))
    except (SchemaError, RecursionError):
        return False
    return True


def fit_edits(fitted: dict[str, Any]) -> None:
    """Leave out how claude wants thoughts to be cleared: Bedrock refuses it.

    LiteLLM leaves it out too, but turns thinking on for it where it is off (read in 1.108.14).
    """
    context = fitted.get("context_management")
    if not isinstance(context, Mapping):
        fitted.pop("context_management", None)
        return
    edits = [edit for edit in listed(context.get("edits")) if isinstance(edit, Mapping)]
    kept = [edit for edit in edits if not str(edit.get("type")).startswith(CLEAR_THINKING)]
    if kept:
        fitted["context_management"] = {**context, "edits": kept}
    else:
        del fitted["context_management"]


def is_own_tool(tool: object) -> bool:
    """Tell whether a tool is one that claude runs itself."""
    return (
        isinstance(tool, Mapping)
        and tool.get("type") in (None, "custom")
        and isinstance(tool.get("name"), str)
        and tool["name"] != PLACEHOLDER
    )


def own_turn(turn: object, capabilities: Capabilities) -> object:
    """Return a turn with every block that Claude can read there, never an empty turn."""
    if not isinstance(turn, Mapping):
        return turn
    kept = {key: turn[key] for key in ("role", "content") if key in turn}
    content = kept.get("content")
    if isinstance(content, str):
        return kept if content.strip() else {**kept, "content": NOTHING_SAID}
    if not isinstance(content, list):
        return kept
    return {**kept, "content": own_blocks(content, capabilities) or [text(NOTHING_SAID)]}


def own_blocks(content: list[Any], capabilities: Capabilities, *, inside: bool = False) -> Any:
    """Return the blocks of a turn, or of a tool's result (`inside`), without blank ones.

    The same objects, where nothing had to change: what is cached at the provider stays valid.
    """
    fitted = (own_block(block, capabilities, inside=inside) for block in content)
    return [block for block in fitted if block is not None and not is_blank(block)]


def own_block(block: object, capabilities: Capabilities, *, inside: bool) -> Block | None:
    """Return a block as Claude can read it; None for one that it must not see."""
    kind = block.get("type") if isinstance(block, Mapping) else None
    if not isinstance(block, Mapping) or not isinstance(kind, str):
        return fit_block(block, capabilities, inside=inside)
    if kind in PROOFS:
        found = for_signer(block, capabilities.claude_signer)
        return found if found and found[PROOFS[kind]] else None
    if kind in OWN:
        return block
    if kind == "tool_result" and not inside:
        content = block.get("content")
        if not isinstance(content, list):
            return block
        return {**block, "content": own_blocks(content, capabilities, inside=True)}
    if kind == "document" and source_of(block) in ("text", "content"):
        return block  # with its title and its citations
    return fit_block(block, capabilities, inside=inside)


def source_of(block: Block) -> object:
    """Return how a block has its content: base64, text, url ..."""
    source = block.get("source")
    return source.get("type") if isinstance(source, Mapping) else None


def fit_thinking(fitted: dict[str, Any], capabilities: Capabilities) -> None:
    """Leave thinking out of a request in which the model's last thoughts are missing.

    With a budget, Claude refuses the results of calls that come without the thought that led to
    them; another provider has it, where the model was changed between a call and its result.
    """
    kind = kind_of(fitted.get("thinking"))
    is_by_budget = kind == "enabled" or capabilities.thinks_by_budget
    kinds = last_answer(fitted["messages"])
    if is_by_budget and "tool_use" in kinds and kinds[0] not in PROOFS:
        fitted.pop("thinking", None)
        kind = None
    config = fitted.get("output_config")
    if is_by_budget and kind not in THINKS and isinstance(config, Mapping):
        # LiteLLM makes a budget of it, also where thinking is off (measured)
        fitted["output_config"] = {key: config[key] for key in config if key != "effort"}


def last_answer(turns: list[Any]) -> list[object]:
    """Return the types of the blocks that the model has said since it was last asked something."""
    kinds: list[object] = []
    for turn in turns:
        if not isinstance(turn, Mapping):
            continue
        said = [kind_of(block) for block in inner(turn)]
        if turn.get("role") == "assistant":
            kinds += said
        elif turn.get("role") == "user" and "tool_result" not in said:
            kinds = []
    return kinds


def kind_of(block: object) -> object:
    """Return a block's type."""
    return block.get("type") if isinstance(block, Mapping) else None


def uses_tool_search(fitted: Mapping[str, Any]) -> bool:
    """Tell whether claude searches for tools: some are deferred, or a search has found some."""
    if any(DEFERRED in tool for tool in listed(fitted.get("tools")) if isinstance(tool, Mapping)):
        return True
    turns = [turn for turn in listed(fitted.get("messages")) if isinstance(turn, Mapping)]
    results = [block for turn in turns for block in inner(turn) if kind_of(block) == "tool_result"]
    return any(kind_of(part) == "tool_reference" for one in results for part in inner(one))


def inner(part: Mapping[str, Any]) -> list[Any]:
    """Return the blocks in a turn or in a tool's result."""
    return listed(part.get("content"))


def listed(value: object) -> list[Any]:
    """Return a list; an empty one for any other value."""
    return value if isinstance(value, list) else []
