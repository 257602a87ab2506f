"""Stacks that silently fell back to something worse, found by their logs.

Knows: the message of a supervisor that gives up on its forkserver. A test with such a stack would
pass all the same, so whoever creates stacks looks here when they end.
"""

from __future__ import annotations

from pathlib import Path

from openclaude.run.supervisor.forkserver import GIVEN_UP


def fallbacks(folder: Path) -> list[str]:
    """Return the log lines of supervisors in a folder about instances that could not be forked."""
    logs = (path for path in folder.rglob("supervisor.log*") if path.is_file())
    return [str(path) for path in logs if GIVEN_UP in path.read_text(errors="replace")]
