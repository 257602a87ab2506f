"""The only folder that uses LiteLLM: every name of LiteLLM's in it is listed, and no others."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from openclaude.gateway.litellm import names
from openclaude.gateway.litellm.names import USED, LiteLLMChanged, require
from tests.conftest import REPOSITORY
from tests.unit.source import parsed

PACKAGE = REPOSITORY / "openclaude"
DOOR = PACKAGE / "gateway" / "litellm"
USERS = {path.stem: path for path in DOOR.glob("*.py") if path.stem not in {"__init__", "names"}}
OUTSIDE = [path for path in PACKAGE.rglob("*.py") if path.parent != DOOR]
DOTTED = re.compile(r"litellm(\.\w+)+")


def touched(tree: ast.AST) -> set[str]:
    """Return all names of LiteLLM's in a module: its imports, with the attributes it uses."""
    local = dict(imported(tree))
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    chains = {
        chain(node, local)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner
    }
    used = {name for name in (*chains, *local.values()) if name}
    # using a part of something implies using it
    return {name for name in used if not any(one.startswith(f"{name}.") for one in used)}


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Return the local names of what is imported from LiteLLM, and their full names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "litellm":
                    yield alias.asname or "litellm", alias.name if alias.asname else "litellm"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "litellm":
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def chain(node: ast.expr, local: dict[str, str]) -> str:
    """Return the full name of `a.b.c` if `a` is LiteLLM's; else ""."""
    if isinstance(node, ast.Name):
        return local.get(node.id, "")
    if isinstance(node, ast.Attribute):
        value = chain(node.value, local)
        return f"{value}.{node.attr}" if value else ""
    return ""


def listed(user: str) -> set[str]:
    return {f"{module}.{name}" for module, found in USED.get(user, {}).items() for name in found}


@pytest.mark.parametrize("user", sorted(USERS))
def test_what_a_module_touches_is_what_is_listed_for_it(user: str) -> None:
    assert touched(parsed(USERS[user])) == listed(user)


def test_every_module_of_the_list_is_there() -> None:
    assert USED.keys() <= USERS.keys()


@pytest.mark.parametrize("user", sorted(USERS))
def test_litellms_modules_are_named_in_the_lists_only(user: str) -> None:
    strings = [
        node.value
        for node in ast.walk(parsed(USERS[user]))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    assert [text for text in strings if DOTTED.fullmatch(text)] == []


def test_nobody_else_imports_litellm() -> None:
    strangers = [str(path.relative_to(PACKAGE)) for path in OUTSIDE if touched(parsed(path))]

    assert strangers == []


def test_the_walk_sees_every_way_to_touch_something() -> None:
    source = """
import litellm
import litellm.utils as u
from litellm.a import B, C as D, E
litellm.x.y(1)
u.z
B.m()
D
"""

    assert touched(ast.parse(source)) == {
        "litellm.x.y",
        "litellm.utils.z",
        "litellm.a.B.m",
        "litellm.a.C",
        "litellm.a.E",
    }


# The check ----------------------------------------------------------------------------------------


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A LiteLLM with little in it."""
    module = ModuleType("litellm_made_up")
    vars(module).update(Router=type("Router", (), {"ask": None}), llm_router=None)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(names, "is_of_router", lambda name: name == "model_list")


@pytest.mark.usefixtures("made_up")
def test_what_is_there_passes() -> None:
    require({"litellm_made_up": ("Router", "Router.ask", "llm_router.model_list")}, "x")
    require({"litellm_made_up": ()}, "x")


def test_a_package_that_litellm_lacks_is_told_as_python_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "litellm_needy.py").write_text("import semver_of_nobody\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ModuleNotFoundError, match="No module named 'semver_of_nobody'"):
        require({"litellm_needy": ("x",)}, "endpoint")


@pytest.mark.usefixtures("made_up")
def test_what_is_gone_is_said_with_the_place_to_look_at() -> None:
    wanted = {
        "litellm_made_up": ("Router.ask", "Router.gone", "llm_router.gone", "Gone.ask"),
        "litellm_gone": ("x",),
    }

    with pytest.raises(LiteLLMChanged) as changed:
        require(wanted, "endpoint")

    assert re.fullmatch(
        r"LiteLLM \d+\.\d+\.\S+ lacks `litellm_made_up\.Router\.gone`, "
        r"`litellm_made_up\.llm_router\.gone`, `litellm_made_up\.Gone\.ask`, `litellm_gone`, which "
        r"openclaude/gateway/litellm/endpoint\.py uses: install the version that `openclaude "
        r"doctor` names, or adapt that file and names\.py",
        str(changed.value),
    )
