"""The names in a request: endpoint, headers, betas, keys, tools, blocks, roles, models, statuses.

Knows: the Messages API as a document. Independent of: values, sizes, order. Two requests with the
same names need the same of a proxy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from exchanges import Exchange

from openclaude.compile.resolve import CLAUDE_MODELS

SLOT = "openclaude-"
TIER = "haiku"  # the one that the profile of records and replay gives to another model
# objects of a body whose own keys and types are examined
OPENED = ("thinking", "output_config", "context_management", "metadata", "tool_choice", "speed")
MODEL_ENDPOINTS = "/v1/"


class Name(NamedTuple):
    """One name that a client sends or receives."""

    kind: str  # see places.PLACES
    name: str
    is_of_slot: bool  # whether the request was for a slot


def is_slots(model: str) -> bool:
    """Tell whether a slot answers for a model: its own id, or Claude's id of its tier."""
    return model.startswith(SLOT) or model == CLAUDE_MODELS[TIER]


def names_of(exchange: Exchange) -> set[Name]:
    """All names in a request, and its status."""
    is_of_slot = is_slots(exchange.model)
    return {Name(kind, name, is_of_slot) for kind, name in pairs(exchange)}


def pairs(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Kind and name."""
    yield "endpoint", f"{exchange.method} {exchange.target}"
    if not exchange.target.startswith(MODEL_ENDPOINTS):
        return
    yield "status", f"{exchange.status} for {exchange.method} {exchange.target}"
    for name, value in exchange.headers:
        yield "header", name.lower()
        if name.lower() == "anthropic-beta":
            yield from (("beta", beta.strip()) for beta in value.split(","))
    body = exchange.document()
    if body:
        yield "model", exchange.model
        yield from (("body key", key) for key in body)
        yield from opened(body)
        yield from tools(body)
        yield from blocks(body)


def opened(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is in those objects of a body that control the model."""
    for key in OPENED:
        for path, value in leaves(body.get(key), key):
            is_word = path.endswith((".type", ".effort", ".display", ".keep"))
            yield "setting", f"{path} = {value}" if is_word else path


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of an object; schemas are the user's own and are not examined."""
    match value:
        case None:
            return
        case dict() if not path.endswith(".schema"):
            for key, inner in value.items():
                yield from leaves(inner, f"{path}.{key}")
        case list():
            for inner in value:
                yield from leaves(inner, f"{path}[]")
        case _:
            yield path, value


def tools(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield tools, the types that are not claude's own, and a tool's other keys."""
    for tool in body.get("tools") or ():
        yield "tool", str(tool.get("name"))
        if "type" in tool:
            yield "tool type", str(tool["type"])
        yield from (("tool key", key) for key in tool)


def blocks(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield types of blocks by role, with the other keys of turns and blocks."""
    turns = body.get("messages") or ()
    for role, content in [("system", body.get("system")), *map(said, turns)]:
        for block in content if isinstance(content, list) else ():
            kind = str(block.get("type"))
            yield "block", f"{role}: {kind}"
            yield from (("block key", f"{kind}.{key}") for key in block)
            for inner in inside(block):
                yield "block", f"{kind} > {inner.get('type')}"
    for turn in turns:
        yield "role", str(turn.get("role"))
        yield from (("turn key", key) for key in turn)


def said(turn: dict[str, Any]) -> tuple[str, Any]:
    """Return the role of a turn."""
    return str(turn.get("role")), turn.get("content")


def inside(block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the blocks in a block: a tool's result may have some."""
    content = block.get("content")
    return [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []


def counts(exchanges: Iterable[Exchange]) -> Counter[str]:
    """Return how many requests each model gets; telemetry is not counted."""
    return Counter(
        f"{one.method} {one.target.partition('?')[0]} {one.model}".rstrip()
        for one in exchanges
        if one.target.startswith(MODEL_ENDPOINTS)
    )
