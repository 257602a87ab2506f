"""What Claude on Bedrock refuses in InvokeModel's body: one function for each rule.

Knows: the published rules of Anthropic's Messages API on Bedrock; none was checked against AWS
itself. Independent of: HTTP, Converse. A rule yields what is wrong, in the service's own words if
they are known; each causes a 400.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
https://platform.claude.com/docs/en/build-with-claude/extended-thinking
https://platform.claude.com/docs/en/build-with-claude/effort
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]
VERSION = "bedrock-2023-05-31"
KEYS = frozenset(
    {"anthropic_version", "anthropic_beta", "max_tokens", "messages", "system", "stop_sequences"}
    | {"temperature", "top_p", "top_k", "tools", "tool_choice", "thinking", "metadata"}
    | {"output_config", "context_management"}
)
BETAS = frozenset(
    {"computer-use-2025-01-24", "computer-use-2025-11-24", "token-efficient-tools-2025-02-19"}
    | {"interleaved-thinking-2025-05-14", "output-128k-2025-02-19", "context-1m-2025-08-07"}
    | {"dev-full-thinking-2025-05-14", "context-management-2025-06-27", "effort-2025-11-24"}
    | {"tool-search-tool-2025-10-19", "tool-examples-2025-10-29", "compact-2026-01-12"}
    | {"fine-grained-tool-streaming-2025-05-14"}
    # not in AWS's documentation; LiteLLM 1.108.14 lists them as Bedrock's
    | {"thinking-display-updates-2026-08-18", "mid-conversation-output-config-2026-07-01"}
    | {"mid-conversation-tool-changes-2026-07-01", "thinking-binding-controls-2026-08-01"}
)
TOOL_SEARCH = "tool-search-tool-2025-10-19"
EDITS = {
    "clear_tool_uses_20250919": "context-management-2025-06-27",
    "compact_20260112": "compact-2026-01-12",
}
TOOL_KEYS = frozenset(
    {"type", "name", "description", "input_schema", "cache_control", "defer_loading", "strict"}
    | {"input_examples", "allowed_callers"}
)
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
BLOCKS = frozenset(
    {"text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking"}
    | {"search_result", "tool_reference", "compaction"}
)
MOST_MARKS = 4
LEAST_BUDGET = 1024
EXTRA = "Extra inputs are not permitted"
SECRET = b"the key this stand-in signs thoughts with"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeRules:
    """The capabilities of one Claude on Bedrock."""

    max_output_tokens: int
    window: int = 200_000
    is_adaptive: bool = True  # thinks adaptively, and refuses a budget and sampling parameters
    efforts: tuple[str, ...] = ("low", "medium", "high", "xhigh", "max")
    has_tool_search: bool = True
    has_long_cache: bool = True  # takes `ttl`
    has_system_turns: bool = True


Rule = Callable[[Body, ClaudeRules], Iterator[str]]


def sign_thought(text: str) -> str:
    """Return the signature of a thought, which only this stand-in can make."""
    return base64.b64encode(hmac.digest(SECRET, text.encode(), "sha256")).decode()


def known_fields(body: Body, _: ClaudeRules) -> Iterator[str]:
    """A field that InvokeModel does not have, `model` and `stream` among them; a missing one."""
    yield from (f"{key}: {EXTRA}" for key in sorted(body.keys() - KEYS))
    required = ("anthropic_version", "max_tokens", "messages")
    yield from (f"{key}: Field required" for key in required if key not in body)
    if body.get("anthropic_version", VERSION) != VERSION:
        yield f"anthropic_version: Input should be '{VERSION}'"


def known_betas(body: Body, _: ClaudeRules) -> Iterator[str]:
    """A beta that is not Bedrock's."""
    if any(beta not in BETAS for beta in body.get("anthropic_beta") or ()):
        yield "invalid beta flag"


def output_cap(body: Body, rules: ClaudeRules) -> Iterator[str]:
    """More output than the model can produce, or none."""
    wanted = body["max_tokens"]
    if wanted > rules.max_output_tokens:
        cap = rules.max_output_tokens
        yield (
            f"max_tokens: {wanted} > {cap}, which is the maximum allowed number of output tokens "
            "for this model"
        )
    if wanted < 1:
        yield "max_tokens: Input should be greater than or equal to 1"


