"""quirk 16: the packages and switches of another Python, which a user has in the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import variant
from tests.process.world import World

# what ROS, pixi and environment modules bring along, each broken for this Python
FOREIGN = ("pydantic", "pydantic_core", "tomlkit", "typing_extensions", "psutil", "yaml", "litellm")
BROKEN = 'raise ImportError("this package is for another Python")\n'
COMMANDS = (
    ("-p", "hi"),
    ("doctor",),
    ("profiles", "list"),
    ("profiles", "show", "qwen"),
    ("profiles", "validate", "qwen"),
    ("aws", "policy", "--profile", "qwen"),
    ("models", "qwen"),
    ("compile", "--profile", "qwen", "--out", "out"),
    ("status",),
    ("--version",),
)


@pytest.fixture
def method() -> str:
    return "fork"


def foreign(folder: Path, *, names: tuple[str, ...] = FOREIGN) -> Path:
    """The packages of another Python, which cannot be imported."""
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(BROKEN)
    return folder


def with_path(world: World, *entries: str | Path) -> dict[str, str]:
    """The environment with these entries in PYTHONPATH, before those of the tests."""
    before = world.env.get("PYTHONPATH", "")
    return {
        **world.env,
        "PYTHONPATH": os.pathsep.join([*map(str, entries), *filter(None, [before])]),
    }


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_packages_of_another_python_are_not_imported(
    world: World, command: tuple[str, ...]
) -> None:
    env = with_path(world, foreign(world.root / "ros" / "site-packages"))
    usual = world.run(*command)

    done = world.run(*command, env=env)

    assert "another Python" not in done.err + done.out
    assert (done.status, done.err) == (usual.status, usual.err)


@pytest.mark.parametrize("entry", ["", ".", "../home"])
def test_modules_of_the_working_directory_are_not_imported(world: World, entry: str) -> None:
    """An empty entry, which a trailing colon makes, is the working directory: a repository's."""
    names = (*FOREIGN, "json", "argparse", "hashlib", "tomllib", "subprocess", "difflib", "signal")
    foreign(world.home, names=names)

    for command in (("-p", "hi"), ("doctor",), ("profiles", "list")):
        done = world.run(*command, env=with_path(world, "/nowhere", entry))
        assert "another Python" not in done.err + done.out


def test_claude_inherits_the_path_as_it_was(world: World) -> None:
    env = with_path(world, foreign(world.root / "ros"), "")

    assert world.run("-p", "hi", env=env).status == 0

    (heard,) = world.heard()
    assert heard["environment"]["PYTHONPATH"] == env["PYTHONPATH"]


@pytest.mark.parametrize(
    "switches",
    [
        {"PYTHONWARNINGS": "error"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONUTF8": "0", "LC_ALL": "C"},
        {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error"},
        {"PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"},
        variant({"PYTHONTRACEMALLOC": "5", "PYTHONMALLOC": "debug", "PYTHONHASHSEED": "0"}),
        {"PYTHONPLATLIBDIR": "lib64", "PYTHONSTARTUP": "/nowhere"},
    ],
    ids=lambda switches: next(iter(switches)),
)
def test_the_switches_of_pythons_developers_change_nothing(
    world: World, switches: dict[str, str]
) -> None:
    for command in (("-p", "hi"), ("doctor",), ("profiles", "show", "qwen"), ("models", "qwen")):
        done = world.run(*command, env={**world.env, **switches})
        assert "has a bug" not in done.err, (command, done.err)
        assert "Traceback" not in done.err, (command, done.err)
