"""What the user's own programs find that claude runs in its Bash tool: his key, not our address.

Knows: which variables a launch empties or replaces for claude, and that a SessionStart hook can
give a session's shell others (CLAUDE_ENV_FILE; measured with 2.1.330). Independent of: disk. Pure.

A value is passed in a variable of another name, which claude does not read; no file has it. Its
MCP servers and hooks do not read CLAUDE_ENV_FILE, so they go without.
"""

from __future__ import annotations

from typing import Any

from openclaude.claude.launch import LaunchFacts, effective

KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
# where a program with that key has to ask; the user's own, or nothing
ADDRESSES = ("ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS")
OUTER = "OPENCLAUDE_OUTER_"


def outer_values(facts: LaunchFacts) -> dict[str, str]:
    """The user's own values, by variable; empty where he has no key, and nothing is missed."""
    found = {name: effective(facts, name) for name in (*KEYS, *ADDRESSES)}
    if not any(found[name] for name in KEYS):
        return {}
    return {name: value for name, value in found.items() if value}


def outer_environment(values: dict[str, str]) -> dict[str, str]:
    """The variables of claude's process by which they reach its tools."""
    return {f"{OUTER}{name}": value for name, value in values.items()}


def with_hook(settings: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """Claude's settings with the hook that brings them back; the user's own hooks stay."""
    if not values:
        return settings
    lines = [f'export {name}="${OUTER}{name}"' for name in values]
    lines.append(f"unset {' '.join(name for name in (*KEYS, *ADDRESSES) if name not in values)}")
    command = "printf '%s\\n' " + " ".join(f"'{line}'" for line in lines)
    hook = {"type": "command", "command": f'{command} >>"$CLAUDE_ENV_FILE"'}
    hooks = settings.get("hooks")
    own = hooks if isinstance(hooks, dict) else {}
    started = own.get("SessionStart")
    rows = started if isinstance(started, list) else []
    return {**settings, "hooks": {**own, "SessionStart": [*rows, {"hooks": [hook]}]}}
