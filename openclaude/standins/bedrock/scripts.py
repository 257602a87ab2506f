"""What Bedrock's stand-in is to answer: the script in a request's conversation.

Knows: where Converse and Anthropic's body have what was said. Independent of: which requests are
admitted, how an answer is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openclaude.standins.base.conversation import Said, script_for
from openclaude.standins.base.schema import example
from openclaude.standins.base.script import Script, Text, Tool, pieces
from openclaude.standins.bedrock.claude_rules import blocks_in


def converse_script(body: Mapping[str, Any], model_id: str) -> Script:
    """Return what to answer; a request for structured output gets it, whatever its prompt says."""
    text_format = (body.get("outputConfig") or {}).get("textFormat")
    if text_format:
        schema = json.loads(text_format["structure"]["jsonSchema"]["schema"])
        return Script(blocks=(Text(parts=pieces(json.dumps(example(schema)))),))
    if forced := _forced_tool(body):
        return Script(blocks=(forced,))
    conversation = [_said(message) for message in body.get("messages") or ()]
    return script_for(conversation, default=f"bedrock stand-in: {model_id}")


def claude_script(body: Mapping[str, Any], model_id: str) -> Script:
    """Return what Claude is to answer."""
    if schema := ((body.get("output_config") or {}).get("format") or {}).get("schema"):
        return Script(blocks=(Text(parts=pieces(json.dumps(example(schema)))),))
    turns = [turn for turn in body["messages"] if turn.get("role") != "system"]
    conversation = [_claude_said(turn) for turn in turns]
    return script_for(conversation, default=f"bedrock stand-in: {model_id}")


def _claude_said(turn: Mapping[str, Any]) -> Said:
    blocks = blocks_in(turn)
    return Said(
        role=turn["role"],
        text="\n".join(block["text"] for block in blocks if block["type"] == "text"),
        results=tuple(
            "\n".join(str(part.get("text", part["type"])) for part in blocks_in(block))
            for block in blocks
            if block["type"] == "tool_result"
        ),
    )


def _forced_tool(body: Mapping[str, Any]) -> Tool | None:
    """Return a call of the one tool the request forces: LiteLLM's other way to request a format."""
    config = body.get("toolConfig") or {}
    name = ((config.get("toolChoice") or {}).get("tool") or {}).get("name")
    specs = [tool.get("toolSpec") or {} for tool in config.get("tools") or ()]
    schemas = [spec["inputSchema"]["json"] for spec in specs if spec.get("name") == name]
    return Tool(name=name, input=example(schemas[0])) if name and schemas else None


def _said(message: Mapping[str, Any]) -> Said:
    blocks = message["content"]
    return Said(
        role=message["role"],
        text="\n".join(block["text"] for block in blocks if "text" in block),
        results=tuple(_result(block["toolResult"]) for block in blocks if "toolResult" in block),
    )


def _result(result: Mapping[str, Any]) -> str:
    return "\n".join(
        part["text"] if "text" in part else json.dumps(part.get("json", sorted(part)))
        for part in result["content"]
    )
