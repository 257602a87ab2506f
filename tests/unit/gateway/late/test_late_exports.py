"""A package that passes on names passes on the same ones later."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaude.gateway.late.exports import LateExports, delay_exports, exports_in
from openclaude.gateway.late.imports import PASSING_ON

FILES = {
    "__init__.py": "from .one import First, Other as Renamed\nfrom .below.two import Second\n",
    "one.py": "class First: ...\nclass Other: ...\n",
    "below/__init__.py": "from .two import Second as Second\n",
    "below/two.py": "class Second: ...\n",
    "broken.py": "import nothing_of_that_name\n",
    "busy/__init__.py": "from .two import Second as Second\nCOUNT = 1\n",
    "busy/two.py": "class Second: ...\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package whose exports are delayed."""
    name = "passing_on"
    for path, text in FILES.items():
        (tmp_path / name / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name / path).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    delay_exports(name)
    yield name
    for module in [each for each in sys.modules if each.split(".")[0] == name]:
        del sys.modules[module]


def loaded(package: str) -> set[str]:
    return {name for name in sys.modules if name.startswith(f"{package}.")}


def test_a_name_imports_its_module_and_no_other(package: str) -> None:
    found = importlib.import_module(package)
    assert not loaded(package)

    names: dict[str, Any] = {}
    exec(f"from {package} import Renamed, First", names)  # noqa: S102 - as any module would

    assert loaded(package) == {f"{package}.one"}
    assert names["First"] is found.First is sys.modules[f"{package}.one"].First
    assert names["Renamed"].__name__ == "Other"
    assert vars(found)["First"] is names["First"]


def test_the_modules_are_attributes_of_the_package_as_ever(package: str) -> None:
    found = importlib.import_module(package)

    assert found.below.two.Second is found.Second
    assert found.below.Second is found.Second
    assert not hasattr(found, "nothing")
    assert not hasattr(found, "broken")  # which nothing has imported
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        exec(f"from {package} import Nothing", {})  # noqa: S102


def test_everything_can_be_imported_at_once_and_listed(package: str) -> None:
    names: dict[str, Any] = {}
    exec(f"from {package} import *", names)  # noqa: S102

    assert {"First", "Renamed", "Second"} <= names.keys()
    assert {"First", "Renamed", "Second"} <= set(dir(sys.modules[package]))


def test_a_package_that_does_more_is_loaded_as_usual(package: str) -> None:
    busy = importlib.import_module(f"{package}.busy")

    assert busy.COUNT == 1
    assert f"{package}.busy.two" in loaded(package)


def test_what_an_import_raises_is_raised(package: str, tmp_path: Path) -> None:
    (tmp_path / package / "__init__.py").write_text("from .broken import Anything as Anything\n")

    found = importlib.import_module(package)

    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
            _ = found.Anything


def test_a_package_is_delayed_once(package: str) -> None:
    delay_exports(package)
    importlib.import_module(package)
    delay_exports(package)

    assert sum(isinstance(finder, LateExports) for finder in sys.meta_path) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from .one import *",
        "import os",
        "from os import path",
        "from . import one",
        "from .one import one",
        "def f(): ...",
    ],
)
def test_only_names_of_own_modules_are_passed_on_later(text: str) -> None:
    assert exports_in(text.encode()) == {}


def test_openais_packages_are_of_that_kind() -> None:
    spec = importlib.util.find_spec(PASSING_ON)
    assert spec
    assert spec.origin
    passing_on = [
        bool(exports_in(path.read_bytes()))
        for path in Path(spec.origin).parent.rglob("__init__.py")
    ]
    assert sum(passing_on) > len(passing_on) / 2
