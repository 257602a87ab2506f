"""The zipapp's start runs nothing that another user can have put there."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY

SOURCES = REPOSITORY / "build" / "zipapp.d"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    """The start and the unpacking, as they are in the archive."""
    found = []
    for name in ("openclaude_start", "openclaude_unpack"):
        spec = importlib.util.spec_from_file_location(name, SOURCES / f"{name}.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        found.append(module)
    return found[0], found[1]


@pytest.fixture
def app(modules: tuple[ModuleType, ModuleType], tmp_path: Path) -> Path:
    """A cache in which this version lies unpacked."""
    (tmp_path / "cache" / "app" / modules[0].BUILD_ID).mkdir(parents=True)
    for folder in (tmp_path / "cache", tmp_path / "cache" / "app"):
        folder.chmod(0o700)
    return tmp_path / "cache" / "app"


def is_held(start: ModuleType, app: Path) -> bool:
    """Whether the tree in there would be run."""
    descriptor = start.hold(str(app))
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def test_a_tree_in_a_cache_of_our_own_is_run(
    modules: tuple[ModuleType, ModuleType], app: Path
) -> None:
    assert is_held(modules[0], app)


@pytest.mark.parametrize("above", ["app", "cache"])
def test_a_tree_that_others_can_swap_is_neither_run_nor_made(
    modules: tuple[ModuleType, ModuleType], app: Path, above: str
) -> None:
    start, unpacking = modules
    next(folder for folder in (app, *app.parents) if folder.name == above).chmod(0o777)

    assert not is_held(start, app)
    with pytest.raises(unpacking.CannotUnpack, match="other users can change"):
        unpacking.unpack(str(app), "no-archive")


def test_a_link_to_where_others_can_swap_it_is_no_way_around(
    modules: tuple[ModuleType, ModuleType], app: Path, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "app").symlink_to(app)
    assert is_held(modules[0], tmp_path / "home" / "app")

    app.parent.chmod(0o777)

    assert not is_held(modules[0], tmp_path / "home" / "app")


def test_a_tree_of_another_users_is_not_run(
    modules: tuple[ModuleType, ModuleType], app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4321)

    assert not is_held(modules[0], app)
