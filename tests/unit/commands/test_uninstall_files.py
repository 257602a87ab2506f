"""Which files uninstall takes for ours, and what happens to the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaude.commands.uninstall.files import (
    CACHE,
    CONFIG,
    SETTINGS,
    STATE,
    Failure,
    Shape,
    find_ours,
    look_into,
    remove_each,
    remove_leftover,
)
from openclaude.paths import find_places
from tests.conftest import NOWHERE

FOLDER = "/"  # at the end of a path: a folder
ID = "0123456789abcdef0123456789abcdef"


def furnish(root: Path, *paths: str) -> None:
    for path in paths:
        if path.endswith(FOLDER):
            (root / path).mkdir(parents=True, exist_ok=True)
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()


@pytest.mark.parametrize(
    ("shape", "path", "kind"),
    [
        (STATE, "crash.md", "files"),
        (STATE, ".crash.md.12.tmp", "files"),
        (STATE, "stacks/qwen/lock", "files"),
        (STATE, "stacks/qwen/main.log.1", "files"),
        (STATE, "stacks/qwen/providers.yaml", "files"),
        (STATE, "stacks/qwen/launches/12-34.json", "files"),
        (STATE, "stacks/qwen/launches/12-34.pem", "files"),
        (STATE, "stacks/qwen/tls.pem", "files"),
        (STATE, "stacks/qwen/launches/.12-34.json.9.tmp", "files"),
        (STATE, "stacks/qwen/empty/", "trees"),
        (STATE, "stacks/qwen/empty", "strange"),
        (STATE, "stacks/Qwen/", "strange"),
        (STATE, "stacks/qwen/main.log.bak", "strange"),
        (STATE, "stacks/qwen/stack.json/", "strange"),
        (STATE, "crash.md.orig", "strange"),
        (SETTINGS, "12-34-qwen.json", "files"),
        (SETTINGS, "12-34-qwen-coder.json", "files"),
        (SETTINGS, ".12-34-qwen.json.9.tmp", "files"),
        (SETTINGS, "12-34.json", "strange"),
        (SETTINGS, "mine.json", "strange"),
        (CACHE, "plans/qwen.plain.json", "files"),
        (CACHE, "app/lock", "files"),
        (CACHE, f"app/{ID}/", "trees"),
        (CACHE, "app/.new-12/", "trees"),
        (CACHE, f"app/{ID}x/", "strange"),
        (CACHE, "plans/me.txt", "strange"),
        (CONFIG, "default", "files"),
        (CONFIG, "profiles/mine.toml", "files"),
        (CONFIG, "profiles/.lock", "files"),
        (CONFIG, "profiles/.mine.1.0123abcd.draft.toml", "files"),
        (CONFIG, "profiles/Mine.toml", "strange"),
        (CONFIG, "profiles/mine.toml~", "strange"),
        (CONFIG, "profiles/mine.toml/", "strange"),
        (CONFIG, ".git/", "strange"),
    ],
)
def test_a_path_is_ours_only_where_its_shape_is(
    tmp_path: Path, shape: Shape, path: str, kind: str
) -> None:
    furnish(tmp_path, path)

    found = look_into(tmp_path, shape)

    where = {name for name in ("files", "trees", "strange") if getattr(found, name)}
    assert (where, getattr(found, kind)) == ({kind}, (tmp_path / path.rstrip(FOLDER),))


def test_the_folders_around_what_is_strange_stay_and_the_others_go(tmp_path: Path) -> None:
    root = tmp_path / "openclaude"
    furnish(root, "stacks/a/lock", "stacks/b/lock", "stacks/b/mine", "stacks/a/empty/deep/file")

    assert remove_leftover(look_into(root, STATE)) == []

    left = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    assert left == ["stacks", "stacks/b", "stacks/b/mine"]


def test_what_cannot_be_removed_is_told_and_what_is_gone_is_not(tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    gone = tmp_path / "gone"

    assert remove_each([tmp_path], refuse) == [Failure(tmp_path, "permission denied")]
    assert remove_each([gone], Path.unlink) == []


def test_a_folder_that_all_variables_name_is_looked_at_once(tmp_path: Path) -> None:
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
    places = find_places({"HOME": NOWHERE, **dict.fromkeys(names, str(tmp_path))})
    furnish(places.state, "crash.md", "plans/a.plain.json", "profiles/mine.toml")

    (found,) = find_ours(places, purge=True)

    assert (len(found.files), found.strange) == (3, ())
    assert remove_leftover(found) == []
    assert list(tmp_path.iterdir()) == []
