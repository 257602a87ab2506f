"""The commands that openclaude prints in backticks, to be typed: found in its source.

Knows: how texts are written in a source file. Independent of: what a command does.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.conftest import REPOSITORY

COMMAND = re.compile(r"`([a-z]+ [^`]+)`")
HOLE = re.compile(r"\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}")
# a setting in backticks
SETTING = re.compile(r"\S+ = ")


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
