"""claude's status line in a session of ours: our own, or the user's with true figures.

Knows: where claude takes a status line from, and that it runs it in a shell (measured with
2.1.330). Independent of: what the line says. Pure and standard library only: it runs at every
launch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaude.claude.launch import LaunchFacts

KEY = "statusLine"
# In seconds: the ledger has a request a moment after claude has drawn its answer, and time passes
REFRESHED = {"refreshInterval": 10}
MODULE = "openclaude.commands.ledger.statusline"


def status_line(facts: LaunchFacts, called: str) -> dict[str, Any]:
    """The setting for a launch, as a part of its settings; nothing where it must stay as it is.

    `called` is the command that prints our line; the user's own is its last argument.
    """
    managed = (source.values for source in facts.settings if source.kind == "managed")
    if any(KEY in values for values in managed):
        return {}  # an administrator's wins over ours
    others = (source.values for source in facts.settings if source.kind != "managed")
    theirs: Any = next((one[KEY] for one in (facts.own_settings, *others) if one.get(KEY)), {})
    if not isinstance(theirs, Mapping) or theirs.get("type", "command") != "command":
        return {}
    command = theirs.get("command")
    if theirs and not isinstance(command, str):
        return {}
    whole = f"{called} {in_shell(command)}" if isinstance(command, str) else called
    return {KEY: {**(theirs or REFRESHED), "type": "command", "command": whole}}


def line_command(python: str, package: str, profile: str, folder: str) -> str:
    """The command that prints our line. `package`: where Python finds us, if not by itself.

    Not `-m`, which takes milliseconds; isolated, so that no variable of the user's changes it.
    """
    path = f"sys.path[:0]=[{package!r}];" if package else ""
    code = f"import sys;{path}from {MODULE} import main;main()"
    return " ".join(map(in_shell, (python, "-I", "-c", code, profile, folder)))


def in_shell(text: str) -> str:
    """A text as one word of a shell."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
