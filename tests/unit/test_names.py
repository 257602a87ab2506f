"""One name, one meaning, as far as a name can be seen without its module."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.conftest import REPOSITORY
from tests.unit.source import parsed

PACKAGE = REPOSITORY / "openclaude"
PATHS = {
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
# the same for two APIs: a stand-in uses only its own, and both mean the same by it
TWINS = {
    name: {f"openclaude.standins.{cloud}.reply" for cloud in ("anthropic", "bedrock")}
    for name in ("answer", "error_reply", "scripted_error")
}


def test_no_two_classes_have_the_same_name() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for module, path in PATHS.items():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                places[node.name].add(f"{module}:{node.lineno}")
    twice = {name: sorted(found) for name, found in places.items() if len(found) > 1}

    assert twice == {}


def test_no_two_functions_that_leave_their_module_have_the_same_name() -> None:
    """A function that is only used in its module, or as `module.name`, needs no unique name."""
    imported = {
        (node.module, alias.name)
        for path in PATHS.values()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    places: dict[str, set[str]] = defaultdict(set)
    for module, path in PATHS.items():
        own = {
            node.name
            for node in parsed(path).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for name in own:
            if (module, name) in imported:
                places[name].add(module)
    twice = {name: found for name, found in places.items() if len(found) > 1}

    assert {name: found for name, found in twice.items() if found != TWINS.get(name)} == {}
