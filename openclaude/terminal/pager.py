"""Long output in the user's pager, as git does it.

Knows: PAGER, what less needs. Independent of: what is shown.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from typing import IO

from openclaude.terminal.screen import is_dumb

USUAL_PAGER = "less"
NONE = {"", "cat"}
# unless the user says otherwise: leave what fits on the screen there, let colours through
LESS = {"LESS": "FRX", "LV": "-c"}
NOT_FOUND = {126, 127}  # the shell's words for it


def pager_for(text: str, stream: IO[str], env: Mapping[str, str]) -> str:
    """The pager for `text` on a stream; "" where none is wanted.

    None is wanted in a pipe, on a terminal that only prints, and for what fits on the screen.
    """
    pager = env.get("PAGER", USUAL_PAGER).strip()
    if pager in NONE or not stream.isatty() or is_dumb(env):
        return ""
    try:
        height = os.get_terminal_size(stream.fileno()).lines
    except (OSError, ValueError):
        return ""
    return pager if 0 < height <= text.count("\n") else ""


def show_in_pager(text: str, pager: str, env: Mapping[str, str]) -> bool:
    """Let the pager show `text`; whether it did. It may end before it has read everything.

    The shell runs it, since PAGER may hold options and quotes; it is the user's own.
    """
    # Ctrl-C is the pager's: a handler, unlike SIG_IGN, is not inherited by it
    before = signal.signal(signal.SIGINT, leave_to_pager)
    try:
        process = subprocess.Popen(
            ("/bin/sh", "-c", pager), stdin=subprocess.PIPE, env={**LESS, **env}
        )
        with contextlib.suppress(BrokenPipeError):
            process.communicate(text.encode("utf-8", "replace"))
        return process.wait() not in NOT_FOUND
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)


def leave_to_pager(*_: object) -> None:
    """Do nothing: the pager has got the same Ctrl-C."""
