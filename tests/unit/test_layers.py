"""Imports point one way: the exact form of the table in docs/architecture.md."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.unit.source import parsed

PACKAGE = REPOSITORY / "openclaude"

# folder -> what of ours it may import, by prefix; a folder may always import itself and what is in
# it, and the longest name that is a prefix of a module is its folder
ALLOWED = {
    "": set(),
    "__main__": {"cli"},
    "aws": {"contracts", "diagnostics", "errors", "files", "paths", "providers"},
    "claude": {"contracts", "diagnostics", "errors", "paths"},
    "cli": {"errors", "interrupt", "output", "own_path", "paths", "commands", "crash", "terminal"},
    "commands": {
        *(
            "",
            "diagnostics",
            "errors",
            "files",
            "litellm_version",
            "output",
            "paths",
            "plan_cache",
            "program",
            "prompt",
            "terminal",
            "contracts",
            "providers",
        ),
        *(
            "aws",
            "claude",
            "compile",
            "doctor",
            "export",
            "ledger",
            "models",
            "profile",
            "run",
            "standins",
        ),
    },
    "commands.registry": set(),
    "compatibility": set(),
    "compile": {"contracts", "errors", "models", "profile", "providers"},
    "contracts": set(),
    "crash": {"", "errors", "files", "paths"},
    "diagnostics": {"contracts.record"},
    "doctor": {
        *("aws.endpoints", "aws.faults", "aws.online", "contracts", "diagnostics"),
        *("gateway.errors", "gateway.http.proxies", "gateway.http.way_out", "models.catalog"),
        *("profile.validate.bedrock", "run.os.processes", "run.worker.certificates"),
        *("gateway.team.trust", "providers.bedrock", "run.worker.secrets"),
    },
    "doctor.checks": {
        *("", "aws.endpoints", "aws.profile_check", "aws.sections", "claude.launch"),
        "claude.pins",
        *("claude.login", "contracts", "diagnostics"),
        *("compatibility", "doctor.snapshot.world", "litellm_version"),
    },
    "doctor.snapshot": {
        *(
            "",
            "aws.endpoints",
            "aws.files",
            "aws.locations",
            "claude",
            "compile",
            "contracts",
            "diagnostics",
        ),
        *("compatibility", "errors", "files", "litellm_version", "models.catalog", "paths"),
        *("ledger.recording", "own_path", "profile.library", "program"),
        *("profile.names", "profile.validate.warnings", "run.launcher.listeners", "run.stack"),
        *("run.os.confinement", "run.os.processes"),
    },
    "errors": {"diagnostics"},
    "export": {
        *("contracts.plan", "contracts.references", "contracts.routing", "contracts.worker"),
        "errors",
    },
    "files": {"errors"},
    "interrupt": set(),
    "gateway": {"", "aws.faults", "contracts", "errors", "ledger", "providers.table"},
    "gateway.copies": set(),
    "gateway.counting": {
        *("contracts", "gateway.http", "gateway.requests", "gateway.routing.forwarded"),
    },
    "gateway.errors": {"aws.faults", "contracts", "gateway.http"},
    "gateway.http": {"contracts"},
    "gateway.late": set(),
    "gateway.litellm": {
        *("aws.credentials", "aws.endpoints", "contracts", "gateway.copies", "gateway.http"),
        "gateway.late",
    },
    "gateway.replies": {"gateway.http", "gateway.requests"},
    "gateway.requests": {"contracts", "errors", "providers"},
    "gateway.routing": {
        *("contracts", "gateway.errors", "gateway.http", "gateway.requests.server_tools"),
        *("gateway.replies.whole_reply", "ledger.spending"),
        *("gateway.requests.turns", "ledger.entry", "ledger.failures", "ledger.recording"),
        *("gateway.requests.shape", "gateway.requests.signatures"),
    },
    "gateway.telemetry": {"contracts", "gateway.http.asgi", "ledger.entry"},
    "gateway.vision": {
        *("contracts.routing", "gateway.http", "gateway.requests.shape", "gateway.routing"),
    },
    "models": {"contracts", "errors", "providers"},
    "output": {"", "contracts.printable", "errors", "terminal"},
    "ledger": {"contracts"},
    "litellm_version": {"errors"},
    "own_path": set(),
    "paths": {"errors"},
    "plan_cache": {
        *("", "compile", "contracts", "files", "litellm_version", "models", "paths"),
        "program",
        *("profile.library", "profile.read.loaded", "run.stack.folder", "run.stack.places"),
    },
    "profile": {"contracts", "diagnostics", "errors", "models", "paths", "providers"},
    "profile.author": {
        "contracts.printable",
        *("contracts.references", "diagnostics", "errors", "profile.library", "profile.names"),
        *(
            "profile.read",
            "profile.schema",
            "profile.toml",
            "profile.validate.schema_errors",
            "profile.values",
        ),
    },
    "profile.read": {
        *("diagnostics", "errors", "profile.mistakes", "profile.names", "profile.schema"),
        *("profile.toml.scanner", "profile.values", "providers.regions"),
    },
    "profile.toml": {"diagnostics"},
    "profile.validate": {
        *("contracts.references", "diagnostics", "errors", "models"),
        *("profile.mistakes", "profile.names", "profile.read", "profile.schema"),
        *("profile.values", "providers"),
    },
    "program": {"errors"},
    "prompt": set(),
    "providers": {"contracts", "errors"},
    "run": set(),
    "run.holder": {"contracts", "run.os", "run.stack", "run.supervisor"},
    "run.launcher": {"", "contracts", "errors", "files", "run.os", "run.stack"},
    "run.os": set(),
    "run.stack": {"contracts", "errors", "files", "run.os"},
    "run.serving": {"contracts", "files", "run.os", "run.stack", "run.supervisor"},
    "run.supervisor": {"", "contracts", "run.os", "run.stack"},
    "run.worker": {"contracts", "run.os"},
    "standins": set(),
    "terminal": {"contracts.printable"},
}
# pure: what they must not import
NO_WORLD = {"os", "socket", "subprocess", "psutil", "tempfile", "signal", "time", "shutil"}
LIGHT = (
    *("contracts/decode.py", "contracts/record.py", "contracts/control.py", "contracts/plan.py"),
    "contracts/report.py",
    *("contracts/handover.py", "contracts/stack_record.py", "run/launcher/launch.py"),
    *(
        "contracts/references.py",
        "contracts/capabilities.py",
        "providers/table.py",
        "providers/families.py",
        "run/stack/client.py",
        "run/stack/folder.py",
        "claude/launch.py",
        "claude/discovery.py",
        "claude/way.py",
        "claude/settings.py",
        "diagnostics.py",
        "paths.py",
        "errors.py",
    ),
    *("aws/files.py", "aws/faults.py", "aws/locations.py", "aws/sections.py"),
    *("aws/profile_check.py", "commands/registry.py"),
)
HEAVY = {"pydantic", "tomlkit", "yaml", "litellm", "psutil", "asyncio", "dataclasses", "importlib"}


def module_name(path: Path) -> str:
    """A file's module, without the package's own name: `run.os.probe`, or "" for the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imports(path: Path) -> set[str]:
    """Return every module a file imports, wherever in it, except for type checking only."""
    found: set[str] = set()
    tree = parsed(path)
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
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(path: Path) -> set[str]:
    """Return our modules among them: `from a.b import c` is `a.b.c` if that is a module."""
    found = set()
    for name in imports(path):
        package, _, rest = name.partition(".")
        if package == "openclaude":
            found.add(rest if rest in MODULES else rest.rpartition(".")[0])
    return found


