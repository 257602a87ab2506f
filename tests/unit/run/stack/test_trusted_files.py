"""Which files of ours are trusted, and how new ones are written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaude.files import FolderUnusable, NotTrusted, read_trusted, write_private
from openclaude.plan_cache import cached_plan
from openclaude.run.stack.folder import read_record
from tests.conftest import need
from tests.second_user import NOBODY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of ours in a folder of ours, inside another one."""
    folder = tmp_path / "outer" / "inner"
    folder.mkdir(mode=0o700, parents=True)
    (tmp_path / "outer").chmod(0o700)
    found = folder / "plan.json"
    write_private(found, "{}")
    return found


def test_a_file_of_our_own_is_believed(path: Path) -> None:
    assert read_trusted(path) == "{}"


@pytest.mark.parametrize("above", [0, 1, 2])
@pytest.mark.parametrize("mode", [0o777, 0o702])
def test_what_others_may_change_is_not_believed(path: Path, above: int, mode: int) -> None:
    changed = [path, *path.parents][above]
    changed.chmod(mode)

    with pytest.raises(NotTrusted, match=f"`{changed}` can be changed by other users"):
        read_trusted(path)


def test_a_folder_like_tmp_and_the_users_own_group_are_fine(path: Path) -> None:
    path.parent.chmod(0o1777)
    path.chmod(0o660)

    assert read_trusted(path) == "{}"


@pytest.mark.parametrize("above", [0, 1, 2])
def test_what_belongs_to_another_user_is_not_believed(path: Path, above: int) -> None:
    need(os.geteuid() == 0, "root, who alone can give a file away")
    os.chown([path, *path.parents][above], NOBODY, NOBODY)

    with pytest.raises(NotTrusted, match=f"belongs to another user \\(uid {NOBODY}\\)"):
        read_trusted(path)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_a_regular_file_is_read(path: Path, kind: str) -> None:
    other = path.with_name("other")
    match kind:
        case "link":
            other.symlink_to(path)
        case "pipe":
            os.mkfifo(other, 0o600)
        case _:
            other.mkdir(0o700)

    with pytest.raises(OSError, match=r"not a regular file|symbolic link|Is a directory"):
        read_trusted(other)


def test_a_folder_that_a_link_leads_to_is_looked_at_as_well(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path.parent)
    assert read_trusted(link / path.name) == "{}"
    path.parent.parent.chmod(0o777)

    with pytest.raises(NotTrusted):
        read_trusted(link / path.name)


def test_a_plan_and_a_record_that_others_laid_there_are_not_believed(path: Path) -> None:
    record = path.with_name("stack.json")
    write_private(
        record,
        '{"version": "1", "profile": "x", "pid": 1, "started": "1", "port": 4000, "main_key": "k"}',
    )
    assert read_record(path.parent) is not None
    path.parent.chmod(0o777)

    with pytest.raises(FolderUnusable, match=f"`{path.parent}` can be changed by other users"):
        read_record(path.parent)
    assert cached_plan(path, {}, path.parent) is None


def test_links_that_were_laid_for_a_file_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / ".bashrc"
    theirs.write_text("mine")
    monkeypatch.setattr(os, "urandom", bytes)  # even if he had guessed it
    for name in (".out.0000000000000000.tmp", f".out.{os.getpid()}.tmp"):
        (tmp_path / name).symlink_to(theirs)

    with pytest.raises(Exception, match="File exists"):
        write_private(tmp_path / "out", "model_list:")

    assert theirs.read_text() == "mine"
