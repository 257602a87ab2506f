"""What people do with claude: some 60 situations, each one run of the real client.

Knows: claude's arguments, and the scripts that make the stand-ins answer as a situation needs.
Independent of: modes, recording, what is compared. A new situation is one row here; the next
`build/contract claude VERSION` records it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openclaude.standins.base import script

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADU"
    "lEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PAGE = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
# A minimal MCP server
MCP_SERVER = """
import json, sys
TOOL = {"name": "add", "description": "Add two numbers",
        "inputSchema": {"type": "object", "properties": {"a": {"type": "number"},
                        "b": {"type": "number"}}, "required": ["a", "b"]}}
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    result = {"initialize": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                             "serverInfo": {"name": "sums", "version": "1"}},
              "tools/list": {"tools": [TOOL]},
              "tools/call": {"content": [{"type": "text", "text": "5"}]}}.get(asked["method"], {})
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""
# The files in the project of every situation
FILES: Mapping[str, bytes] = {
    "notes.md": b"# Notes\n\nOne line, and another.\n",
    "picture.png": base64.b64decode(PIXEL),
    "page.pdf": PAGE,
    "data.ipynb": json.dumps(
        {
            "cells": [
                {"cell_type": "code", "id": "a", "source": ["1 + 1"], "metadata": {}, "outputs": []}
            ],
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    ).encode(),
    "CLAUDE.md": b"Always answer in one line.\n",
    "server.py": MCP_SERVER.encode(),
    "mcp.json": b'{"mcpServers": {"sums": {"command": "python3", "args": ["server.py"]}}}',
    ".claude/commands/greet.md": b"---\ndescription: Greet\n---\nSay hello to $ARGUMENTS.\n",
    ".claude/skills/count/SKILL.md": b"---\nname: count\ndescription: Count words\n---\nCount.\n",
    ".claude/agents/small.md": b"---\nname: small\ndescription: Small\nmodel: haiku\n---\nDo it.\n",
}
SCHEMA = json.dumps({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
AGENTS = json.dumps({"reader": {"description": "Reads", "prompt": "Read.", "model": "sonnet"}})
HOOKS = json.dumps(
    {"hooks": {"UserPromptSubmit": [{"hooks": [{"type": "command", "command": "echo seen"}]}]}}
)
PROMPT_HOOK = json.dumps(
    {"hooks": {"Stop": [{"hooks": [{"type": "prompt", "prompt": "Is it done? $ARGUMENTS"}]}]}}
)
ONE_RETRY = {"CLAUDE_CODE_MAX_RETRIES": "1"}
STREAMED = ("--output-format", "stream-json", "--verbose")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One run: `claude -p PROMPT`, lines on its input, or keys pressed in a terminal."""

    name: str
    prompt: str = "hi"
    model: str = "opus"  # "": claude's own choice
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    turns: tuple[Any, ...] = ()  # contents of user messages, on the input as stream-json
    before: str = ""  # the prompt of an earlier session, which this one continues
    screen: tuple[tuple[str, str], ...] = ()  # in a terminal: (wait | type | press | insist, what)
    is_main_job: bool = False  # one of the few that every version must pass


def tool(name: str, *allowed: str, **arguments: Any) -> dict[str, Any]:
    """Return a prompt that makes the model call a tool, and end when its result arrives."""
    prompt = script.tool(name, arguments) + script.then(script.say("done"))
    return {"prompt": prompt, "arguments": ("--allowedTools", ",".join(allowed or (name,)))}


def image(kind: str, media_type: str, data: bytes) -> dict[str, Any]:
    """Return an image block as a user pastes one."""
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
    return {"type": kind, "source": source}


ALIASES = ("sonnet", "haiku", "fable", "opusplan", "opus[1m]", "sonnet[1m]")
IDS = ("claude-sonnet-4-5", "claude-opus-4-5")

# For Claude and a slot alike: tools, and what a history may contain
ON_BOTH: Mapping[str, dict[str, Any]] = {
    "bash": tool("Bash", command="echo hello", description="Say hello"),
    "read": tool("Read", file_path="notes.md"),
    "write": tool("Write", file_path="new.txt", content="new\n"),
    "edit after read": {
        "prompt": script.tool("Read", {"file_path": "notes.md"})
        + script.then(
            script.tool(
                "Edit", {"file_path": "notes.md", "old_string": "One", "new_string": "One"}
            ),
            script.say("done"),
        ),
        "arguments": ("--allowedTools", "Read,Edit"),
    },
    "two tools at once": {
        "prompt": script.tool("Bash", {"command": "echo 1", "description": "1"})
        + script.tool("Bash", {"command": "echo 2", "description": "2"})
        + script.then(script.say("done")),
        "arguments": ("--allowedTools", "Bash"),
    },
    "a tool that is not allowed": tool("Bash", "Read", command="touch x", description="Touch"),
    "a tool that there is not": tool("NoSuchTool", "Read", x=1),
    "a picture read": tool("Read", file_path="picture.png"),
    "a PDF read": tool("Read", file_path="page.pdf"),
    "a picture pasted": {"turns": ([image("image", "image/png", base64.b64decode(PIXEL))],)},
    "a PDF pasted": {"turns": ([image("document", "application/pdf", PAGE)],)},
    "MCP": {
        "prompt": script.tool("mcp__sums__add", {"a": 2, "b": 3}) + script.then(script.say("5")),
        "arguments": ("--mcp-config", "mcp.json", "--allowedTools", "mcp__sums__add"),
    },
    "web search": tool("WebSearch", query="anything at all"),
    "JSON schema": {"arguments": ("--json-schema", SCHEMA, "--output-format", "json")},
    "two turns": {"turns": ("one", script.reasoning("think") + script.say("two"))},
    "resume": {"before": "the first time", "arguments": ("--continue",)},
    "a subagent": tool(
        "Agent", "Agent", description="x", prompt="look around", subagent_type="general-purpose"
    ),
    "thinking aloud": {"prompt": script.reasoning("let me see") + script.say("seen")},
}
MORE: Mapping[str, dict[str, Any]] = {
    "a tool searched for": tool("ToolSearch", query="select:NotebookEdit", max_results=3),
    "a notebook": tool("NotebookEdit", notebook_path="data.ipynb", cell_id="a", new_source="2"),
    "web fetch": tool("WebFetch", url="http://127.0.0.1:9/x", prompt="what is it"),
    "a skill": tool("Skill", skill="count"),
    "Explore": tool(
        "Agent", "Agent", description="x", prompt="look around", subagent_type="Explore"
    ),
    "an agent of the project": tool(
        "Agent", "Agent", description="x", prompt="look around", subagent_type="small"
    ),
    "agents by argument": {"arguments": ("--agents", AGENTS)},
    "plan mode": {"arguments": ("--permission-mode", "plan")},
    "plan mode on haiku": {"arguments": ("--permission-mode", "plan"), "model": "haiku"},
    "auto mode": {
        **tool("Bash", "Read", command="echo auto", description="Say it"),
        "arguments": ("--permission-mode", "auto"),
    },
    "auto mode on haiku": {
        **tool("Bash", "Read", command="echo auto", description="Say it"),
        "arguments": ("--permission-mode", "auto"),
        "model": "haiku",
    },
    "effort low": {"arguments": ("--effort", "low")},
    "effort max": {"arguments": ("--effort", "max")},
    "effort low on haiku": {"arguments": ("--effort", "low"), "model": "haiku"},
    "no thinking": {"environment": {"MAX_THINKING_TOKENS": "0"}},
    "no tool search": {"environment": {"ENABLE_TOOL_SEARCH": "false"}},
    "no tool search on haiku": {"environment": {"ENABLE_TOOL_SEARCH": "false"}, "model": "haiku"},
    "no experimental betas": {"environment": {"CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1"}},
    "a system prompt": {"arguments": ("--system-prompt", "Be brief.")},
    "a system prompt appended": {"arguments": ("--append-system-prompt", "Be brief.")},
    "streamed output": {"arguments": (*STREAMED, "--include-partial-messages")},
    "a session forked": {"before": "the first time", "arguments": ("--continue", "--fork-session")},
    "a model changed on the way": {
        "before": script.reasoning("mine") + script.say("the first time"),
        "model": "haiku",
        "arguments": ("--continue",),
    },
    "a command of the project": {"prompt": "/greet everybody"},
    "/compact": {"before": "the first time", "prompt": "/compact", "arguments": ("--continue",)},
    "/compact on haiku": {
        "before": "the first time",
        "prompt": "/compact",
        "model": "haiku",
        "arguments": ("--continue",),
    },
    "/context": {"prompt": "/context"},
    "a hook": {"arguments": ("--settings", HOOKS)},
    "a hook that asks a model": {"arguments": ("--settings", PROMPT_HOOK, "--max-turns", "2")},
    "the plan's limit": {"prompt": script.limit()},
    "529": {"prompt": script.error(529, times=1), "environment": ONE_RETRY},
    "500 on haiku": {
        "prompt": script.error(500),
        "environment": ONE_RETRY,
        "model": "haiku",
    },
    "400": {"prompt": script.error(400, message="this field is wrong")},
    "throttled on haiku": {
        "prompt": script.error(429, "ThrottlingException", times=1),
        "environment": ONE_RETRY,
        "model": "haiku",
    },
    "an error in mid-stream": {"prompt": script.midstream(4), "environment": ONE_RETRY},
    "a stream that breaks off": {"prompt": script.abort(4), "environment": ONE_RETRY},
    "a refusal": {"prompt": script.stop("refusal")},
    "an answer that is cut": {"prompt": script.stop("max_tokens"), "environment": ONE_RETRY},
    "another model after 529": {
        "prompt": script.error(529, times=3),
        "arguments": ("--fallback-model", "haiku"),
    },
}
# In a terminal. Input before an answer's end may be lost, so each waits for that.
EMPTY = r"❯[^\n]*\n─"
ANSWER = r"stand-in: [\s\S]*(✻ |\? for shortcuts)"  # old versions have only the latter
HELLO = (("wait", EMPTY), ("type", "hello there"), ("wait", ANSWER))
LEAVE = (("type", "/exit"),)
ON_SCREEN: Mapping[str, dict[str, Any]] = {
    "terminal": {"screen": (*HELLO, *LEAVE), "is_main_job": True},
    "terminal on haiku": {"model": "haiku", "screen": (*HELLO, *LEAVE)},
    "terminal, /model haiku": {
        "screen": (
            *HELLO,
            ("type", "/model haiku"),
            ("wait", "Switch model|Set model"),
            ("insist", "Set model to"),
            ("type", "and again"),
            ("wait", rf"and again[\s\S]*{ANSWER}"),
            *LEAVE,
        )
    },
    "terminal, /compact": {
        "screen": (*HELLO, ("type", "/compact"), ("wait", "[Cc]ompacted|Error"), *LEAVE)
    },
    "terminal, /context": {"screen": (*HELLO, ("type", "/context"), ("wait", "tokens"), *LEAVE)},
    "terminal, plan mode": {
        "screen": (
            ("wait", EMPTY),
            ("press", "BTab"),
            ("press", "BTab"),
            *HELLO[1:],
            *LEAVE,
        )
    },
}
MAIN_JOB = {"bash", "read", "two turns", "resume"}


def situations() -> Iterator[Situation]:
    """Return all of them, in the order of recording."""
    yield Situation(name="opus", is_main_job=True)
    yield Situation(name="claude's own choice", model="")
    for name in (*ALIASES, *IDS):
        yield Situation(name=name, model=name, is_main_job=name in {"sonnet", "haiku"})
    for name, what in ON_BOTH.items():
        is_main_job = name in MAIN_JOB
        yield Situation(name=name, is_main_job=is_main_job, **what)
        slot = {"model": "haiku", "is_main_job": is_main_job}
        yield Situation(name=f"{name} on haiku", **{**what, **slot})
    for name, what in (*MORE.items(), *ON_SCREEN.items()):
        yield Situation(name=name, **what)


SITUATIONS = tuple(situations())
