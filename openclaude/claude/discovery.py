"""Which `claude` a launch runs.

Knows: OPENCLAUDE_CLAUDE and PATH. Must not depend on claude's arguments. Standard library only: it
runs at every launch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from openclaude.errors import ClaudeNotExecutable, ClaudeNotFound
from openclaude.paths import on_path


def find_claude(env: Mapping[str, str]) -> str:
    """The path of the `claude` to become: OPENCLAUDE_CLAUDE, or the first on PATH.

    Raises ClaudeNotFound (exit 127) or ClaudeNotExecutable (126).
    """
    named = env.get("OPENCLAUDE_CLAUDE", "")
    wanted = named or "claude"
    candidates = [wanted] if "/" in wanted else on_path(wanted, env.get("PATH", os.defpath))
    # os.path: a folder on PATH that may not be read has no claude for us, and is not an error
    found = [path for path in candidates if os.path.isfile(path) and not is_ourselves(path)]  # noqa: PTH113
    usable = next((path for path in found if os.access(path, os.X_OK)), "")
    if usable:
        return usable
    if found:
        raise ClaudeNotExecutable(
            f"`{found[0]}` is not executable", hint=f"run `chmod +x {found[0]}`"
        )
    where = (
        f"`{named}` (OPENCLAUDE_CLAUDE) is not a file" if named else "there is no `claude` on PATH"
    )
    raise ClaudeNotFound(
        where,
        hint="install Claude Code (`npm install -g @anthropic-ai/claude-code`), or set "
        "OPENCLAUDE_CLAUDE to its binary",
    )


def is_ourselves(path: str) -> bool:
    """Whether a `claude` is a link to openclaude, which would launch itself forever."""
    return os.path.realpath(path) == os.path.realpath(sys.argv[0])
