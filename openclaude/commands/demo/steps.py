"""What the demo is doing, on stderr while it does it: it takes 10 to 40 seconds.

Knows: the two ways to show a step. Must not depend on which steps there are. Nothing of it goes to
stdout, which is the demo's result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from openclaude.output import progress, ticking, write_to_stderr


class Steps(NamedTuple):
    """On a terminal one line that the next step replaces; elsewhere a line for each step."""

    is_live: bool

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show `what` while the block runs, and what the block reports to be waiting for."""
        if not self.is_live:
            write_to_stderr(f"demo: {what}\n")
            yield lambda _detail: None
            return
        latest = ""

        def note(detail: str) -> None:
            nonlocal latest
            latest = detail

        with progress(f"demo: {what}") as say, ticking(lambda _nothing: say(latest)):
            yield note


def find_steps(env: Mapping[str, str]) -> Steps:
    """How steps are shown on this process's stderr."""
    return Steps(is_live=sys.stderr.isatty() and env.get("TERM") != "dumb")
