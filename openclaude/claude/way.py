"""The way a launch has come: programs named `claude` that start openclaude again.

Knows: a variable that tells the next openclaude which programs lead back to it. Independent of: how
one is found; exec. A link to openclaude is recognised by where it leads; a script is not, and would
start openclaude, which starts the script, without end.

The variable holds a line for each such program: the process that became it, and its path. It counts
for that process and those it has started. claude itself is told to forget it (the `env` of its
settings), so that what runs in a session knows nothing of it.

A script may clear its environment where its own text does not show it, in a file that it sources.
What it hands on nevertheless is what it has open: a script gets a mark in memory, whose name says
what it is. What runs in a session has the variable, if only as an empty one, and no use for a mark.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Mapping

WAY = "OPENCLAUDE_WAY"
LARGEST_WRAPPER = 32 * 1024 * 1024  # bytes; claude's own binary has ten times that
MARK = "openclaude-way"  # the name of what a script has open
MARK_AT = 200  # a descriptor that no script takes for its own files
LARGEST_MARK = 64 * 1024  # bytes
MAYBE = "?"  # said by a launch that cannot tell claude to forget

# whether the process (pid, start time) is this one: None; one above it: True; else False
IsAbove = Callable[[int, str], bool | None]


def passed(env: Mapping[str, str], is_above: IsAbove) -> tuple[str, ...]:
    """The programs through which this process has come back to openclaude."""
    if WAY not in env:
        return read_marks()
    maybe: list[str] = []
    found: list[str] = []
    for line in env.get(WAY, "").splitlines():
        who, _, path = line.partition(" ")
        pid, _, started = who.rstrip(MAYBE).partition("-")
        relation = (
            is_above(int(pid), started) if path and pid.isascii() and pid.isdigit() else False
        )
        if relation is False:
            continue
        # A claude that was not told to forget may have started us: it is asked once more
        is_sure = relation is None or not who.endswith(MAYBE) or path in maybe
        (found if is_sure else maybe).append(path)
    return tuple(dict.fromkeys(found))


def read_marks() -> tuple[str, ...]:
    """The scripts whose marks this process has open, which it hands on no further (Linux)."""
    found: list[str] = []
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - every launch looks
            with contextlib.suppress(OSError):  # the folder's own
                if MARK in os.readlink(f"/proc/self/fd/{name}"):  # noqa: PTH115 - no path
                    os.set_inheritable(int(name), False)
                    found += os.fsdecode(os.pread(int(name), LARGEST_MARK, 0)).split("\n")
    return tuple(dict.fromkeys(found))


def leave_mark(path: str) -> tuple[int, ...]:
    """Open a mark for the program at `path`, if it is a script: a descriptor that is inherited."""
    if not hasattr(os, "memfd_create"):
        return ()
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - every launch looks
            if file.read(2) != b"#!":
                return ()
        descriptor = os.memfd_create(MARK)
        os.write(descriptor, os.fsencode("\n".join((*read_marks(), path))))
        marked = fcntl.fcntl(descriptor, fcntl.F_DUPFD, MARK_AT)
        os.close(descriptor)
    except OSError:  # a limit of descriptors, an old kernel: then there is none
        return ()
    return (marked,)


def marked_environment(
    env: Mapping[str, str], path: str, who: tuple[int, str], *, forgets: bool
) -> dict[str, str]:
    """The environment for the program at `path`, which `who` becomes or starts.

    `forgets`: claude is told to forget the variable. claude's own binary needs no mark.
    """
    try:
        is_wrapper = os.stat(path).st_size < LARGEST_WRAPPER  # noqa: PTH116 - Path takes longer
    except OSError:
        is_wrapper = False  # to run it will fail as well
    if not is_wrapper:
        return {name: value for name, value in env.items() if name != WAY}
    line = f"{who[0]}-{who[1]}{'' if forgets else MAYBE} {path}"
    return {**env, WAY: "\n".join((*env.get(WAY, "").splitlines(), line))}
