"""Bugs of openclaude: writes a report that the user can paste into an issue.

Knows: tracebacks and where reports go. Independent of: recovery; there is none.
"""

from __future__ import annotations

import platform
import traceback
from collections.abc import Mapping, Sequence

from openclaude import __version__
from openclaude.errors import OpenclaudeError
from openclaude.files import private_folder, write_private
from openclaude.paths import find_places


def report_crash(error: Exception, arguments: Sequence[str], env: Mapping[str, str]) -> str:
    """Write the report to the state directory and say so; the text for stderr.

    Only the number of claude's arguments is reported: they may be private.
    """
    trace = "".join(traceback.format_exception(error))
    text = (
        f"# openclaude {__version__} crashed\n\n"
        f"* Python {platform.python_version()} on {platform.platform()}\n"
        f"* {len(arguments)} arguments\n\n```\n{trace}```\n"
    )
    said = f"error: openclaude has a bug: {type(error).__name__}: {error}\n"
    path = find_places(env).state / "crash.md"
    try:
        write_private(private_folder(path.parent) / path.name, text)
    except OpenclaudeError as unwritable:
        return f"{trace}\n{said}\nhint: report the lines above ({unwritable.message})\n"
    return f"{said}\nhint: a report to paste into an issue is in `{path}`\n"