def fits(module: str, prefix: str) -> bool:
    """Tell whether a module is `prefix`, or in it; "" is the package itself alone."""
    return module == prefix or (prefix != "" and module.startswith(f"{prefix}."))


def room(module: str) -> str:
    """Return the folder of a module: the longest name in the table that is its prefix."""
    return max((name for name in ALLOWED if fits(module, name)), key=len)


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_what_it_may(module: str) -> None:
    own = room(module)
    strangers = [
        there
        for there in sorted(ours(MODULES[module]))
        if not any(fits(there, name) for name in {own, *ALLOWED[own]})
    ]

    assert strangers == [], f"{module} is in {own or 'openclaude'!r}"


def test_every_room_of_the_table_is_there() -> None:
    assert {name for name in ALLOWED if not any(fits(module, name) for module in MODULES)} == set()


def test_the_architecture_page_has_the_same_table() -> None:
    page = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8")
    shown = {
        folder: set(names.split(", ")) - {"nothing"}
        for folder, names in re.findall(r"(?m)^\| `(\w+)/` \|[^|]+\| ([^|`]+) \|$", page)
    }
    allowed: dict[str, set[str]] = {
        path.parent.name: set() for path in PACKAGE.glob("*/__init__.py")
    }
    for name, others in ALLOWED.items():
        folder = name.partition(".")[0]
        if folder in allowed:
            allowed[folder] |= {other.partition(".")[0] for other in others} - {"", folder}

    assert shown == allowed


