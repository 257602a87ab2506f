"""What was changed in a request to fit it to a model, in a few words without its text.

Knows: what may differ between a request and its fitted form. Independent of: why it was changed.
Pure. What is taken out of every request (the account's id, the billing line) is not named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from openclaude.gateway.requests.request import KNOWN, is_known
from openclaude.gateway.requests.tools import PLACEHOLDER

Body = Mapping[str, Any]
TEXT = frozenset({"text", "tool_use", "tool_result"})  # what every model can read


def changes(before: Body, after: Body) -> Iterator[str]:
    """Yield what differs, each in a few words."""
    asked, given = before.get("max_tokens"), after.get("max_tokens")
    if asked != given and isinstance(given, int):
        yield f"max_tokens {asked if isinstance(asked, int) else 'missing'} -> {given}"
    gone = [name for name in before if name not in after and (name in KNOWN or not is_known(name))]
    if gone := [name for name in gone if before[name] and name not in {"tools", "system"}]:
        yield f"removed: {', '.join(gone)}"
    had, has = config(before), config(after)
    if gone := [name for name in had if name not in has] if "output_config" in after else []:
        yield f"removed from output_config: {', '.join(gone)}"
    if tools := sorted(names(before) - names(after) - {PLACEHOLDER}):
        yield f"tools not offered: {', '.join(tools)}"
    kinds = blocks(before)
    kinds.subtract(blocks(after))
    for kind, number in sorted(kinds.items()):
        if number > 0 and kind not in TEXT:
            yield f"{number} {kind} {'block' if number == 1 else 'blocks'} replaced or left out"


def config(body: Body) -> Body:
    """Return a request's `output_config`."""
    found = body.get("output_config")
    return found if isinstance(found, Mapping) else {}


def names(body: Body) -> frozenset[str]:
    """Return the names of a request's tools."""
    tools = body.get("tools")
    named = [one.get("name") for one in mappings(tools)]
    return frozenset(name for name in named if isinstance(name, str))


def blocks(body: Body) -> Counter[str]:
    """Count the blocks of a conversation by their type, also those inside a tool's result."""
    kinds = [
        kind[:40]
        for turn in mappings(body.get("messages"))
        for block in mappings(turn.get("content"))
        for one in (block, *mappings(block.get("content")))
        if isinstance(kind := one.get("type"), str)
    ]
    return Counter(kinds)


def mappings(value: object) -> list[Body]:
    """Return the objects of a list; nothing of anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
