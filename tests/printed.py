"""The commands that openclaude prints in backticks, to be typed: found in its source.

Knows: how texts are written in a source file. Independent of: what a command does.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tests.conftest import REPOSITORY

COMMAND = re.compile(r"`([a-z]+ [^`]+)`")
HOLE = re.compile(r"\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}")
# a setting in backticks
SETTING = re.compile(r"\S+ = ")


# what is filled in, where any word would not do
FILLED = {
    "{dotted(key)}": "listen.port",
    "{example}": "4000",
    "{key_of(state.budget)}": "budget.day",
    "{state.budget.dollars}": "5.00",
    "{option}": "--today",
    "{' '.join(arguments)}": "profiles list",
    "{EPHEMERAL}": "--ephemeral",
    "{meant}": "status",
    "{command}": "requests",
    "{keys}": "people.keys",
    "{person}": "mine",
    "{person.name}": "mine",
    "{limit}": "day",
    "{plan.profile}": "mine",
    "{slot.tier}": "haiku",
    "{quote(first)}": "statsu",
    "{first}": "status",
    "{rest[0]}": "statsu",
    "{'managed-settings'}": "managed-settings",
}
# words in capitals, of a person's own
OWN = {
    **{"DOLLARS": "5.00", "PORT": "4100", "MODEL": "claude", "REGION": "us-west-2"},
    **{
        "KEY=": "tiers.haiku.api_key=",
        "https://HOST": "https://example.com",
        "PATH": "/x",
        "FILE": "people.keys",
    },
    **{"NAME": "mine", "COMMAND": "status", "TIER": "haiku", "WORD": "word"},
}


@cache
def printed_commands() -> dict[str, set[str]]:
    """Return each command with the files that print it; `{...}` stands for what is filled in."""
    found: dict[str, set[str]] = {}
    for path in sorted((REPOSITORY / "openclaude").rglob("*.py")):
        for text in texts_of(path):
            for command in COMMAND.findall(text):
                if not SETTING.match(command):
                    found.setdefault(command, set()).add(str(path.relative_to(REPOSITORY)))
    return found


def texts_of(path: Path) -> list[str]:
    """Return the texts of a module, except docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(part) for node in ast.walk(tree) for part in parts_of(node)}
    return [
        said
        for node in ast.walk(tree)
        if id(node) not in skipped and (said := text_of(node)) is not None
    ]


def parts_of(node: ast.AST) -> list[ast.AST]:
    """Return what is a docstring, or a part of a longer text."""
    if isinstance(node, ast.JoinedStr):
        return [*node.values]
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        first = node.body[0] if node.body else None
        return [first.value] if isinstance(first, ast.Expr) else []
    return []


def text_of(node: ast.AST) -> str | None:
    """Return a literal's text, with `{expression}` for what is filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    return "".join(
        str(one.value)
        if isinstance(one, ast.Constant)
        else f"{{{ast.unparse(one.value)}}}"
        if isinstance(one, ast.FormattedValue)
        else ""
        for one in node.values
    )


def filled(command: str) -> str:
    """Return a printed command as a person types it."""
    for hole in HOLE.findall(command):
        command = command.replace(hole, FILLED.get(hole, "qwen"))
    for word, own in OWN.items():
        command = command.replace(word, own)
    return command