def test_no_modules_import_each_other_in_a_circle() -> None:
    waiting = {module: ours(path) - {module} for module, path in MODULES.items()}
    while free := {module for module, needs in waiting.items() if not needs & waiting.keys()}:
        waiting = {module: needs for module, needs in waiting.items() if module not in free}

    assert waiting == {}


def first_that_differ(one: str, other: str) -> tuple[str, str, str]:
    """Two modules as their folder in common, and what in it contains each of them."""
    ways = one.split("."), other.split(".")
    depth = next(n for n, both in enumerate(zip(*ways, strict=False)) if both[0] != both[1])
    return ".".join(ways[0][:depth]), ways[0][depth], ways[1][depth]


def test_no_folders_import_each_other_in_a_circle() -> None:
    """Modules may form no circle, yet two folders can: then neither is read without the other."""
    needs: dict[tuple[str, str], set[str]] = {}
    for module, path in MODULES.items():
        for there in {one for one in ours(path) if not fits(module, one) and not fits(one, module)}:
            folder, one, other = first_that_differ(module, there)
            needs.setdefault((folder, one), set()).add(other)
            needs.setdefault((folder, other), set())
    waiting = dict(needs)
    while free := {
        (folder, one)
        for (folder, one), others in waiting.items()
        if not any((folder, other) in waiting for other in others)
    }:
        waiting = {place: others for place, others in waiting.items() if place not in free}

    assert waiting == {}


@cache
def started(path: Path) -> set[str]:
    """Return our modules that a file names in a string, to run or import them later."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"openclaude\.([\w.]+)", node.value))
    return found & MODULES.keys()


def test_every_module_is_one_that_a_command_or_a_launch_can_reach() -> None:
    reached: set[str] = set()
    waiting = ["cli", "__main__"]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += ours(MODULES[module]) | started(MODULES[module])
    unreached = {m for m, path in MODULES.items() if path.name != "__init__.py"} - reached

    assert unreached == set(), "what only tests need belongs in tests/"


def test_a_folder_is_seen_at_a_glance() -> None:
    folders = Counter(path.parent for path in MODULES.values() if path.name != "__init__.py")

    assert {str(folder.relative_to(PACKAGE)): n for folder, n in folders.items() if n > 15} == {}


@pytest.mark.parametrize("path", sorted((PACKAGE / "compile").glob("*.py")), ids=lambda p: p.name)
def test_compile_reaches_nothing_outside_itself(path: Path) -> None:
    assert not {module.partition(".")[0] for module in imports(path)} & NO_WORLD


@pytest.mark.parametrize("name", LIGHT)
def test_what_a_warm_launch_reads_is_light(name: str) -> None:
    tree = parsed(PACKAGE / name)
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
        for path in MODULES.values()
        if path.name not in {"__init__.py", "__main__.py"}
        and "Knows:" not in (ast.get_docstring(parsed(path)) or "")
    ]

    assert unsaid == []


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public functions of a module and the public methods of its classes."""
    for node in tree.body:
        for inner in node.body if isinstance(node, ast.ClassDef) else (node,):
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and inner.name[0] != "_":
                yield inner


def raises(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a function itself raises something new, and not a function inside it."""
    inner = {
        node
        for one in ast.walk(function)
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one is not function
        for node in ast.walk(one)
    }
    return any(
        isinstance(node, ast.Raise) and node.exc is not None and node not in inner
        for node in ast.walk(function)
    )


def test_a_public_function_that_raises_says_so() -> None:
    unsaid = [
        f"{module}.{function.name}"
        for module, path in MODULES.items()
        for function in public_functions(parsed(path))
        if raises(function) and "aise" not in (ast.get_docstring(function) or "Raises")
    ]

    assert unsaid == []


def test_no_module_is_longer_than_a_person_reads_in_one_go() -> None:
    long = [
        str(path.relative_to(PACKAGE))
        for path in MODULES.values()
        if len(path.read_text(encoding="utf-8").splitlines()) > 350
    ]

    assert long == []
