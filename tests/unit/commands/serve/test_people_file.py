"""The file of people's keys when someone is added: whoever could read it still can."""

from __future__ import annotations

import errno
import os
import resource
import stat
from pathlib import Path

import pytest

from openclaude.commands.serve.keys import KeysUnusable, add_person, remove_person
from openclaude.contracts.team.people import read_people
from openclaude.errors import UsageError

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "people.keys"
    add_person(path, "ann")
    return path


def names(path: Path) -> list[str]:
    return [one.name for one in read_people(path.read_text()).values()]


def test_a_new_file_is_its_owners_alone(keys: Path) -> None:
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert names(keys) == ["ann"]
    assert list(keys.parent.iterdir()) == [keys]


def test_a_file_that_others_read_stays_as_it_is(keys: Path) -> None:
    keys.chmod(0o640)
    before = keys.stat()

    add_person(keys, "bob")

    after = keys.stat()
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    assert names(keys) == ["ann", "bob"]


@needs_root
def test_root_adds_to_the_file_of_another_user_who_can_still_read_it(keys: Path) -> None:
    os.chown(keys, NOBODY, NOBODY)

    add_person(keys, "bob")

    found = keys.stat()
    assert (found.st_uid, found.st_gid) == (NOBODY, NOBODY)
    assert names(keys) == ["ann", "bob"]


@needs_root
def test_another_user_is_told_who_may_add(keys: Path) -> None:
    for folder in keys.parents:
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(0o711)
    os.seteuid(NOBODY)
    try:
        with pytest.raises(KeysUnusable, match="Permission denied") as refused:
            add_person(keys, "bob")
    finally:
        os.seteuid(0)

    assert refused.value.hint == "run it as the user that owns the file and its folder, root"
    assert names(keys) == ["ann"]


def test_a_link_stays_a_link(keys: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "people"
    link.parent.mkdir()
    link.symlink_to(keys)

    add_person(link, "bob")

    assert link.is_symlink()
    assert names(keys) == ["ann", "bob"]


def test_a_last_line_without_its_end_stays_a_line(keys: Path) -> None:
    keys.write_text(keys.read_text().rstrip("\n"))

    add_person(keys, "bob")

    assert names(keys) == ["ann", "bob"]


def test_a_name_is_added_once(keys: Path) -> None:
    with pytest.raises(UsageError, match="`ann` has a key"):
        add_person(keys, "ann")


def test_a_removed_key_stays_so_after_a_power_failure(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[bool] = []  # of what is on the disk for certain: is it a folder

    def sync(descriptor: int) -> None:
        said.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        if said[-1]:
            assert names(keys) == []
            raise OSError(errno.EINVAL, "a file system that cannot do it")

    monkeypatch.setattr(os, "fsync", sync)

    remove_person(keys, "ann")

    assert said == [False, True]


def test_a_full_disk_leaves_no_half_line(keys: Path) -> None:
    before = keys.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
    try:
        with pytest.raises(KeysUnusable, match="No space left"):
            add_person(keys, "bob")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert keys.read_bytes() == before
