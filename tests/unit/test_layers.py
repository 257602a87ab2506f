"""Imports point one way: the table of docs/architecture.md, held here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "openclaude"

# room -> what of ours it may import; a room may always import itself
ALLOWED = {
    "errors": set(),
    "__init__": set(),
    "output": {"__init__", "errors"},
    "places": set(),
    "profile": {"errors"},
    "aws": {"errors", "profile"},
    "compile": {"errors", "profile"},
    "facts": {"errors", "compile"},
    "facts_aws": {"facts"},
    "doctor": {
        *("__init__", "errors", "places", "facts", "facts_aws", "aws_faults", "compile", "profile"),
        *("run", "gateway.reply_sentence", "aws.policy"),
    },
    "run": {"__init__", "errors", "compile.plan"},
    "gateway": {"errors", "aws_faults"},
    "aws_faults": set(),
    "standins": set(),
    "crash": {"__init__", "errors", "places", "run"},
    "cli": {"errors", "output", "places", "profile", "commands", "crash"},
    "__main__": {"cli"},
}
# pure: what they import from outside
NO_WORLD = {"os", "socket", "subprocess", "psutil", "tempfile", "signal", "time", "shutil"}
LIGHT = (
    *("compile/plan.py", "compile/merge.py", "facts.py", "places.py", "errors.py"),
    *("facts_aws.py", "aws_faults.py", "doctor/aws_profiles.py"),
)
HEAVY = {"pydantic", "tomlkit", "yaml", "litellm", "psutil", "asyncio", "dataclasses", "importlib"}


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever in it, but for type checking only."""
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unread = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in unread:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(node.module or "")
            if node.module in {"openclaude", "openclaude.run", "openclaude.compile"}:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def layered() -> list[Path]:
    """Every module but those of `commands`, which may import every room."""
    return [path for path in sources() if path.parent.name != "commands"]


@pytest.mark.parametrize("path", layered(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    allowed = ALLOWED[own]
    for module in imports(path):
        if module.partition(".")[0] != "openclaude":
            continue
        there = room(module)
        exact = module.removeprefix("openclaude.")
        assert (
            there == own
            or there in allowed
            or any(exact == name or exact.startswith(f"{name}.") for name in allowed if "." in name)
            or (module in {"openclaude", "openclaude.__version__"} and "__init__" in allowed)
            or exact == "compile"
        ), f"{path} imports {module}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "compile").glob("*.py")), ids=lambda p: p.name)
def test_compile_reaches_nothing_outside_itself(path: Path) -> None:
    assert not {module.partition(".")[0] for module in imports(path)} & NO_WORLD


@pytest.mark.parametrize("name", LIGHT)
def test_what_a_warm_launch_reads_is_light(name: str) -> None:
    tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
    top = {
        alias.name.partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
    }

    assert not top & HEAVY


def test_every_module_says_what_it_knows() -> None:
    unsaid = [
        str(path.relative_to(PACKAGE))
        for path in sources()
        if path.name not in {"__init__.py", "__main__.py"}
        and "Knows:" not in (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
    ]

    assert unsaid == []


def test_no_module_is_longer_than_a_person_reads_in_one_go() -> None:
    long = [
        str(path.relative_to(PACKAGE))
        for path in sources()
        if len(path.read_text(encoding="utf-8").splitlines()) > 350
    ]

    assert long == []
