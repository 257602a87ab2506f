"""Questions to the user, which are asked only on a terminal.

Knows: how a prompt looks. Independent of: what is asked. Prompts go to stderr, so that stdout stays
the result of the command.
"""

from __future__ import annotations

import sys


def is_attended() -> bool:
    """Whether there is a terminal to ask on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def tell(text: str) -> None:
    """Print lines beside a prompt."""
    sys.stderr.write(text)
    sys.stderr.flush()


def ask(question: str, default: str) -> str:
    """The answer, or the default for Enter alone. Raises KeyboardInterrupt at the end of input."""
    tell(f"{question} [{default}]: " if default else f"{question}: ")
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        tell("\n")
        raise
    if not line:  # Ctrl-D
        tell("\n")
        raise KeyboardInterrupt
    return line.strip() or default


def confirm(question: str) -> bool:
    """Whether the answer is yes; Enter alone is no."""
    return ask(f"{question} (yes or no)", "no").lower() in {"y", "yes"}
