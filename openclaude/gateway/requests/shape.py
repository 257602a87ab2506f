"""The shape of a Messages request: what no model could be asked, as Anthropic would refuse it.

Knows: the fields that are read on the way, and their types. Independent of: models, what a field
means. LiteLLM meets such a body with an error of its own somewhere inside, which reads like a fault
of the server and is tried again ten times. Unknown fields, and missing optional ones, are allowed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from openclaude.gateway.requests.schema import SchemaRules, Unmendable, mend_schema

NO_INPUT = {"type": "object", "properties": {}}
ROLES = ("user", "assistant", "system")
CHOICES = ("auto", "any", "tool", "none")
NUMBERS = ("temperature", "top_p", "top_k")
OBJECTS = ("tool_choice", "thinking", "metadata", "output_config", "context_management")
# type of a block -> its fields, and what each must be
BLOCKS: Mapping[str, tuple[tuple[str, type], ...]] = {
    "text": (("text", str),),
    "image": (("source", dict),),
    "document": (("source", dict),),
    "tool_use": (("id", str), ("name", str), ("input", dict)),
    "tool_result": (("tool_use_id", str),),
}
NAMES: Mapping[type, str] = {str: "text", dict: "an object"}


def find_mistake(body: Mapping[str, Any]) -> str:
    """Return the first mistake, with its place, or ""."""
    return next(mistakes(body), "")


def mistakes(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield everything that has the wrong type."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "messages: must be a list of at least one message"
    else:
        for at, message in enumerate(messages):
            yield from in_message(f"messages.{at}", message)
    if not isinstance(system := body.get("system"), str | None):
        yield from in_blocks("system", system)
    yield from in_tools(body.get("tools"))
    if not isinstance(body.get("stream"), bool | None):
        yield "stream: must be true or false"
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") not in CHOICES:
        yield f"tool_choice.type: must be one of {', '.join(CHOICES)}"
    for name in OBJECTS:
        if not isinstance(body.get(name), dict | None):
            yield f"{name}: must be an object"
    for name in NUMBERS:
        if isinstance(value := body.get(name), bool) or not isinstance(value, int | float | None):
            yield f"{name}: must be a number"
    stops = body.get("stop_sequences")
    if stops is not None and not (
        isinstance(stops, list) and all(isinstance(stop, str) for stop in stops)
    ):
        yield "stop_sequences: must be a list of texts"


def in_message(where: str, message: object) -> Iterator[str]:
    """Yield the mistakes in a message."""
    if not isinstance(message, dict):
        yield f"{where}: must be an object"
        return
    if message.get("role") not in ROLES:
        yield f"{where}.role: must be one of {', '.join(ROLES)}"
    content = message.get("content")
    if not isinstance(content, str):
        yield from in_blocks(f"{where}.content", content)


def in_blocks(where: str, blocks: object) -> Iterator[str]:
    """Yield the mistakes in a list of content blocks."""
    if not isinstance(blocks, list):
        yield f"{where}: must be text or a list of content blocks"
        return
    for at, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str):
            yield f"{where}.{at}: must be an object with a `type`"
            continue
        for name, wanted in BLOCKS.get(kind, ()):
            if not isinstance(block.get(name), wanted):
                yield f"{where}.{at}.{name}: must be {NAMES[wanted]}"
        if kind == "tool_result" and not isinstance(block.get("content"), str | None):
            yield from in_blocks(f"{where}.{at}.content", block["content"])


def in_tools(tools: object) -> Iterator[str]:
    """Yield the mistakes in the list of tools."""
    if tools is None:
        return
    if not isinstance(tools, list):
        yield "tools: must be a list"
        return
    for at, tool in enumerate(tools):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            yield f"tools.{at}: must be an object with a `name`"
        elif not isinstance(tool.get("input_schema"), dict | None):
            yield f"tools.{at}.input_schema: must be an object"


def countable(document: dict[str, Any]) -> dict[str, Any]:
    """Return the request with schemas that can be counted; the same one where it has no tools.

    LiteLLM's counter reads each property of a schema as an object, and fails on others (measured
    with 1.108.14). No provider is asked, so no provider's rules count.
    """
    tools = document.get("tools")
    if not isinstance(tools, list):
        return document
    return {
        **document,
        "tools": [counted_tool(tool) for tool in tools if isinstance(tool, Mapping)],
    }


def counted_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool with a schema that is whole."""
    if "input_schema" not in tool:
        return dict(tool)
    try:
        schema: Mapping[str, Any] = mend_schema(tool["input_schema"], SchemaRules())
    except Unmendable:
        schema = NO_INPUT
    return {**tool, "input_schema": schema}


def read_object(body: bytes) -> dict[str, Any] | None:
    """Return the body as a JSON object, or None."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = parse_leniently(body)
    return document if isinstance(document, dict) else None


def parse_leniently(body: bytes) -> object:
    """Parse what orjson refuses but Anthropic must judge: half of a surrogate pair."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # the second is nested too deeply for anyone
        return None


def write_object(document: Mapping[str, Any]) -> bytes:
    """Return a document of others as JSON: also one that orjson refuses, as `read_object` does.

    Raises RecursionError: orjson reads 1,024 levels, Python's own writer takes about 900.
    """
    try:
        return orjson.dumps(document)
    except TypeError:  # half of a surrogate pair, nested deeply, a number of more than 64 bits
        return json.dumps(document).encode()
