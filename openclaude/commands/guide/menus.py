"""Questions with arrow keys: menus, a list that is searched by typing, secrets without echo.

Knows: questionary, which is imported here alone. Independent of: what is asked. Everything is drawn
on stderr, since stdout is for results. Each raises KeyboardInterrupt for Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import questionary
from prompt_toolkit.output import ColorDepth, create_output


class Choice(NamedTuple):
    """One line of a menu."""

    title: str
    value: Any


def pick(question: str, choices: Sequence[Choice], *, searched: bool = False) -> Any:
    """The value of the chosen line; the first is chosen by Enter alone."""
    lines = [
        questionary.Choice(fitted(one.title), value=number) for number, one in enumerate(choices)
    ]
    chosen = questionary.select(
        question,
        choices=lines,
        use_search_filter=searched,
        use_jk_keys=False,
        instruction="(type to search)" if searched else "(arrow keys, Enter)",
        **drawn(),
    ).unsafe_ask()
    return choices[chosen].value


def agree(question: str) -> bool:
    """Whether the answer is yes; Enter alone is yes."""
    return bool(questionary.confirm(question, default=True, **drawn()).unsafe_ask())


def text(question: str, default: str) -> str:
    """A line of text."""
    return str(questionary.text(question, default=default, **drawn()).unsafe_ask()).strip()


def secret(question: str) -> str:
    """A line that is not shown."""
    return str(questionary.password(question, **drawn()).unsafe_ask()).strip()


def fitted(title: str) -> str:
    """A title that fits on one line of the terminal, behind the arrow."""
    width = max(20, columns() - 5)
    return title if len(title) <= width else title[: width - 3] + "..."


def columns() -> int:
    """The width of the terminal that the menus are drawn on."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def drawn() -> dict[str, Any]:
    """Where menus are drawn, and with which colours."""
    plain = {"color_depth": ColorDepth.DEPTH_1_BIT} if os.environ.get("NO_COLOR") else {}
    return {"output": create_output(stdout=sys.stderr), **plain}
