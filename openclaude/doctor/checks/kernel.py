"""The kernel: whether it can confine what serves Claude's requests.

Knows: what is missing without it. Must not depend on the stack: the kernel is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator

from openclaude.diagnostics import Diagnostic, Severity
from openclaude.doctor.snapshot.world import World


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
