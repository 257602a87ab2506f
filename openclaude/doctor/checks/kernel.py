"""The kernel: whether it can confine what serves Claude's requests, and what it allows at most.

Knows: what is missing without it. Must not depend on the stack: the kernel is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.snapshot.world import World

FEW_FILES = 256  # a stack with twenty open streams needs 100


def check_open_files(world: World) -> Iterator[Diagnostic]:
    """A limit of open files that a busy stack reaches."""
    allowed, most = world.open_files
    if 0 <= allowed < FEW_FILES:
        can = most < 0 or most >= FEW_FILES
        yield Diagnostic(
            code="few-open-files",
            severity=Severity.WARNING,
            message=f"this shell allows {allowed} open files",
            why="the proxies inherit the limit: a launch, or one of many streams, may be refused",
            fix=f"run `ulimit -n {min(most, 4096) if most > 0 else 4096}` before openclaude"
            if can
            else "raise the limit of open files for your user (nofile in "
            "/etc/security/limits.conf, --ulimit of a container)",
        )


def check_kernel(world: World) -> Iterator[Diagnostic]:
    """A note where `main` is not confined although this is Linux."""
    if world.is_confinable is False:
        yield Diagnostic(
            code="no-landlock",
            severity=Severity.NOTE,
            message="this kernel has no Landlock, or it is switched off",
            why="`main` could write files and open connections as your own programs can; "
            "everything else is as it should be",
            fix="use Linux 5.13 or later, with `landlock` in /sys/kernel/security/lsm; containers "
            "may forbid it",
        )
