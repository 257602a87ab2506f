"""What happens when openclaude itself is wrong: a report a person can paste.

Knows: tracebacks and where reports go. Refuses to know: how to go on; nobody does.
"""

from __future__ import annotations

import platform
import traceback
from collections.abc import Mapping, Sequence

from openclaude import __version__
from openclaude.errors import OpenclaudeError
from openclaude.places import find_places
from openclaude.run.files import private_folder, write_private


def report_crash(error: Exception, arguments: Sequence[str], env: Mapping[str, str]) -> str:
    """Write the report to the state directory and say so; the text for stderr.

    Only the number of claude's arguments is told: they may be a person's own words.
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
