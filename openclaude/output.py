"""Output on stdout and stderr: results, errors, progress, the JSON envelope.

Knows: how things look. Independent of: what they mean.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from openclaude import __version__
from openclaude.contracts.printable import printable
from openclaude.errors import OpenclaudeError
from openclaude.terminal.screen import USUAL, is_dumb, paint, width_of
from openclaude.terminal.tables import table as table  # for commands that give it no screen yet
from openclaude.terminal.tables import wrap_text

ENVELOPE_VERSION = 1


class Result(NamedTuple):
    """The result of a command: printed as `text`, or as `data` with `--json`."""

    text: str = ""
    data: Mapping[str, object] = {}
    exit_code: int = 0
    errors: tuple[Mapping[str, object], ...] = ()
    is_long: bool = False  # shown in the user's pager if it does not fit on the screen


def envelope(command: Sequence[str], result: Result) -> str:
    """The one versioned JSON document that `--json` prints, errors included."""
    document = {
        "openclaude_json": ENVELOPE_VERSION,
        "openclaude": __version__,
        "command": list(command),
        "status": "ok" if result.exit_code == 0 else "error",
        "exit_code": result.exit_code,
        "data": dict(result.data),
        "errors": [dict(error) for error in result.errors],
    }
    return json.dumps(document, indent=2, sort_keys=False) + "\n"


def error_text(error: OpenclaudeError, *, colour: bool) -> str:
    """`error:`, blank line, `hint:`: the one shape of every failure on stderr."""
    text = f"{paint('error:', '31;1', colour=colour)} {printable(error.message)}\n"
    if error.hint:
        text += f"\n{paint('hint:', '36;1', colour=colour)} {printable(error.hint)}\n"
    return text


PROGRESS_AFTER_S = 0.3  # what is over sooner needs no word
CLEARED = "\r\x1b[K"  # back to the start of an empty line


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """A line on stderr that shows long work, on a terminal only; gone when it is done.

    The block is given a function to call now and then with what it waits for.
    """
    began = time.monotonic()
    shown = ""
    only_prints = is_dumb(os.environ)

    def say(detail: str) -> None:
        nonlocal shown
        passed = time.monotonic() - began
        line = f"{what} {detail} ({passed:.0f} s)".replace("  ", " ")
        if passed < PROGRESS_AFTER_S or line == shown or not sys.stderr.isatty():
            return
        if only_prints:  # a line that stays, once
            write_to_stderr("" if shown else f"{what} ...\n")
        else:
            # a line that wraps cannot be cleared
            width = width_of(sys.stderr) or USUAL
            write_to_stderr(CLEARED + wrap_text(printable(line), width - 1)[0])
        shown = line

    try:
        yield say
    finally:
        if shown and not only_prints:
            write_to_stderr(CLEARED)


def write_to_stderr(text: str) -> None:
    """Write to stderr; a terminal that has closed is not an error."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        # for what is still to be written, or the interpreter would end with 120 in our place
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


@contextmanager
def ticking(say: Callable[[str], None]) -> Iterator[None]:
    """Call `say` four times a second while the block waits for one long answer."""
    import threading

    over = threading.Event()

    def tick() -> None:
        while not over.wait(0.25):
            say("")

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
