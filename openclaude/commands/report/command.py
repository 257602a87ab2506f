"""`openclaude report`: one Markdown page for a bug report, shown before it is written.

Knows: when it is written, and how. Independent of: what is on the page (`page`).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from openclaude.commands.help_page import (
    CLAUDE,
    CONFIG,
    PROFILE,
    STATE,
    HelpPage,
    add_json,
    add_page,
    add_profile,
)
from openclaude.commands.report.page import report_page
from openclaude.contracts.printable import printable
from openclaude.errors import OpenclaudeError
from openclaude.output import Result, progress, ticking
from openclaude.paths import Places, working_folder
from openclaude.prompt import confirm, is_attended, tell

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
PAGE = HelpPage(
    text="""\
Print one Markdown page for a bug report: versions, what `doctor` found, the
profile, the proxies, the last errors. It contains no credential, no prompt, no
answer and not your name; directories begin with `~`. You see it before it is
written; read it before you send it.""",
    examples=("openclaude report", "openclaude report qwen --out report.md"),
    variables=(*PROFILE, *CLAUDE, *CONFIG, *STATE),
    docs="docs/usage.md",
)


class ReportNotWritten(OpenclaudeError):
    """The file of a report cannot be written."""

    code = "report-not-written"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_page(parser, PAGE)
    add_profile(parser)
    parser.add_argument("--out", metavar="FILE", help="write it to this new file, without asking")
    parser.add_argument("--yes", action="store_true", help="write it without asking")
    add_json(parser)


def run(arguments: argparse.Namespace, places: Places, env: Mapping[str, str]) -> Result:
    """Show the page, and write it where that was asked for. Raises ReportNotWritten."""
    with progress("looking") as say, ticking(say):
        text = printable(report_page(arguments.profile, places, env, working_folder()))
    file = Path(arguments.out or time.strftime("openclaude-report-%Y%m%d-%H%M%S.md"))
    is_wanted = bool(arguments.out) or arguments.yes
    if not is_wanted and not arguments.json and is_attended():
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        if not confirm(f"Write this to `{file}`?"):
            return Result()
        write_new_file(file, text)
        tell(f"written to `{file}`\n")
        return Result()
    if is_wanted:
        write_new_file(file, text)
    elif not arguments.json:
        tell("not written to a file: add `--out FILE` or `--yes`\n")
    data = {"text": text, "file": str(file) if is_wanted else None}
    return Result(text=text, data=data)


def write_new_file(path: Path, text: str) -> None:
    """Write a file that is not there yet, 0600. Raises ReportNotWritten."""
    try:
        descriptor = os.open(path, NEW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ReportNotWritten(
            f"cannot write `{path}`: {why}", hint="name a new file with `--out FILE`"
        ) from error
