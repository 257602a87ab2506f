"""A line of a log: time, level, text; what goes on in further lines is marked as such.

Knows: the form, which the process that logs writes and `openclaude logs` reads. Independent of:
files, who logs what.
"""

from __future__ import annotations

import re
import time

CONTINUED = "    | "  # begins the further lines of an entry, such as a traceback's
LONGEST_ENTRY = 64 * 1024  # characters
LINE = re.compile(r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ |    \| )")
HIDDEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z DEBUG ")
OUTPUT = "OUTPUT"  # in place of a level: what a library printed


def stamp(seconds: float) -> str:
    """A time as ISO 8601 has it, UTC, to the millisecond."""
    whole = int(seconds)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{text}.{int((seconds - whole) * 1000):03}Z"


def log_entry(at: float, level: str, text: str) -> str:
    """An entry of one or several lines, the last with its end."""
    if len(text) > LONGEST_ENTRY:
        text = f"{text[:LONGEST_ENTRY]}\n... {len(text) - LONGEST_ENTRY} more characters"
    first, *further = text.rstrip("\n").split("\n")
    rest = "".join(f"{CONTINUED}{line}\n" for line in further)
    return f"{stamp(at)} {level} {first}\n{rest}"


def is_detail(line: str) -> bool:
    """Whether a line is only of use to who looks for a bug: a traceback's, or of level DEBUG."""
    return line.startswith(CONTINUED) or HIDDEN.match(line) is not None


def bare(lines: str) -> str:
    """Lines without times, levels and marks: what was said."""
    return "\n".join(
        line[found.end() :] if (found := LINE.match(line)) else line for line in lines.split("\n")
    )
