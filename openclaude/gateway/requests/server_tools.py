"""Recognises the tools of a request that Anthropic's servers run.

Knows: the types of Anthropic's server tools. Independent of: what happens to a request with such a
tool, which main (`routing.helpers`) and the guard decide. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

# The prefixes of the types; a date follows, which changes now and then.
SERVER_TOOLS = ("web_search", "web_fetch", "code_execution")


WEB_SEARCH = "web_search"


def is_web_search(kind: object) -> bool:
    """Tell by its type whether a tool searches the web."""
    return isinstance(kind, str) and kind.startswith(WEB_SEARCH)


def is_server_tool(tool: object) -> bool:
    """Tell by its type whether Anthropic runs a tool."""
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    return isinstance(kind, str) and kind.startswith(SERVER_TOOLS)
