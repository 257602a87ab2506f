"""quirk 17: a run as root in a user's home, and what a user finds who once made such a run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaude.commands import runner
from openclaude.files import FolderUnusable, private_folder
from tests.conftest import need
from tests.process.world import World
from tests.second_user import may_become, second_user

USER = 12345
WRITING = (
    ("-p", "hi"),
    ("start",),
    ("profiles", "new", "mine", "--from", "base"),
    ("profiles", "use", "base"),
    ("profiles", "show", "qwen"),
    ("profiles", "validate", "qwen"),
    ("setup", "--yes"),
    ("doctor",),
    ("status",),
    ("stop",),
    ("stop", "--all"),
    ("logs",),
    ("aws", "setup", "--name", "x", "--from", "keys", "--yes"),
    ("compile", "--profile", "base"),
)


@pytest.fixture
def method() -> str:
    return "fork"


@pytest.fixture
def somebodys(empty_world: World) -> World:
    """The home of another user, to whom everything in it belongs."""
    need(may_become(USER), "root, to be a second user")
    give(empty_world.root, USER)
    return empty_world


def give(folder: Path, user: int) -> None:
    """Let a folder and all that is in it belong to a user."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)


def owners(folder: Path) -> dict[str, int]:
    """Whose each file is."""
    return {str(path): path.lstat().st_uid for path in folder.rglob("*")}


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_root_leaves_nothing_in_the_home_of_a_user(
    somebodys: World, command: tuple[str, ...]
) -> None:
    before = owners(somebodys.home)

    done = somebodys.run(*command)

    assert "has a bug" not in done.err
    assert owners(somebodys.home) == before
    if command[0] in {"-p", "start"}:
        assert done.status != 0
        assert "hint: this runs as root, and the home is another user's: run it without" in done.err


def test_root_in_a_home_of_its_own_is_a_user_like_any_other(world: World) -> None:
    need(os.geteuid() == 0, "root")

    assert world.run("-p").status == 0


# The user, afterwards -----------------------------------------------------------------------------


def taken(world: World) -> Iterator[Path]:
    """The folders that a run as root may have made, as root makes them."""
    for name in (".local/state/openclaude", ".local/state/claude-settings", ".cache"):
        path = world.home / name
        path.mkdir(parents=True, exist_ok=True)
        for one in (path, *path.parents):
            if one == world.home:
                break
            os.chown(one, 0, 0)
            one.chmod(0o700)
            yield one


@pytest.mark.parametrize("word", ["status", "stop", "logs", "doctor", "start"])
def test_a_user_is_told_how_to_get_the_folders_back(
    somebodys: World, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    env = {**somebodys.env, "PATH": str(somebodys.bin)}
    runner.run(word, ["--json"], env)  # imports everything, which that user may be unable to read
    capsys.readouterr()
    made = list(taken(somebodys))
    assert made

    with second_user(USER):
        status = runner.run(word, ["--json"], env)

    said = capsys.readouterr()
    envelope = json.loads(said.out)
    assert status != 0
    text = json.dumps(envelope["errors"] or envelope["data"])
    assert "sudo chown -R" in text, text
    assert f"{somebodys.home}/.local" in text


def test_the_hint_names_the_highest_folder_of_roots(somebodys: World) -> None:
    list(taken(somebodys))

    with second_user(USER), pytest.raises(FolderUnusable) as raised:
        private_folder(somebodys.state)

    where = somebodys.home / ".local"
    assert raised.value.hint.startswith(
        f'give it back to yourself (`sudo chown -R "$(id -u)" {where}`)'
    )
    # what it says, by who may do it
    give(where, USER)
    with second_user(USER):
        assert private_folder(somebodys.state) == somebodys.state