def thinking_shape(body: Body, rules: ClaudeRules) -> Iterator[str]:
    """Thinking in a form that this model does not have, or what does not go with it."""
    thinking = body.get("thinking") or {"type": "disabled"}
    kind, budget = thinking.get("type"), thinking.get("budget_tokens")
    if kind not in ("enabled", "adaptive", "disabled"):
        yield "thinking.type: Input should be 'enabled', 'adaptive' or 'disabled'"
    if kind == "enabled" and rules.is_adaptive:
        yield '"thinking.type.enabled" is not supported for this model. Use "adaptive"'
    if kind == "adaptive" and not rules.is_adaptive:
        yield "adaptive thinking is not supported on this model"
    if kind == "enabled" and (budget is None or budget < LEAST_BUDGET):
        yield f"thinking.enabled.budget_tokens: Input should be >= {LEAST_BUDGET}"
    if kind == "enabled" and budget is not None and budget >= body["max_tokens"]:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`"
    if kind != "disabled":
        if body.get("temperature", 1) != 1:
            yield "`temperature` may only be set to 1 when thinking is enabled"
        if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
            yield "Thinking may not be enabled when tool_choice forces tool use."


def sampling(body: Body, rules: ClaudeRules) -> Iterator[str]:
    """Sampling parameters for a model that has none."""
    if rules.is_adaptive:
        for key in ("temperature", "top_p", "top_k"):
            if body.get(key) is not None:
                yield f"{key}: is not supported for this model"


def effort_level(body: Body, rules: ClaudeRules) -> Iterator[str]:
    """A level of effort that the model does not have."""
    config = body.get("output_config") or {}
    yield from (f"output_config.{key}: {EXTRA}" for key in config.keys() - {"effort", "format"})
    effort = config.get("effort")
    if effort is not None and effort not in rules.efforts:
        yield f"output_config.effort: '{effort}' is not supported for this model"


def thoughts_signed(body: Body, _: ClaudeRules) -> Iterator[str]:
    """A thought that was not signed here."""
    for where, block in blocks_of(body):
        proof = block.get("signature")
        if block["type"] == "thinking" and proof != sign_thought(str(block.get("thinking"))):
            yield f"{where}: Invalid `signature` in `thinking` block"
        if block["type"] == "redacted_thinking" and block.get("data") != sign_thought(""):
            yield f"{where}: Invalid `data` in `redacted_thinking` block"


def thoughts_returned(body: Body, _: ClaudeRules) -> Iterator[str]:
    """With a budget: tools called without the thought that led to them."""
    if (body.get("thinking") or {}).get("type") != "enabled":
        return
    begins = ""  # the first block since the model was last asked something
    for place, turn in enumerate(body["messages"]):
        kinds = [block["type"] for block in blocks_in(turn)]
        if turn["role"] == "user" and "tool_result" not in kinds:
            begins = ""
        elif turn["role"] == "assistant" and not begins:
            begins, where = kinds[0], f"messages.{place}.content.0.type"
    if begins and begins not in ("thinking", "redacted_thinking"):
        yield f"{where}: Expected `thinking` or `redacted_thinking`, but found `{begins}`."


def cache_marks(body: Body, rules: ClaudeRules) -> Iterator[str]:
    """Too many cache marks, or one with more than Bedrock knows."""
    places = [*marked_parts(body)]
    if len(places) > MOST_MARKS:
        yield f"A maximum of {MOST_MARKS} blocks with cache_control may be provided."
    times = []
    for where, mark in places:
        allowed = {"type", "ttl"} if rules.has_long_cache else {"type"}
        yield from (f"{where}.cache_control.{key}: {EXTRA}" for key in mark.keys() - allowed)
        if mark.get("type") != "ephemeral" or mark.get("ttl", "5m") not in ("5m", "1h"):
            yield f"{where}.cache_control: Input should be ephemeral, for 5m or 1h"
        times.append(mark.get("ttl", "5m"))
    if times != sorted(times):  # "1h" before "5m"
        yield "cache_control: a ttl='1h' block must not come after a ttl='5m' cache_control block"


def tools_known(body: Body, rules: ClaudeRules) -> Iterator[str]:
    """A tool in a form that Bedrock does not have."""
    betas = body.get("anthropic_beta") or ()
    for place, tool in enumerate(body.get("tools") or ()):
        kind = tool.get("type", "custom")
        if kind != "custom":
            yield f"tools.{place}: Input tag '{kind}' does not match any of the expected tags"
        yield from (f"tools.{place}.{key}: {EXTRA}" for key in tool.keys() - TOOL_KEYS)
        if not NAME.fullmatch(str(tool.get("name"))):
            yield f"tools.{place}.custom.name: String should match pattern '{NAME.pattern}'"
        schema = tool.get("input_schema")
        if not isinstance(schema, dict):
            yield f"tools.{place}.custom.input_schema: Field required"
            continue
        if schema.get("type") != "object":
            yield f"tools.{place}.custom.input_schema.type: Field required"
        if schema.keys() & {"oneOf", "allOf", "anyOf"}:
            where = f"tools.{place}.custom.input_schema"
            yield f"{where}: input_schema does not support oneOf, allOf, or anyOf at the top level"
        if "defer_loading" in tool and not (rules.has_tool_search and TOOL_SEARCH in betas):
            yield f"tools.{place}.custom.defer_loading: {EXTRA}"
    tools = body.get("tools") or ()
    if tools and all(tool.get("defer_loading") for tool in tools):
        yield "at least one tool must have defer_loading=false"


def edits_known(body: Body, _: ClaudeRules) -> Iterator[str]:
    """An edit of the context that Bedrock does not have, or one without its beta."""
    betas = body.get("anthropic_beta") or ()
    for edit in (body.get("context_management") or {}).get("edits") or ():
        if EDITS.get(edit.get("type"), "?") not in betas:
            yield f"context_management: {EXTRA}"


def turns_known(body: Body, rules: ClaudeRules) -> Iterator[str]:
    """Turns of a role, or with keys, that the model does not have."""
    if not body["messages"]:
        yield "messages: at least one message is required"
    for place, turn in enumerate(body["messages"]):
        role = turn.get("role")
        allowed = ("user", "assistant", *(("system",) if rules.has_system_turns and place else ()))
        if role not in allowed:
            yield f'messages.{place}: Unexpected role "{role}"'
        yield from (f"messages.{place}.{key}: {EXTRA}" for key in turn.keys() - {"role", "content"})
    if body["messages"] and body["messages"][-1].get("role") == "assistant" and rules.is_adaptive:
        yield "This model does not support assistant message prefill."


def blocks_known(body: Body, rules: ClaudeRules) -> Iterator[str]:
    """A block that Claude on Bedrock cannot read, or an empty one."""
    betas = body.get("anthropic_beta") or ()
    for where, block in blocks_of(body):
        kind = block["type"]
        if kind not in BLOCKS:
            yield f"{where}: Input tag '{kind}' found using 'type' does not match any expected tag"
        if kind == "text" and not str(block.get("text")).strip():
            yield f"{where}: text content blocks must contain non-whitespace text"
        if kind == "tool_reference" and not (rules.has_tool_search and TOOL_SEARCH in betas):
            yield f"{where}: tool_reference is not supported"
        if kind in ("image", "document"):
            yield from media(where, kind, block.get("source") or {})


def media(where: str, kind: str, source: Mapping[str, Any]) -> Iterator[str]:
    """An image or a document that is not in the request itself."""
    match source.get("type"):
        case "base64":
            try:
                base64.b64decode(str(source.get("data")), validate=True)
            except (binascii.Error, ValueError):
                yield f"{where}.{kind}.source.base64.data: not base64"
        case "text" | "content" if kind == "document":
            return
        case other:
            yield f"{where}.{kind}.source: '{other}' sources are not supported on Bedrock"


def calls_answered(body: Body, _: ClaudeRules) -> Iterator[str]:
    """A tool call without its result in the next turn, or a result without its call."""
    turns = [turn for turn in body["messages"] if turn.get("role") != "system"]
    for place, turn in enumerate(turns):
        following = turns[place + 1] if place + 1 < len(turns) else {}
        before = turns[place - 1] if place else {}
        called, answered = ids(turn, "tool_use", "id"), ids(following, "tool_result", "tool_use_id")
        if missing := [key for key in called if key not in answered]:
            yield (
                f"messages.{place}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}"
            )
        for key in ids(turn, "tool_result", "tool_use_id"):
            if key not in ids(before, "tool_use", "id"):
                yield f"messages.{place}: unexpected `tool_use_id` in `tool_result` block: {key}"


RULES: tuple[Rule, ...] = (
    known_fields,
    turns_known,
    known_betas,
    output_cap,
    thinking_shape,
    sampling,
    effort_level,
    blocks_known,
    thoughts_signed,
    thoughts_returned,
    cache_marks,
    tools_known,
    edits_known,
    calls_answered,
)


def broken_by(body: Body, rules: ClaudeRules) -> tuple[str, ...]:
    """Return what is wrong with a body."""
    found: list[str] = []
    for rule in RULES:
        found += rule(body, rules)
        if found and rule is known_fields:
            break  # the others rely on the required fields
    return tuple(found)


def blocks_in(turn: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a turn's content as blocks."""
    content = turn.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())


def blocks_of(body: Body) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return every block of every turn, those in tools' results too, with its location."""
    for turn, message in enumerate(body["messages"]):
        for place, block in enumerate(blocks_in(message)):
            where = f"messages.{turn}.content.{place}"
            yield where, block
            if block["type"] == "tool_result" and isinstance(block.get("content"), list):
                for inner, part in enumerate(block["content"]):
                    yield f"{where}.content.{inner}", part


def marked_parts(body: Body) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return every cache mark in the order in which the model reads, with its location."""
    system = body.get("system")
    parts = [(f"tools.{place}", tool) for place, tool in enumerate(body.get("tools") or ())]
    if isinstance(system, list):
        parts += [(f"system.{place}", block) for place, block in enumerate(system)]
    for where, part in (*parts, *blocks_of(body)):
        if part.get("cache_control"):
            yield where, part["cache_control"]


def ids(turn: Mapping[str, Any], kind: str, key: str) -> list[str]:
    """Return the ids of a turn's calls or results."""
    return [str(block.get(key)) for block in blocks_in(turn) if block["type"] == kind]
