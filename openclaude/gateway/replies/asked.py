"""What the request says that matters for checking its reply.

Knows: where each dialect's request has its tools' names, the ids of earlier calls and whether it
asks for a stream. Independent of: everything else in it. Pure. The request of a long conversation
is several hundred kilobytes, so it is parsed only when a reply calls a tool or is not a stream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

STREAMS = re.compile(rb'(?<!\\)"stream"\s*:\s*true')
# Keys with the ids of calls and results, which are taken, by dialect: the `id` of a call
# (Anthropic, OpenAI), a result's reference to it, Responses, Bedrock
ID_KEYS = ("tool_call_id", "tool_use_id", "call_id", "toolUseId")
CALL_TYPES = frozenset({"function", "tool_use"})


class RequestContext:
    """The parts of a request that its reply is checked against."""

    def __init__(self, path: str, body: bytes) -> None:
        self.path = path
        self._body = body

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the request's JSON; empty if it is not a JSON object."""
        try:
            document = json.loads(self._body)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    @cached_property
    def may_stream(self) -> bool:
        """Tell whether the request may ask for a stream; False is certain."""
        return "stream" in self.path.rpartition("/")[2].lower() or bool(STREAMS.search(self._body))

    @cached_property
    def streams(self) -> bool:
        """Tell whether the request asks for a stream."""
        if "stream" in self.path.rpartition("/")[2].lower():
            return True
        return self.may_stream and self.document.get("stream") is True

    @cached_property
    def model(self) -> str:
        """Return the model's name, from the path or the body."""
        found = re.search(r"/models?/([^/]+?)(?::(?:stream)?[gG]enerateContent)?(?:/|$)", self.path)
        if found:
            return found.group(1)
        said = re.search(rb'(?<!\\)"model"\s*:\s*"([^"\\]*)"', self._body)
        return said.group(1).decode(errors="replace") if said else ""

    @cached_property
    def _tools(self) -> dict[str, dict[str, Any]]:
        return dict(tools_in(self.document))

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of the tools that the model may call."""
        return frozenset(self._tools)

    def types(self, name: str) -> Mapping[str, Any]:
        """Return the properties of a tool's input."""
        tool = self._tools.get(name, {})
        for key in ("input_schema", "parameters", "parametersJsonSchema", "inputSchema"):
            schema = tool.get(key)
            if isinstance(schema, dict):
                properties = schema.get("json", schema).get("properties")
                return properties if isinstance(properties, dict) else {}
        return {}

    @cached_property
    def ids(self) -> frozenset[str]:
        """Return the ids of the calls already in the conversation."""
        turns = [self.document.get(key) for key in ("messages", "input", "contents")]
        return frozenset(ids_in(turns))


def tools_in(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return all tools of a request by name, in any dialect."""
    config = document.get("toolConfig")
    bedrock = config.get("tools") if isinstance(config, dict) else None
    tools = [
        *as_list(document.get("tools")),
        *as_list(bedrock),
        *as_list(document.get("functions")),
    ]
    for tool in tools:
        if not isinstance(tool, dict):
            continue
        declared = tool.get("functionDeclarations") or tool.get("function_declarations")
        for one in (tool, tool.get("function"), tool.get("toolSpec"), *as_list(declared)):
            if isinstance(one, dict) and isinstance(one.get("name"), str):
                yield one["name"], one


def ids_in(turns: Any) -> Iterator[str]:
    """Return the ids of all calls and results in a conversation, without reading tool inputs."""
    if isinstance(turns, list):
        for one in turns:
            yield from ids_in(one)
    elif isinstance(turns, dict):
        if turns.get("type") in CALL_TYPES and isinstance(turns.get("id"), str):
            yield turns["id"]
        for key in ID_KEYS:
            if isinstance(turns.get(key), str):
                yield turns[key]
        for key in ("content", "tool_calls", "toolUse", "toolResult", "parts"):
            if isinstance(turns.get(key), list | dict):
                yield from ids_in(turns[key])


def as_list(value: Any) -> list[Any]:
    """Return the value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []
